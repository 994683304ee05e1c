/** A client in a channel, in a fake world; the tests play the server and the other peers. */
import { connect } from '../client.js';
import { FakeClock, fakePeerConnection, fakeWebSocket, sdp, settle } from './fakes.js';

let hosts = 0;

/** @param {{ peerId?: string, welcome?: object }} [options] */
export async function enter({ peerId = 'm', welcome = {}, ...options } = {}) {
  const clock = new FakeClock();
  const WebSocket = fakeWebSocket();
  WebSocket.answersPing = true;
  const RTCPeerConnection = fakePeerConnection();
  globalThis.RTCPeerConnection = RTCPeerConnection;
  const connecting = connect(`ws://call${++hosts}/signal`, { WebSocket, ...options });
  await settle();
  await WebSocket.last.open();
  await WebSocket.last.welcome({ peer_id: peerId, ...welcome });
  const client = await connecting;
  const events = [];

  const call = {
    clock, WebSocket, RTCPeerConnection, client, events,
    get socket() {
      return WebSocket.last;
    },
    get connection() {
      return RTCPeerConnection.last;
    },

    /** Joins, and answers for the server. */
    async join(name, { peers = [], ...joinOptions } = {}) {
      const joining = client.join(name, joinOptions);
      const watched = joining.then(call.watch);
      watched.catch(() => {});
      await settle();
      const request = call.socket.take('join').at(-1);
      await call.socket.receive({ type: 'joined', channel: name, peers: peers.length, id: request.id });
      for (const peer of peers) await call.socket.receive(addPeer({ channel: name, ...peer }));
      await settle();
      return watched;
    },

    watch(channel) {
      for (const type of ['peer', 'peerleave', 'track', 'userdata', 'mediastate', 'message', 'file', 'close']) {
        channel.addEventListener(type, (event) => events.push([type, event.peer?.id, event]));
      }
      return channel;
    },

    /** What the client relayed since the last call: kind, attempt and connection id. */
    relayed() {
      return call.socket.take('relaySessionDescription', 'relayICECandidate')
        .map((frame) => [frame.session_description?.type ?? 'candidate', frame.attempt, frame.connection_id]);
    },

    async describe(type, fields = {}, text = sdp('remote.0', 'remote')) {
      await call.socket.receive({ type: 'sessionDescription', peer_id: 'z', session_description: { type, sdp: text }, ...fields });
    },

    async candidate(candidate, fields = {}) {
      await call.socket.receive({ type: 'iceCandidate', peer_id: 'z', ice_candidate: candidate, ...fields });
    },

    async reconnect(welcomeFields) {
      await call.socket.drop();
      await clock.advance(300);
      await call.socket.open();
      await call.socket.welcome({ peer_id: peerId, ...welcomeFields });
    },
  };
  return call;
}

export function addPeer(fields = {}) {
  return { type: 'addPeer', channel: 'room', peer_id: 'z', should_create_offer: true, connection_id: 'e.5', userdata: null, ...fields };
}

export function removePeer(fields = {}) {
  return { type: 'removePeer', channel: 'room', peer_id: 'z', reason: 'parted', ...fields };
}
