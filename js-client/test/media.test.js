import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { LocalMedia } from '../client.js';
import { addPeer, enter, removePeer } from './call.js';
import { FakeMediaDevices, FakeMediaStream, fakeTrack, settle } from './fakes.js';

globalThis.MediaStream = FakeMediaStream;

beforeEach(() => {
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { mediaDevices: new FakeMediaDevices() } });
});

const both = { audio: true, video: true };
const names = (events) => events.map(([type, id]) => `${type} ${id}`);
const sent = (connection) => connection.getTransceivers().map(({ sender }) => sender.track?.deviceId ?? null);

/** What we told the server about us since the last call: userdata, by type of request. */
const told = (call) => call.socket.take('join', 'match', 'setUserdata').map(({ type, userdata: { media, ...rest } }) =>
  [type, rest, Object.keys(media).filter((key) => media[key] === true).join(' ')]);

async function inRoom(options) {
  const media = await LocalMedia.open(both);
  const call = await enter();
  const channel = await call.join('room', { peers: [{}], media, ...options });
  return { media, call, channel };
}

// ---- LocalMedia in a channel

test('what LocalMedia has is sent, to those who are there and to those who come, and follows it', async () => {
  const { media, call } = await inRoom();
  const [first] = call.RTCPeerConnection.all;
  assert.deepEqual(sent(first), ['mic', 'front']);
  assert.ok(first.getTransceivers().every(({ sender }) => sender.streams[0] === media.stream));
  await media.switchDevice('video', 'back');
  await settle();
  await call.socket.receive(addPeer({ peer_id: 'y', connection_id: 'e.6' }));
  assert.deepEqual(call.RTCPeerConnection.all.map(sent), [['mic', 'back'], ['mic', 'back']]);
  await media.setEnabled('video', false);
  await media.shareScreen();
  await settle();
  assert.deepEqual(call.RTCPeerConnection.all.map(sent), [['mic', null, 'screen'], ['mic', null, 'screen']]);
});

test('what is on is said when we join, and with each change, beside our userdata', async () => {
  const media = await LocalMedia.open(both);
  const call = await enter();
  const joining = call.client.join('room', { media, userdata: { name: 'Ann' } });
  await settle();
  const [{ id, userdata }] = call.socket.take('join');
  assert.deepEqual(userdata, { name: 'Ann', media: { audio: true, video: true, screen: false, screenId: media.screen.id } });
  await call.socket.receive({ type: 'joined', channel: 'room', peers: 0, id });
  const channel = await joining;
  await media.setEnabled('audio', false);
  assert.deepEqual(told(call).at(-1), ['setUserdata', { name: 'Ann' }, 'video']);
  channel.setUserdata({ name: 'Anna' });
  assert.deepEqual(told(call), [['setUserdata', { name: 'Anna' }, 'video']]);
  assert.deepEqual(channel.userdata, { name: 'Anna' });
  await call.reconnect({ resumed: false });
  assert.deepEqual(told(call), [['join', { name: 'Anna' }, 'video']]);
});

test('a mute while we join is said, too', async () => {
  const media = await LocalMedia.open(both);
  const call = await enter();
  call.client.join('room', { media });
  await media.setEnabled('audio', false);
  assert.deepEqual(told(call).at(-1), ['setUserdata', {}, 'video']);
});

test('a mute while we join again is said, too', async () => {
  const { media, call } = await inRoom();
  await call.reconnect({ resumed: false });
  await media.setEnabled('audio', false);
  assert.deepEqual(told(call).at(-1), ['setUserdata', {}, 'video']);
});

test('a mute while we wait for a stranger is said when we meet', async () => {
  const media = await LocalMedia.open(both);
  const call = await enter();
  const matching = call.client.match('pool', { media });
  await settle();
  assert.deepEqual(told(call), [['match', {}, 'audio video']]);
  await media.setEnabled('audio', false);
  await call.socket.receive({ type: 'matched', pool: 'pool', channel: '~1' });
  await matching;
  assert.deepEqual(told(call), [['setUserdata', {}, 'video']]);
});

test('LocalMedia in two channels is sent once, and said in both', async () => {
  const { media, call, channel } = await inRoom();
  await call.join('other', { peers: [{ connection_id: 'e.9' }], media });
  assert.deepEqual(sent(call.connection), ['mic', 'front']);
  call.socket.take();
  await media.setEnabled('audio', false);
  assert.deepEqual([...new Set(call.socket.take('setUserdata').map((frame) => frame.channel))], ['room', 'other']);
  channel.leave();
  await settle();
  assert.deepEqual(sent(call.connection), ['mic', 'front']);
});

test('a track that is added beside LocalMedia stays in its channel', async () => {
  const { media, call, channel } = await inRoom();
  const track = fakeTrack('video');
  channel.addTrack(track, media.stream);
  await settle();
  assert.equal(call.connection.getTransceivers()[2].sender.track, track);
  await call.join('other', { peers: [{ peer_id: 'y', connection_id: 'e.9' }], media });
  assert.deepEqual(sent(call.connection), ['mic', 'front']);
});

test('after the channel was left, LocalMedia changes nothing there', async () => {
  const { media, call, channel } = await inRoom();
  channel.leave();
  call.socket.take();
  await media.setEnabled('audio', false);
  await settle();
  assert.deepEqual(call.socket.take(), []);
});

test('userdata that has no room for the media state is refused', async () => {
  const { media, call, channel } = await inRoom({ userdata: { name: 'Ann' } });
  call.socket.take();
  const options = { media, userdata: 'Ann' };
  await assert.rejects(call.client.join('other', options), TypeError);
  await assert.rejects(call.client.match('pool', options), TypeError);
  assert.throws(() => channel.setUserdata('Ann'), TypeError);
  assert.deepEqual([call.socket.take(), channel.userdata], [[], { name: 'Ann' }]);
  call.client.match('pool');
  await call.join('other', { userdata: 'Ann' });
});

test('a camera that comes on later takes the place that waits for it, whoever offered', async () => {
  for (const should_create_offer of [true, false]) {
    const media = await LocalMedia.open({ audio: true });
    const call = await enter();
    await call.join('room', { peers: [{ should_create_offer }], media });
    await call.describe(should_create_offer ? 'answer' : 'offer');
    call.relayed();
    await media.setEnabled('video', true);
    await settle();
    assert.deepEqual([sent(call.connection), call.relayed()], [['mic', 'front'], [['offer', 0, 'e.5']]]);
    await call.describe('answer');
    await media.setEnabled('video', false);
    await media.setEnabled('video', true);
    await settle();
    assert.deepEqual([sent(call.connection), call.relayed()], [['mic', 'front'], []]);
  }
});

test('a screen that is shared before the first offer of the other side comes with the answer', async () => {
  const { media, call } = await inRoom({ peers: [{ should_create_offer: false }] });
  await media.shareScreen();
  await settle();
  assert.deepEqual([sent(call.connection), call.relayed()], [[], []]);
  await call.describe('offer');
  assert.deepEqual([sent(call.connection), call.relayed()[0]], [['mic', 'front', 'screen'], ['answer', 0, 'e.5']]);
});

test('a screen that is gone before its offer is answered leaves nothing behind', async () => {
  const { media, call } = await inRoom();
  await call.describe('answer');
  await media.shareScreen();
  await settle();
  media.stopScreen();
  await settle();
  await call.describe('answer');
  const screen = call.connection.getTransceivers()[2];
  assert.deepEqual([screen.sender.track, screen.direction], [null, 'recvonly']);
});

// ---- Tracks

test('the source of a track is what the peer says about its stream', async () => {
  const call = await enter();
  const media = { audio: true, video: true, screen: true, screenId: 's' };
  await call.join('room', { peers: [{ userdata: { media } }] });
  const receive = (kind, ...streams) => call.connection.ontrack({ track: fakeTrack(kind), streams, transceiver: {} });
  for (const stream of [{ id: 's' }, { id: 'other' }]) for (const kind of ['audio', 'video']) receive(kind, stream);
  receive('video');
  await call.socket.receive({ type: 'userdata', channel: 'room', peer_id: 'z', userdata: 'odd' });
  receive('video', { id: 's' });
  assert.deepEqual(call.events.filter(([type]) => type === 'track').map(([, , { source }]) => source), [
    'screen', 'screen', 'microphone', 'camera', 'camera', 'camera',
  ]);
});

test('a track that came a moment before the second channel is told there', async () => {
  const call = await enter();
  await call.join('one', { peers: [{ should_create_offer: false }] });
  call.connection.ontrack({ track: fakeTrack('video'), streams: [], transceiver: { currentDirection: null } });
  await call.join('two', { peers: [{ connection_id: 'e.9' }] });
  assert.deepEqual(names(call.events), ['peer z', 'track z', 'peer z', 'track z']);
});

// ---- Quality

test('quality is measured once somebody listens, every 2 s, of those who were once connected, until the end', async () => {
  const call = await enter();
  const channel = await call.join('room', { peers: [{}, { peer_id: 'y', connection_id: 'e.6' }] });
  const [first, second] = call.RTCPeerConnection.all;
  const measured = [];
  for (const connection of [first, second]) {
    const { getStats, name } = connection;
    connection.getStats = () => {
      measured.push(name);
      return getStats();
    };
  }
  first.connect();
  await call.clock.advance(4_000);
  assert.deepEqual(measured, []);
  const levels = [];
  channel.addEventListener('quality', ({ peer, level }) => levels.push([peer.id, level]));
  await call.clock.advance(1_999);
  assert.deepEqual(levels, [['z', 'excellent']]);
  await call.clock.advance(1);
  first.connect('disconnected');
  second.connect();
  await call.clock.advance(2_000);
  assert.deepEqual(levels.slice(1), [['z', 'excellent'], ['z', 'lost'], ['y', 'excellent']]);
  await call.socket.receive(removePeer());
  await call.clock.advance(2_000);
  assert.deepEqual(levels.slice(4), [['y', 'excellent']]);
  call.client.close();
  measured.length = 0;
  await call.clock.advance(2_000);
  assert.deepEqual([measured, call.clock.next], [[], Infinity]);
});

test('who listens for quality after the end starts nothing', async () => {
  const { call, channel } = await inRoom();
  call.client.close();
  channel.addEventListener('quality', () => {});
  assert.equal(call.clock.next, Infinity);
});
