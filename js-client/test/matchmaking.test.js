import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addPeer, enter } from './call.js';
import { fakeStream, fakeTrack, settle } from './fakes.js';

/** What was asked of the server since the last call, without ids. */
const asked = (call) => call.socket.take('match', 'cancelMatch', 'part').map(({ id, ...frame }) => frame);

/** Asks, and is told to wait. */
function waitIn(call, options) {
  const matching = call.client.match('pool', options).then(call.watch);
  matching.catch(() => {});
  answer(call, options);
  return matching;
}

async function answer(call, options) {
  await settle();
  const [{ id, ...frame }] = call.socket.take('match');
  assert.deepEqual(frame, { type: 'match', pool: 'pool', ...(options?.userdata && { userdata: options.userdata }) });
  await call.socket.receive({ type: 'waiting', pool: 'pool', waiting: 1, id });
}

async function meet(call, channel = '~1') {
  await call.socket.receive({ type: 'matched', pool: 'pool', channel }, { type: 'joined', channel, peers: 1 }, addPeer({ channel }));
}

test('waits in the pool, and meets a stranger in a channel', async () => {
  const call = await enter();
  const waiting = [];
  call.client.signaling.addEventListener('waiting', ({ message }) => waiting.push([message.pool, message.waiting]));
  const matching = waitIn(call, { userdata: { name: 'Ann' } });
  await settle();
  await settle();
  await call.socket.receive({ type: 'waiting', pool: 'pool', waiting: 2 });
  await meet(call);
  const channel = await matching;
  await settle();
  assert.deepEqual(waiting, [['pool', 1], ['pool', 2]]);
  assert.equal(channel.name, '~1');
  assert.deepEqual(call.events.map(([type, id, { initial }]) => [type, id, initial]), [['peer', 'z', true]]);
  assert.deepEqual(channel.userdata, { name: 'Ann' });
});

test('strangers find each other again when the server has started again', async () => {
  const call = await enter();
  const matching = call.client.match('pool');
  await settle();
  const [{ id }] = call.socket.take('match');
  await call.socket.receive(
    { type: 'matched', pool: 'pool', channel: '~1', id }, { type: 'joined', channel: '~1', peers: 1, seat: 's1' },
    addPeer({ channel: '~1' }),
  );
  const channel = await matching;
  await call.reconnect({ resumed: false });
  const [request] = call.socket.take('join');
  assert.deepEqual([request.channel, request.seat], ['~1', 's1']);
  await call.socket.receive(
    { type: 'joined', channel: '~1', peers: 1, seat: 's2', id: request.id }, addPeer({ channel: '~1', connection_id: 'f.1' }),
  );
  assert.deepEqual([...channel.peers.keys()], ['z']);
  assert.notEqual(call.RTCPeerConnection.all[0].signalingState, 'closed');
});

test('matched at once, without waiting', async () => {
  const call = await enter();
  const matching = call.client.match('pool');
  await settle();
  const [{ id }] = call.socket.take('match');
  await call.socket.receive({ type: 'matched', pool: 'pool', channel: '~1', id });
  assert.equal((await matching).name, '~1');
});

test('next leaves and asks in one message, with what is sent and said now', async () => {
  const call = await enter();
  const matching = waitIn(call, { userdata: { name: 'Ann' } });
  await settle();
  await settle();
  await meet(call);
  const channel = await matching;
  await settle();
  channel.setUserdata({ name: 'Anna' });
  const again = channel.next();
  await settle();
  assert.deepEqual(asked(call), [{ type: 'match', pool: 'pool', userdata: { name: 'Anna' }, leave: '~1' }]);
  assert.deepEqual(call.events.map(([type]) => type), ['peer', 'peerleave', 'close']);
  await meet(call, '~2');
  assert.equal((await again).name, '~2');
});

test('the next stranger gets the tracks of now', async () => {
  const call = await enter();
  const media = fakeStream('audio', 'video');
  const [audio, video] = media.getTracks();
  const matching = waitIn(call, { media });
  await settle();
  await settle();
  await meet(call);
  const channel = await matching;
  const [other, screen] = [fakeTrack('video'), fakeTrack('video')];
  channel.replaceTrack(video, other);
  channel.addTrack(screen, media);
  const again = channel.next();
  await settle();
  await meet(call, '~2');
  await again;
  assert.deepEqual(call.connection.getTransceivers().map(({ sender }) => sender.track), [audio, other, screen]);
});

test('next that cannot search stays where it is', async () => {
  const call = await enter();
  const matching = waitIn(call);
  await settle();
  await settle();
  await meet(call);
  const channel = await matching;
  await assert.rejects(channel.next({ signal: AbortSignal.abort() }), { code: 'aborted' });
  const other = call.client.match('pool');
  await assert.rejects(channel.next(), { code: 'already_waiting' });
  await settle();
  assert.deepEqual([asked(call), call.events.map(([type]) => type)], [[{ type: 'match', pool: 'pool' }], ['peer']]);
  await meet(call, '~2');
  await other;
});

test('a channel that was joined by name has no next', async () => {
  const call = await enter();
  const channel = await call.join('room');
  await assert.rejects(channel.next(), { code: 'not_matched' });
  assert.deepEqual(asked(call), []);
});

test('an aborted search is taken back, and a match that crosses it is left', async () => {
  const call = await enter();
  const stop = new AbortController();
  const matching = waitIn(call, { signal: stop.signal });
  await settle();
  await settle();
  stop.abort();
  await assert.rejects(matching, { code: 'aborted' });
  assert.deepEqual(asked(call), [{ type: 'cancelMatch', pool: 'pool' }]);
  await meet(call);
  assert.deepEqual(asked(call), [{ type: 'part', channel: '~1' }]);
  await assert.rejects(call.client.match('pool', { signal: stop.signal }), { code: 'aborted' });
  assert.deepEqual(asked(call), []);
});

test('a signal that is aborted after the match does nothing', async () => {
  const call = await enter();
  const stop = new AbortController();
  const matching = waitIn(call, { signal: stop.signal });
  await settle();
  await settle();
  await meet(call);
  await matching;
  stop.abort();
  await settle();
  assert.deepEqual(asked(call), []);
});

test('one search for each pool at a time', async () => {
  const call = await enter();
  const matching = waitIn(call);
  await settle();
  await settle();
  await assert.rejects(call.client.match('pool'), { code: 'already_waiting' });
  await meet(call);
  await matching;
});

test('what ends the waiting is the code of the error', async () => {
  const call = await enter();
  const matching = waitIn(call);
  await settle();
  await settle();
  await call.socket.receive({ type: 'matchEnded', pool: 'pool', reason: 'timeout' });
  await assert.rejects(matching, { code: 'timeout' });
  const refused = call.client.match('pool');
  await settle();
  const [{ id }] = call.socket.take('match');
  await call.socket.receive({ type: 'error', code: 'unknown_type', message: '', id });
  await assert.rejects(refused, { code: 'unknown_type' });
});

test('who was detached while waiting waits again, after a resume and as somebody new', async () => {
  const call = await enter();
  const matching = waitIn(call);
  await settle();
  await settle();
  await call.reconnect({ resumed: true, received: 1 });
  await call.socket.receive({ type: 'matchEnded', pool: 'pool', reason: 'detached' });
  assert.deepEqual(asked(call), [{ type: 'match', pool: 'pool' }]);
  await call.reconnect({ peer_id: 'n' });
  await settle();
  assert.deepEqual(asked(call), [{ type: 'match', pool: 'pool' }]);
  await meet(call);
  assert.equal((await matching).name, '~1');
});

test('a search whose answer is lost with the session is made once again', async () => {
  const call = await enter();
  const matching = call.client.match('pool');
  await settle();
  call.socket.take();
  await call.reconnect({ peer_id: 'n' });
  await settle();
  assert.deepEqual(asked(call), [{ type: 'match', pool: 'pool' }]);
  await meet(call);
  assert.equal((await matching).name, '~1');
});

test('the end of the client ends the search', async () => {
  const call = await enter();
  const matching = waitIn(call);
  await settle();
  await settle();
  call.client.close();
  await assert.rejects(matching, { code: 'closed' });
});
