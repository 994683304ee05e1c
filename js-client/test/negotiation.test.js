import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addPeer, enter, removePeer } from './call.js';
import { fakeStream, sdp, settle } from './fakes.js';

const answerer = { should_create_offer: false };

/** In a call with `z`, who is impolite to `m` and polite to `zz`. */
async function negotiated({ peerId = 'm', peer = {}, media } = {}) {
  const call = await enter({ peerId });
  const channel = await call.join('room', { peers: [peer], media });
  await call.describe(peer.should_create_offer === false ? 'offer' : 'answer');
  call.relayed();
  return { call, channel };
}

test('the offerer offers at once, audio and video, even with nothing to send', async () => {
  const call = await enter();
  await call.join('room', { peers: [{}] });
  assert.deepEqual(call.relayed(), [['offer', 0, 'e.5']]);
  assert.deepEqual(call.connection.getTransceivers().map((t) => [t.receiver.track.kind, t.direction]), [
    ['audio', 'recvonly'], ['video', 'recvonly'],
  ]);
});

test('the answerer waits, and answers over the transceivers of the offer', async () => {
  const call = await enter();
  const media = fakeStream('video');
  const channel = await call.join('room', { peers: [answerer], media });
  const [extra] = fakeStream('audio').getTracks();
  channel.addTrack(extra, media);
  await settle();
  assert.deepEqual(call.relayed(), []);
  await call.describe('offer');
  assert.deepEqual(call.relayed(), [['answer', 0, 'e.5']]);
  assert.deepEqual(call.connection.getTransceivers().map((t) => [t.sender.track, t.direction]), [
    [extra, 'sendrecv'], [media.getTracks()[0], 'sendrecv'],
  ]);
});

test('a camera that was off takes the transceiver that waits for it', async () => {
  const call = await enter();
  const media = fakeStream('video');
  const [camera] = media.getTracks();
  const channel = await call.join('room', { media });
  channel.replaceTrack(camera, null);
  await call.socket.receive(addPeer());
  await call.describe('answer');
  const states = () => call.connection.getTransceivers().map((t) => [t.sender.track, t.direction]);
  assert.deepEqual(states(), [[null, 'recvonly'], [null, 'recvonly']]);
  channel.replaceTrack(camera, camera);
  await settle();
  assert.deepEqual(states(), [[null, 'recvonly'], [camera, 'sendrecv']]);
});

test('a transceiver is used again for the same stream, and stopped when neither side sends', async () => {
  const media = fakeStream('video');
  const { call, channel } = await negotiated({ media });
  const transceiver = call.connection.getTransceivers()[1];
  const state = () => [transceiver.sender.track, transceiver.direction, call.connection.getTransceivers().length];
  channel.removeTrack(media.getTracks()[0]);
  await settle();
  assert.deepEqual(state(), [null, 'recvonly', 2]);
  const [other] = fakeStream('video').getTracks();
  channel.addTrack(other, media);
  await settle();
  assert.deepEqual(state(), [other, 'sendrecv', 2]);
  transceiver.currentDirection = 'sendonly';
  channel.removeTrack(other);
  await settle();
  assert.deepEqual(state(), [null, 'stopped', 2]);
  channel.addTrack(other, media);
  await settle();
  assert.deepEqual(call.connection.getTransceivers()[2].sender.track, other);
  assert.equal(call.RTCPeerConnection.all.length, 1);
});

test('candidates wait for the first description, stale ones and a bad one harm nobody', async () => {
  const call = await enter();
  await call.join('room', { peers: [answerer] });
  await call.candidate({ candidate: 'early', usernameFragment: 'remote.0' });
  await call.candidate({ candidate: 'old', usernameFragment: 'remote.1' });
  await call.describe('offer');
  await call.candidate({ candidate: 'bad' });
  await call.candidate(null);
  await call.candidate({ candidate: '', usernameFragment: 'remote.0' });
  assert.deepEqual(call.connection.candidates.map(({ candidate }) => candidate), ['early', 'bad', '']);
});

test('our candidates are relayed, the empty one too, the null one not', async () => {
  const { call } = await negotiated();
  call.connection.gather('one');
  call.connection.gather('');
  call.connection.onicecandidate({ candidate: null });
  assert.deepEqual(call.socket.take('relayICECandidate').map(({ ice_candidate: { candidate } }) => candidate), ['one', '']);
});

test('when offers collide, the polite side takes its own back', async () => {
  const { call, channel } = await negotiated({ peerId: 'm' });
  channel.addTrack(fakeStream('video').getTracks()[0], fakeStream());
  await settle();
  assert.deepEqual(call.relayed(), [['offer', 0, 'e.5']]);
  await call.describe('offer');
  assert.deepEqual(call.relayed(), [['answer', 0, 'e.5']]);
  assert.equal(call.RTCPeerConnection.all.length, 1);
});

test('when offers collide, the impolite side ignores the other', async () => {
  const { call, channel } = await negotiated({ peerId: 'zz' });
  channel.addTrack(fakeStream('video').getTracks()[0], fakeStream());
  await settle();
  call.relayed();
  await call.describe('offer', {}, sdp('ignored', 'remote'));
  await call.candidate({ candidate: 'of the ignored offer', usernameFragment: 'ignored' });
  assert.deepEqual(call.relayed(), []);
  await call.describe('answer');
  assert.deepEqual([call.connection.signalingState, call.connection.candidates], ['stable', []]);
});

test('an answer that nobody waits for, and a rollback from afar, do nothing', async () => {
  const { call } = await negotiated();
  await call.describe('answer', {}, 'rubbish');
  await call.describe('rollback', {}, 'rubbish');
  assert.equal(call.RTCPeerConnection.all.length, 1);
});

test('two first offers: the polite side starts over and answers, without a rollback', async () => {
  const call = await enter({ peerId: 'm' });
  await call.join('room', { peers: [{}] });
  call.relayed();
  // All at once: two wait while the first is handled.
  call.candidate(null);
  call.describe('offer');
  await call.candidate({ candidate: 'behind it', usernameFragment: 'remote.0' });
  assert.deepEqual(call.relayed(), [['answer', 0, 'e.5']]);
  assert.deepEqual(call.RTCPeerConnection.all.map(({ signalingState }) => signalingState), ['closed', 'stable']);
  assert.equal(call.connection.candidates.length, 1);
});

test('two first offers: the impolite side goes on', async () => {
  const call = await enter({ peerId: 'zz' });
  await call.join('room', { peers: [{}] });
  call.relayed();
  await call.describe('offer');
  assert.deepEqual([call.relayed(), call.RTCPeerConnection.all.length], [[], 1]);
});

test('a higher attempt is followed, a lower one is dropped', async () => {
  const { call } = await negotiated();
  await call.describe('offer', { attempt: 2 }, sdp('remote.9', 'second'));
  await call.candidate({ candidate: 'c', usernameFragment: 'remote.9' }, { attempt: 2 });
  assert.deepEqual(call.relayed(), [['answer', 2, 'e.5']]);
  assert.deepEqual(call.RTCPeerConnection.all.map(({ signalingState }) => signalingState), ['closed', 'stable']);
  assert.equal(call.connection.candidates.length, 1);
  await call.describe('offer', { attempt: 1 }, 'rubbish');
  assert.equal(call.RTCPeerConnection.all.length, 2);
});

test('who was overtaken by a higher attempt does not offer before it has answered', async () => {
  const { call, channel } = await negotiated();
  await call.candidate({ candidate: 'c' }, { attempt: 1 });
  channel.addTrack(fakeStream('video').getTracks()[0], fakeStream());
  await settle();
  assert.deepEqual(call.relayed(), []);
});

test('an offer with another certificate is from a new connection, and gets one', async () => {
  const { call } = await negotiated();
  await call.describe('offer', {}, sdp('new', 'another'));
  assert.deepEqual(call.relayed(), [['answer', 0, 'e.5']]);
  assert.equal(call.RTCPeerConnection.all.length, 2);
});

test('an answer with another certificate raises the attempt', async () => {
  const { call } = await negotiated();
  call.connection.restartIce();
  await settle();
  await call.describe('answer', {}, sdp('new', 'another'));
  assert.deepEqual(call.relayed(), [['offer', 0, 'e.5'], ['offer', 1, 'e.5']]);
});

test('rubbish from the other side is answered by new connections, three at most', async () => {
  const { call } = await negotiated();
  call.connection.restartIce();
  await settle();
  for (const attempt of [0, 1, 2, 3, 3, 3]) await call.describe('answer', { attempt }, 'rubbish');
  assert.equal(call.RTCPeerConnection.all.length, 4);
});

test('a connection that somebody else closed is replaced when the other side speaks', async () => {
  const { call } = await negotiated();
  call.connection.close();
  call.connection.setRemoteDescription = async () => {
    throw new DOMException('', 'InvalidStateError');
  };
  await call.describe('offer');
  assert.deepEqual(call.relayed(), [['offer', 1, 'e.5']]);
});

test('no candidate within 3 s of the answer: a new connection, three at most', async () => {
  const { call } = await negotiated();
  await call.clock.advance(3_000);
  assert.deepEqual(call.relayed(), [['offer', 1, 'e.5']]);
  for (const attempt of [1, 2, 3, 3]) {
    await call.describe('answer', { attempt });
    await call.clock.advance(3_000);
  }
  assert.equal(call.RTCPeerConnection.all.length, 4);
});

test('with a candidate, or ICE under way, the watchdog is content', async () => {
  const { call } = await negotiated();
  call.connection.gather();
  await call.clock.advance(3_000);
  assert.equal(call.RTCPeerConnection.all.length, 1);
});

async function live(options) {
  const context = await negotiated(options);
  context.call.connection.gather();
  context.call.connection.connect();
  context.call.relayed();
  return context;
}

test('disconnected for 4 s: the offerer restarts ICE, once', async () => {
  const { call, channel } = await live();
  const peer = channel.peers.get('z');
  assert.equal(peer.state, 'connected');
  call.connection.connect('disconnected');
  assert.equal(peer.state, 'reconnecting');
  await call.clock.advance(3_999);
  assert.equal(call.connection.restarts, 0);
  await call.clock.advance(1);
  assert.deepEqual([call.connection.restarts, call.relayed()], [1, [['offer', 0, 'e.5']]]);
  call.connection.connect();
  await call.clock.advance(60_000);
  assert.deepEqual([peer.state, call.connection.restarts, call.RTCPeerConnection.all.length], ['connected', 1, 1]);
});

test('failed: the offerer restarts at once, the answerer leaves it 8 s', async () => {
  const offerer = await live();
  offerer.call.connection.connect('failed');
  await offerer.call.clock.advance(0);
  assert.equal(offerer.call.connection.restarts, 1);

  const { call } = await live({ peer: answerer });
  call.connection.connect('failed');
  await call.clock.advance(7_999);
  assert.equal(call.connection.restarts, 0);
  await call.clock.advance(1);
  assert.equal(call.connection.restarts, 1);
});

test('a blip is left to ICE', async () => {
  const { call } = await live();
  call.connection.connect('disconnected');
  await call.clock.advance(2_000);
  call.connection.connect();
  await call.clock.advance(20_000);
  assert.equal(call.connection.restarts, 0);
});

test('a restart that does not help is followed by a new connection, and nothing is closed for good', async () => {
  const { call, channel } = await live();
  call.connection.connect('failed');
  await call.clock.advance(15_000);
  assert.deepEqual(call.relayed(), [['offer', 0, 'e.5'], ['offer', 1, 'e.5']]);
  await call.clock.advance(1_000_000);
  assert.equal(call.RTCPeerConnection.all.length, 3);
  assert.equal(channel.peers.get('z').state, 'reconnecting');
});

test('ICE restarts and new connections take turns, in the end there are only ICE restarts', async () => {
  const { call } = await live();
  call.connection.connect('failed');
  for (const [delay, attempt] of [[0, 0], [15_000, 1], [20_000, 1], [45_000, 1], [60_000, 1], [60_000, 1]]) {
    await call.clock.advance(delay);
    assert.deepEqual(call.relayed(), [['offer', attempt, 'e.5']]);
    await call.describe('answer', { attempt });
    call.connection.gather();
    call.relayed();
  }
});

test('while signaling is down, recovery waits for it', async () => {
  for (const state of ['failed', 'disconnected']) {
    const { call } = await live();
    await call.socket.drop();
    call.connection.connect(state);
    await call.clock.advance(200);
    assert.equal(call.connection.restarts, 0);
    await call.socket.open();
    await call.socket.welcome({ resumed: true, received: 3 });
    await call.clock.advance(0);
    assert.equal(call.connection.restarts, 1);
  }
});

test('a peer that never negotiates gets four offers and then peace', async () => {
  const call = await enter();
  await call.join('room', { peers: [{}] });
  await call.clock.advance(1_000_000);
  assert.deepEqual(call.relayed().map(([type, attempt]) => `${type} ${attempt}`), ['offer 0', 'offer 1', 'offer 2', 'offer 3']);
});

test('introduced again and not connected: a pending offer is repeated, else the offerer restarts ICE', async () => {
  for (const [answered, expected] of [[false, 0], [true, 1]]) {
    const call = await enter();
    await call.join('room', { peers: [{}] });
    if (answered) await call.describe('answer');
    await call.reconnect({ resumed: false });
    const [{ id }] = call.socket.take('join');
    await call.socket.receive({ type: 'joined', channel: 'room', peers: 1, id }, addPeer({ connection_id: 'f.1' }));
    await call.clock.advance(0);
    assert.deepEqual([call.relayed(), call.connection.restarts], [[['offer', 0, 'f.1']], expected]);
  }
});

test('the introduction with the smallest position names the connection, and the first one settles who offers', async () => {
  const call = await enter();
  await call.join('one', { peers: [{ connection_id: 'e.9', should_create_offer: false }] });
  await call.join('two', { peers: [{ connection_id: 'e.10' }] });
  await call.socket.receive(removePeer({ channel: 'one' }));
  assert.deepEqual(call.relayed(), []);
  await call.describe('offer', { connection_id: 'e.10' });
  assert.deepEqual(call.relayed(), [['answer', 0, 'e.10']]);
});

test('positions are compared as numbers, and may be too big for one', async () => {
  for (const [one, two, smallest] of [['9', '10', '9'], ['18446744073709551615', '18446744073709551614', '18446744073709551614']]) {
    const call = await enter();
    await call.join('one', { peers: [{ connection_id: `e.${one}` }] });
    await call.join('two', { peers: [{ connection_id: `e.${two}` }] });
    call.connection.gather();
    assert.deepEqual(call.relayed(), [['candidate', 0, `e.${smallest}`]]);
  }
});

test('a description that came too late for its introduction is said again for the other one', async () => {
  const call = await enter();
  await call.join('one', { peers: [{ connection_id: 'e.9' }] });
  await call.join('two', { peers: [{ connection_id: 'e.10' }] });
  call.relayed();
  const stale = { type: 'error', code: 'stale_connection', message: '', peer_id: 'z', connection_id: 'e.9' };
  await call.socket.receive(removePeer({ channel: 'one' }), stale, stale);
  assert.deepEqual(call.relayed(), [['offer', 0, 'e.10']]);
});

test('errors of the relay, relays from strangers and of introductions that are gone change nothing', async () => {
  const { call } = await negotiated();
  await call.socket.receive(
    { type: 'error', code: 'unknown_peer', message: '', peer_id: 'z' },
    { type: 'error', code: 'stale_connection', message: '', peer_id: 'nobody', connection_id: 'e.1' },
    { type: 'iceCandidate', peer_id: 'nobody', ice_candidate: {} },
  );
  await call.describe('offer', { connection_id: 'e.1' }, 'rubbish');
  assert.deepEqual([call.RTCPeerConnection.all.length, call.relayed()], [1, []]);
});
