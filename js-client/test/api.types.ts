// Compiled, never run: what the types promise to those who write against them.
import { connect, SignalingChannel, SignalingError, type Channel, type Client, type Peer } from '../client.js';

const stop = new AbortController();
const client: Client = await connect('/signal', {
  token: async () => 'token',
  signal: stop.signal,
  reconnect: { maxDelay: 15_000 },
  configuration: { iceTransportPolicy: 'relay' },
  debug: (event: string) => void event,
});
client.addEventListener('state', ({ state, error }) => {
  const known: 'connecting' | 'connected' | 'reconnecting' | 'closed' = state;
  const code: string | undefined = error?.code;
  void [known, code];
});

declare const media: MediaStream;
declare const track: MediaStreamTrack;
const channel: Channel = await client.join('room', { userdata: { name: 'Ann' }, media, signal: stop.signal });
channel.addEventListener('peer', ({ peer, initial }) => void [peer.id.length, initial === true]);
channel.addEventListener('peerleave', ({ peer, reason }) => void [peer.state, reason.length]);
channel.addEventListener('track', ({ peer, streams, transceiver }) => void [peer, streams[0]?.id, transceiver.mid]);
channel.addEventListener('message', ({ peer, peerId, data }) => void [peer?.id, peerId.length, data], { once: true });
channel.addEventListener('close', ({ error }) => void error?.message);
channel.addEventListener('mediastate', ({ peer, state }) => void [peer.mediaState, state?.screen === true]);
channel.addEventListener('quality', ({ peer, level, roundTripTime }) => void [peer.id, level === 'lost', (roundTripTime ?? 0) > 1]);
channel.addEventListener('file', async ({ peer, file }) => {
  if (file.size > 1e9) return file.decline();
  const blob: Blob = await file.accept({ onprogress: ({ bytes, size }) => void (bytes / size) }).blob();
  await peer.sendFile(blob, { name: file.name, signal: stop.signal, onprogress: ({ bytes }) => void bytes });
});
for await (const { peer, data } of channel.messages({ signal: stop.signal })) void [peer?.id, data];
const stranger: Channel = await client.match('lobby', { media, signal: stop.signal });
await stranger.next({ signal: stop.signal });
channel.addTrack(track, media);
channel.replaceTrack(track, null);
channel.removeTrack(track);

const peer: Peer | undefined = channel.peers.get('id');
const statistics: Promise<RTCStatsReport> | undefined = peer?.connection.getStats();
peer?.addEventListener('state', ({ state }) => void (state === 'reconnecting'));
await channel.send({ any: 'thing' }, { to: peer });
await channel.setUserdata(null);
await channel.leave();

// @ts-expect-error No such event.
channel.addEventListener('noise', () => {});
// @ts-expect-error The field is called `peer`.
channel.addEventListener('peer', ({ member }) => void member);
// @ts-expect-error Peers come and go with the server's messages only.
channel.peers.clear();
// @ts-expect-error Read only.
client.peerId = 'x';
// @ts-expect-error Options are an object, with names.
client.join('room', true);

const signaling = new SignalingChannel(() => new URL('https://example.org/signal'));
signaling.addEventListener('addPeer', ({ message }) => void (message.should_create_offer ? message.connection_id : null));
const count: number = (await signaling.request({ type: 'join', channel: 'room', userdata: 1 }, stop.signal)).peers;
signaling.request({ type: 'send', peer_id: 'id', data: 1 }).catch((error: SignalingError) => void error.code);
void [count, statistics];

{
  await using scope = await connect('/signal');
  await using room = await scope.join('room');
  void room;
}
