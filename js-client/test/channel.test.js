import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../client.js';
import { addPeer, enter, removePeer } from './call.js';
import { FakeClock, fakeStream, fakeTrack, fakeWebSocket, settle } from './fakes.js';

const names = (events) => events.map(([type, id]) => `${type} ${id}`);
const senders = (connection) => connection.getTransceivers().map(({ sender }) => sender.track);

test('connect rejects when the server does not answer in time', async () => {
  const clock = new FakeClock();
  const options = { WebSocket: fakeWebSocket() };
  const connecting = connect('ws://nobody/signal', options);
  connecting.catch(() => {});
  await clock.advance(20_000);
  await assert.rejects(connecting, { code: 'timeout' });
});

test('listeners that are added after join miss nothing of the next message, which a browser delivers in another task', async () => {
  const call = await enter();
  const joining = call.client.join('room', { userdata: 1 });
  await settle();
  const { onmessage } = call.socket;
  onmessage({ data: JSON.stringify({ type: 'joined', channel: 'room', peers: 1, id: 1 }) });
  setImmediate(() => onmessage({ data: JSON.stringify(addPeer({ userdata: { name: 'Zoe' } })) }));
  const channel = await joining;
  assert.equal(channel.peers.size, 0);
  call.watch(channel);
  await settle();
  assert.deepEqual(names(call.events), ['peer z']);
  const [[, , event]] = call.events;
  assert.deepEqual([event.initial, event.peer.userdata, event.peer.state], [true, { name: 'Zoe' }, 'connecting']);
  assert.equal(channel.peers.get('z'), event.peer);
});

test('the host of a star is known, also after another one has followed', async () => {
  const call = await enter();
  const channel = await call.join('room', { peers: [{ host: true }] });
  assert.equal(channel.peers.get('z').host, true);
  await call.socket.receive(addPeer({ peer_id: 'y', connection_id: 'e.6' }));
  assert.equal(channel.peers.get('y').host, undefined);
  await call.socket.receive(removePeer(), addPeer({ peer_id: 'y', connection_id: 'e.7', host: true }));
  assert.equal(channel.peers.get('y').host, true);
});

test('peers come and go, change their userdata and speak', async () => {
  const call = await enter();
  const channel = await call.join('room', { peers: [{ identity: 'zoe@example.org' }] });
  const peer = channel.peers.get('z');
  const states = [];
  peer.addEventListener('state', ({ state }) => states.push(state));
  await call.socket.receive(
    addPeer({ peer_id: 'y', connection_id: 'e.6', should_create_offer: false }),
    { type: 'userdata', channel: 'room', peer_id: 'z', userdata: 2 },
    { type: 'message', channel: 'room', peer_id: 'y', data: 'all' },
    { type: 'message', channel: 'room', data: 'the server' },
    removePeer(),
  );
  assert.deepEqual(names(call.events), [
    'peer z', 'peer y', 'userdata z', 'message y', 'message undefined', 'peerleave z',
  ]);
  assert.deepEqual([call.events[0][2].initial, call.events[1][2].initial], [true, false]);
  assert.deepEqual([peer.userdata, peer.identity, peer.state, states], [2, 'zoe@example.org', 'closed', ['closed']]);
  assert.deepEqual([...channel.peers.keys()], ['y']);
  assert.equal(call.RTCPeerConnection.all[0].signalingState, 'closed');
});

test('a message that belongs to no channel is an event of the client', async () => {
  const call = await enter();
  const messages = [];
  call.client.addEventListener('message', ({ peerId, data }) => messages.push([peerId, data]));
  await call.join('room', { peers: [{}] });
  await call.socket.receive({ type: 'message', data: 'hello' }, { type: 'message', peer_id: 'stranger', data: 1 }, { type: 'message', peer_id: 'z', data: 2 });
  assert.deepEqual(messages, [['', 'hello'], ['stranger', 1], ['z', 2]]);
});

test('join rejects with the code of the server, and the name is free again', async () => {
  const call = await enter();
  const joining = call.client.join('room');
  await settle();
  await assert.rejects(call.client.join('room'), { code: 'already_joined' });
  await call.socket.receive({ type: 'error', code: 'channel_full', message: 'full', channel: 'room', id: 1 });
  await assert.rejects(joining, { code: 'channel_full' });
  await call.join('room');
});

test('setUserdata goes to the server', async () => {
  const call = await enter();
  const channel = await call.join('room', { peers: [{}] });
  call.socket.take();
  const told = channel.setUserdata({ muted: true });
  const [{ id, ...frame }] = call.socket.take('setUserdata');
  assert.deepEqual(frame, { type: 'setUserdata', channel: 'room', userdata: { muted: true } });
  await call.socket.receive({ type: 'ok', id });
  await told;
  assert.deepEqual(channel.userdata, { muted: true });
});

test('leave lets go of everybody at once', async () => {
  const call = await enter();
  const channel = await call.join('room', { peers: [{}] });
  const leaving = channel.leave();
  assert.deepEqual(names(call.events), ['peer z', 'peerleave z', 'close undefined']);
  assert.equal(call.connection.signalingState, 'closed');
  const [{ id, type }] = call.socket.take('part');
  await call.socket.receive({ type: 'parted', channel: 'room', id }, removePeer());
  await leaving;
  await channel.leave();
  assert.deepEqual([type, call.events.length], ['part', 3]);
});

test('who leaves as soon as somebody comes leaves nothing behind', async () => {
  const call = await enter();
  const channel = await call.join('room');
  await call.join('other');
  channel.addEventListener('peer', () => channel.leave().catch(() => {}));
  await call.socket.receive(addPeer({ should_create_offer: false }));
  assert.deepEqual([call.connection.signalingState, names(call.events)], ['closed', ['peer z', 'peerleave z', 'close undefined']]);
  const [{ id }] = call.socket.take('part');
  await call.socket.receive({ type: 'parted', channel: 'room', id }, removePeer());
  await call.clock.advance(60_000);
  assert.equal(call.RTCPeerConnection.all.length, 1);
  call.client.close();
  assert.equal(call.clock.next, Infinity);
});

test('setUserdata of nothing is null', async () => {
  const call = await enter();
  const channel = await call.join('room', { userdata: 1 });
  channel.setUserdata(undefined);
  assert.equal(call.socket.take('setUserdata')[0].userdata, null);
});

test('who is kicked out of a channel is told', async () => {
  const call = await enter();
  await call.join('room', { peers: [{}] });
  await call.socket.receive({ type: 'parted', channel: 'room' }, removePeer());
  assert.deepEqual(names(call.events), ['peer z', 'peerleave z', 'close undefined']);
  assert.equal(call.events[2][2].error.code, 'kicked');
});

test('the end of the session closes the channels with its reason', async () => {
  const call = await enter();
  await call.join('room', { peers: [{}] });
  await call.socket.drop(4004, 'kicked');
  assert.equal(call.client.state, 'closed');
  assert.equal(call.events.at(-1)[2].error.code, 'kicked');
  assert.equal(call.connection.signalingState, 'closed');
});

test('media goes to those who are there and to those who come', async () => {
  const call = await enter();
  const media = fakeStream('audio', 'video');
  const [audio, video] = media.getTracks();
  const channel = await call.join('room', { peers: [{}], media });
  const [first] = call.RTCPeerConnection.all;
  assert.deepEqual(senders(first), [audio, video]);
  assert.ok(first.getTransceivers().every(({ sender }) => sender.streams[0] === media));

  const [screen] = fakeStream('video').getTracks();
  channel.addTrack(screen, media);
  channel.addTrack(screen, media);
  await settle();
  await call.socket.receive(addPeer({ peer_id: 'y', connection_id: 'e.6' }));
  assert.deepEqual(senders(first), [audio, video, screen]);
  assert.deepEqual(senders(call.connection), [audio, video, screen]);
  channel.removeTrack(screen);
  await settle();
  assert.deepEqual(senders(first), [audio, video, null]);
});

test('a track can be replaced by nothing and come back, also for those who came in between', async () => {
  const call = await enter();
  const media = fakeStream('audio', 'video');
  const [audio, video] = media.getTracks();
  const channel = await call.join('room', { peers: [{}], media });
  channel.replaceTrack(video, null);
  await settle();
  await call.socket.receive(addPeer({ peer_id: 'y', connection_id: 'e.6' }));
  assert.deepEqual(call.RTCPeerConnection.all.map(senders), [[audio, null], [audio, null]]);
  const other = fakeTrack('video');
  channel.replaceTrack(video, other);
  await settle();
  assert.deepEqual(call.RTCPeerConnection.all.map(senders), [[audio, other], [audio, other]]);
  assert.throws(() => channel.replaceTrack(video, null), { code: 'unknown_track' });
  assert.throws(() => channel.replaceTrack(other, audio), TypeError);
});

test('a track that was replaced by nothing can be added again', async () => {
  const call = await enter();
  const channel = await call.join('room', { peers: [{}] });
  const stream = fakeStream('audio');
  const [track] = stream.getTracks();
  channel.addTrack(track, stream);
  channel.replaceTrack(track, null);
  channel.addTrack(track, stream);
  await settle();
  assert.deepEqual(senders(call.connection), [track, null]);
  channel.replaceTrack(track, null);
  channel.removeTrack(track);
  channel.addTrack(track, stream);
  await settle();
  assert.deepEqual(senders(call.connection), [track, null]);
});

test('two channels share one connection, each with a peer and a userdata of its own', async () => {
  const call = await enter();
  const media = fakeStream('video');
  const one = await call.join('one', { peers: [{ userdata: 1 }], media });
  const two = await call.join('two', { peers: [{ userdata: 2, connection_id: 'e.9' }], media });
  const [a, b] = [one.peers.get('z'), two.peers.get('z')];
  assert.deepEqual([a.userdata, b.userdata, a.connection === b.connection], [1, 2, true]);
  assert.deepEqual(senders(call.connection).filter(Boolean), media.getTracks());

  one.leave();
  await settle();
  assert.deepEqual([a.state, b.state, call.connection.signalingState], ['closed', 'connecting', 'have-local-offer']);
  assert.deepEqual(senders(call.connection).filter(Boolean), media.getTracks());
  await call.socket.receive(removePeer({ channel: 'two' }));
  assert.deepEqual([b.state, call.connection.signalingState], ['closed', 'closed']);
});

test('tracks are events of each channel, also of one that is joined later', async () => {
  const call = await enter();
  await call.join('one', { peers: [{}] });
  const track = fakeTrack('video');
  call.connection.ontrack({ track, streams: ['s'], transceiver: { currentDirection: 'recvonly' } });
  await call.join('two', { peers: [{ connection_id: 'e.9' }] });
  assert.deepEqual(names(call.events), ['peer z', 'track z', 'peer z', 'track z']);
  assert.deepEqual([call.events[3][2].track, call.events[3][2].streams], [track, ['s']]);
});

test('after the server forgot us, those who are introduced again stay, the others go after 20 s', async () => {
  const call = await enter();
  const channel = await call.join('room', { peers: [{}, { peer_id: 'y' }], userdata: 1 });
  channel.setUserdata(2);
  const [first] = call.RTCPeerConnection.all;
  first.connect();
  await call.reconnect({ resumed: false });
  const [request] = call.socket.take('join');
  assert.deepEqual(request.userdata, 2);
  await call.socket.receive(
    { type: 'joined', channel: 'room', peers: 1, id: request.id },
    addPeer({ connection_id: 'f.1', userdata: 'new', should_create_offer: false }),
  );
  assert.deepEqual(names(call.events), ['peer z', 'peer y', 'userdata z']);
  assert.equal(channel.peers.get('z').connection, first);
  await call.clock.advance(19_000);
  assert.equal(channel.peers.size, 2);
  await call.clock.advance(1_000);
  assert.deepEqual([...channel.peers.keys()], ['z']);
  assert.equal(call.events.at(-1)[2].reason, 'lost');
  assert.notEqual(first.signalingState, 'closed');
});

test('the seat that the server named last is shown when it has started again', async () => {
  const call = await enter();
  const joining = call.client.join('room');
  await settle();
  const [first] = call.socket.take('join');
  assert.equal('seat' in first, false);
  await call.socket.receive({ type: 'joined', channel: 'room', peers: 0, seat: 's1', id: first.id });
  await joining;
  for (const [shown, given] of [['s1', undefined], ['s1', 's2'], ['s2', 's3']]) {
    await call.clock.advance(5_000); // The next socket is tried soon.
    await call.reconnect({ resumed: false });
    const [{ seat, id }] = call.socket.take('join');
    assert.equal(seat, shown);
    await call.socket.receive({ type: 'joined', channel: 'room', peers: 0, seat: given, id });
  }
});

test('an offer that was lost with the session is made again, also on a connection that works', async () => {
  const call = await enter();
  const channel = await call.join('room', { peers: [{}] });
  await call.describe('answer');
  call.connection.connect();
  const [track] = fakeStream('video').getTracks();
  channel.addTrack(track, fakeStream());
  await settle();
  assert.deepEqual(call.relayed().at(-1), ['offer', 0, 'e.5']);
  await call.reconnect({ resumed: false });
  const [{ id }] = call.socket.take('join');
  await call.socket.receive({ type: 'joined', channel: 'room', peers: 1, id }, addPeer({ connection_id: 'f.1' }));
  assert.deepEqual(call.relayed(), [['offer', 0, 'f.1']]);
});

test('under a new peer id we meet everybody anew', async () => {
  const call = await enter();
  const channel = await call.join('room', { peers: [{}] });
  const [first] = call.RTCPeerConnection.all;
  first.connect();
  await call.reconnect({ resumed: false, peer_id: 'other' });
  const [request] = call.socket.take('join');
  assert.deepEqual([first.signalingState, channel.peers.size], ['closed', 0]);
  await call.socket.receive({ type: 'joined', channel: 'room', peers: 1, id: request.id }, addPeer({ connection_id: 'f.1' }));
  assert.deepEqual(call.relayed(), [['offer', 0, 'f.1']]);
  assert.deepEqual(names(call.events), ['peer z', 'peerleave z', 'peer z']);
  assert.equal(call.events[1][2].reason, 'lost');
});

test('rejoining is tried again while the server is not ready, and given up on a refusal', async () => {
  const call = await enter();
  await call.join('room');
  await call.reconnect({ resumed: false });
  await call.socket.receive({ type: 'error', code: 'unavailable', message: '', id: call.socket.take('join')[0].id });
  await call.clock.advance(500);
  await call.socket.receive({ type: 'error', code: 'channel_full', message: '', id: call.socket.take('join')[0].id });
  assert.equal(call.events.at(-1)[2].error.code, 'channel_full');
});

test('a join survives a lost session', async () => {
  const call = await enter();
  const joining = call.client.join('room');
  await settle();
  await call.reconnect({ resumed: false });
  const requests = call.socket.take('join');
  assert.equal(requests.length, 1);
  await call.socket.receive({ type: 'joined', channel: 'room', peers: 0, id: requests[0].id });
  assert.equal((await joining).name, 'room');
});

test('nothing touches the connections while the socket is down or resumed', async () => {
  const call = await enter();
  await call.join('room', { peers: [{}] });
  call.connection.connect();
  await call.reconnect({ resumed: true, received: 2 });
  assert.deepEqual([call.RTCPeerConnection.all.length, call.connection.connectionState], [1, 'connected']);
  assert.deepEqual(call.socket.take('join'), []);
  assert.deepEqual(names(call.events), ['peer z']);
});

test('new ICE servers reach live connections and later ones, unless the page has its own', async () => {
  const [old, fresh] = [[{ urls: 'stun:old' }], [{ urls: 'turn:fresh' }]];
  const call = await enter({ welcome: { ice_servers: old }, configuration: { iceTransportPolicy: 'relay' } });
  await call.join('room', { peers: [{}] });
  assert.deepEqual(call.connection.configuration, { iceServers: old, iceTransportPolicy: 'relay' });
  await call.socket.receive({ type: 'iceServers', ice_servers: fresh, ttl_ms: 1 });
  assert.deepEqual(call.connection.configuration.iceServers, fresh);
  await call.reconnect({ resumed: true, received: 2 });
  await call.socket.receive(addPeer({ peer_id: 'y', connection_id: 'e.6' }));
  assert.deepEqual(call.connection.configuration.iceServers, fresh);

  const own = await enter({ welcome: { ice_servers: old }, configuration: { iceServers: fresh } });
  await own.join('room', { peers: [{}] });
  assert.deepEqual(own.connection.configuration.iceServers, fresh);
});
