import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addPeer, enter, removePeer } from './call.js';
import { settle } from './fakes.js';

/** To whom, in which channel, what. */
function fallbacks(call) {
  return call.socket.take('send').map(({ peer_id: to, data: { 'signal-client': { channel, data } } }) => [to, channel, data]);
}

const from = (peerId, frame) => ({ type: 'message', peer_id: peerId, data: { 'signal-client': { of: 1, n: 1, channel: 'room', ...frame } } });

test('send reaches all, or one, of this channel', async () => {
  const call = await enter();
  const channel = await call.join('room', { peers: [{}, { peer_id: 'y' }] });
  await call.join('other', { peers: [{}, { peer_id: 'x' }] });
  call.socket.take();
  channel.send('all');
  channel.send('one', { to: channel.peers.get('z') });
  channel.send('id', { to: 'y' });
  await settle();
  assert.deepEqual(fallbacks(call), [['z', 'room', 'all'], ['y', 'room', 'all'], ['z', 'room', 'one'], ['y', 'room', 'id']]);
  await assert.rejects(channel.send('stranger', { to: 'x' }), { code: 'unknown_peer' });
});

test('what is sent right after join reaches those who are introduced a moment later, and nobody who comes later', async () => {
  const call = await enter();
  const joining = call.client.join('room');
  await settle();
  const [{ id }] = call.socket.take('join');
  await call.socket.receive({ type: 'joined', channel: 'room', peers: 2, id });
  const channel = await joining;
  await call.socket.receive(addPeer());
  channel.send('hello');
  await call.socket.receive(addPeer({ peer_id: 'y' }), addPeer({ peer_id: 'later' }));
  assert.deepEqual(fallbacks(call), [['z', 'room', 'hello'], ['y', 'room', 'hello']]);
});

test('a peer that leaves meanwhile is no error, a full queue of the signaling channel is one', async () => {
  const call = await enter();
  const channel = await call.join('room', { peers: [{}] });
  call.socket.take();
  const sending = channel.send('bye');
  await settle();
  const [{ id }] = call.socket.take('send');
  await call.socket.receive({ type: 'error', code: 'unknown_peer', message: '', id });
  await sending;
  const refused = channel.send('too fast');
  await settle();
  const [{ id: second }] = call.socket.take('send');
  await call.socket.receive({ type: 'error', code: 'limit', message: '', id: second });
  await assert.rejects(refused, { code: 'limit' });
});

test('messages of a peer arrive in the channel that it named', async () => {
  const call = await enter();
  await call.join('room', { peers: [{}] });
  await call.join('other', { peers: [{}] });
  await call.socket.receive(from('z', { channel: 'other', data: [1] }));
  await call.socket.receive(from('z', { n: 2, data: 2 }));
  const messages = call.events.filter(([type]) => type === 'message');
  assert.deepEqual(messages.map(([, id, { currentTarget, target, data }]) => [id, (currentTarget ?? target).name, data]), [
    ['z', 'other', [1]], ['z', 'room', 2],
  ]);
});

test('a plain message of another kind of client is a message too', async () => {
  const call = await enter();
  await call.join('room', { peers: [{}] });
  await call.socket.receive({ type: 'message', peer_id: 'z', channel: 'room', data: 'plain' });
  assert.deepEqual(call.events.filter(([type]) => type === 'message').map(([, id, { data }]) => [id, data]), [
    ['z', 'plain'],
  ]);
});

test('messages survive a new RTCPeerConnection', async () => {
  const call = await enter();
  const channel = await call.join('room', { peers: [{}] });
  call.socket.take();
  channel.send('kept');
  await call.describe('offer', { attempt: 1 });
  await settle();
  const [dataChannel] = call.connection.dataChannels;
  dataChannel.open();
  dataChannel.onmessage({ data: JSON.stringify({ of: 7, next: 1, to: 0, received: 0 }) });
  assert.equal(JSON.parse(dataChannel.sent.at(-1)).data, 'kept');
});

test('for await reads the messages until the channel is left', async () => {
  const call = await enter();
  const channel = await call.join('room', { peers: [{}] });
  const read = [];
  const reading = (async () => {
    for await (const { peer, data } of channel.messages()) read.push([peer.id, data]);
  })();
  for (const n of [1, 2]) await call.socket.receive(from('z', { n, data: n }));
  channel.leave();
  await reading;
  assert.deepEqual(read, [['z', 1], ['z', 2]]);
});

test('for await of a channel that was left ends at once', async () => {
  const call = await enter();
  const channel = await call.join('room', { peers: [{}] });
  channel.leave();
  const read = [];
  channel.messages().next().then(({ done }) => read.push(done));
  await settle();
  assert.deepEqual(read, [true]);
});

test('for await ends by its signal, and when the loop is left', async () => {
  const call = await enter();
  const channel = await call.join('room', { peers: [{}] });
  const stop = new AbortController();
  const iterator = channel.messages({ signal: stop.signal });
  const next = iterator.next();
  await settle();
  stop.abort();
  assert.deepEqual(await next, { value: undefined, done: true });
  const other = channel.messages();
  const first = other.next();
  await call.socket.receive(from('z', { data: 1 }));
  assert.equal((await first).value.data, 1);
  assert.equal((await other.return()).done, true);
});

test('who does not read while 1,025 messages wait is told', async () => {
  const call = await enter();
  const channel = await call.join('room', { peers: [{}] });
  const iterator = channel.messages();
  const first = iterator.next();
  await call.socket.receive(from('z', { data: 1 }));
  for (let n = 2; n <= 1_026; n++) call.socket.onmessage({ data: JSON.stringify(from('z', { n, data: n })) });
  assert.equal((await first).value.data, 1);
  await assert.rejects(iterator.next(), { code: 'queue_full' });
});

test('what a peer says is on comes as mediastate: first, and with each change', async () => {
  const call = await enter();
  const media = { audio: true, video: 1, screen: false, screenId: 's' };
  const channel = await call.join('room', { peers: [{ userdata: { name: 'Z', media } }, { peer_id: 'y', userdata: 'odd' }] });
  assert.deepEqual(channel.peers.get('z').mediaState, { audio: true, video: true, screen: false });
  assert.equal(channel.peers.get('y').mediaState, null);
  const tell = (userdata) => call.socket.receive({ type: 'userdata', channel: 'room', peer_id: 'z', userdata });
  await tell({ name: 'Zoe', media });
  await tell({ name: 'Zoe', media: { ...media, audio: false } });
  assert.deepEqual(call.events.filter(([type]) => /media|userdata/.test(type)).map(([type, id, { state }]) => [type, id, state]), [
    ['mediastate', 'z', { audio: true, video: true, screen: false }],
    ['userdata', 'z', undefined],
    ['mediastate', 'z', { audio: true, video: true, screen: false }],
    ['userdata', 'z', undefined],
    ['mediastate', 'z', { audio: false, video: true, screen: false }],
  ]);
  await call.socket.receive(removePeer());
});
