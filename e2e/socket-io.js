/**
 * Pages as people write them against a small Socket.IO server, one function for each kind. All run in the page, where `io` and
 * `Peer` are the published clients, and keep what they see in `window.seen`.
 */

/** The group chat with channels: one connection for each peer, whoever is told to makes the offer. */
export async function groupChat(url, path, channels) {
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const socket = window.socket = io(url, { path });
  const peers = {};
  window.seen = { peers, errors: [] };
  socket.on('error', (error) => window.seen.errors.push(error));
  socket.on('connect', () => channels.forEach((channel) => socket.emit('join', { channel, userdata: { name: 'a page' } })));
  socket.on('addPeer', async ({ peer_id, should_create_offer }) => {
    if (peers[peer_id]) return;
    const connection = peers[peer_id] = new RTCPeerConnection({ iceServers: [] });
    connection.onicecandidate = ({ candidate }) => {
      if (!candidate) return;
      const { sdpMLineIndex, candidate: line } = candidate;
      socket.emit('relayICECandidate', { peer_id, ice_candidate: { sdpMLineIndex, candidate: line } });
    };
    media.getTracks().forEach((track) => connection.addTrack(track, media));
    if (!should_create_offer) return;
    await connection.setLocalDescription(await connection.createOffer());
    socket.emit('relaySessionDescription', { peer_id, session_description: connection.localDescription });
  });
  socket.on('sessionDescription', async ({ peer_id, session_description }) => {
    const connection = peers[peer_id];
    await connection.setRemoteDescription(session_description);
    if (session_description.type !== 'offer') return;
    await connection.setLocalDescription(await connection.createAnswer());
    socket.emit('relaySessionDescription', { peer_id, session_description: connection.localDescription });
  });
  socket.on('iceCandidate', ({ peer_id, ice_candidate }) => peers[peer_id].addIceCandidate(ice_candidate));
  socket.on('removePeer', ({ peer_id }) => {
    peers[peer_id]?.close();
    delete peers[peer_id];
  });
}

/** A room for two: who was there first makes the offer when the second is ready. */
export async function roomForTwo(url, room) {
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const socket = window.socket = io(url);
  const seen = window.seen = { events: [] };
  const connect = () => {
    const connection = seen.connection = new RTCPeerConnection({ iceServers: [] });
    connection.onicecandidate = ({ candidate }) => candidate && socket.emit('candidate', candidate, room);
    media.getTracks().forEach((track) => connection.addTrack(track, media));
    return connection;
  };
  socket.onAny((...event) => seen.events.push(event.slice(0, 2).map((part) => (typeof part === 'string' ? part : typeof part)).join(' ')));
  socket.on('joined', () => socket.emit('ready', room));
  socket.on('ready', async () => {
    const connection = connect();
    const offer = await connection.createOffer();
    await connection.setLocalDescription(offer);
    socket.emit('offer', offer, room);
  });
  socket.on('offer', async (offer) => {
    const connection = connect();
    await connection.setRemoteDescription(offer);
    const answer = await connection.createAnswer();
    await connection.setLocalDescription(answer);
    socket.emit('answer', answer, room);
  });
  socket.on('answer', (answer) => seen.connection.setRemoteDescription(answer));
  socket.on('candidate', (candidate) => seen.connection.addIceCandidate(candidate));
  socket.on('leave', () => seen.connection?.close());
  socket.emit('join', room);
}

/** A meeting: the server says who is there, PeerJS makes the calls. */
export async function meetingRoom(url, port, room) {
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const socket = window.socket = io(url, { transports: ['polling'] });
  const seen = window.seen = { users: [], toggled: [], calls: {} };
  const peer = new Peer({ host: '127.0.0.1', port, config: { iceServers: [] } });
  peer.on('call', (call) => {
    call.answer(media);
    seen.calls[call.peer] = call;
  });
  socket.on('existing-users', (users) => {
    seen.users.push(...users);
    for (const user of users) seen.calls[user] = peer.call(user, media);
  });
  socket.on('user-connected', (user) => seen.users.push(user));
  socket.on('user-disconnected', (user) => {
    seen.users = seen.users.filter((other) => other !== user);
    seen.calls[user]?.close();
  });
  socket.on('mic-toggled', (...what) => seen.toggled.push(what));
  seen.id = await new Promise((resolve) => peer.on('open', resolve));
  socket.emit('join-room', room, seen.id);
}

/** Strangers: who has waited calls who comes. */
export async function stranger(url, port) {
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const socket = window.socket = io(url);
  const seen = window.seen = { met: [] };
  const peer = new Peer({ host: '127.0.0.1', port, config: { iceServers: [] } });
  peer.on('call', (call) => call.answer(media));
  socket.on('new_member', (id) => {
    seen.met.push(id);
    peer.call(id, media);
  });
  seen.id = await new Promise((resolve) => peer.on('open', resolve));
  socket.emit('wantToJoin', seen.id);
}
