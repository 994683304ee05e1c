// The group chat that is usual with Socket.IO: all in a channel are introduced to each other, and who comes later offers.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

/** @type {Map<string, Map<string, import('socket.io').Socket>>} */
const channels = new Map();

const server = createServer();
const io = new Server(server);

io.on('connection', (socket) => {
  const joined = new Set();

  const part = (channel) => {
    if (!joined.delete(channel)) return;
    const members = channels.get(channel);
    members.delete(socket.id);
    if (members.size === 0) channels.delete(channel);
    for (const [id, member] of members) {
      member.emit('removePeer', { peer_id: socket.id });
      socket.emit('removePeer', { peer_id: id });
    }
  };

  socket.on('join', ({ channel }) => {
    if (joined.has(channel)) return;
    joined.add(channel);
    const members = channels.get(channel) ?? new Map();
    channels.set(channel, members);
    for (const [id, member] of members) {
      member.emit('addPeer', { peer_id: socket.id, should_create_offer: false });
      socket.emit('addPeer', { peer_id: id, should_create_offer: true });
    }
    members.set(socket.id, socket);
  });
  socket.on('part', part);
  socket.on('disconnect', () => joined.forEach(part));

  socket.on('relayICECandidate', ({ peer_id, ice_candidate }) => {
    io.sockets.sockets.get(peer_id)?.emit('iceCandidate', { peer_id: socket.id, ice_candidate });
  });
  socket.on('relaySessionDescription', ({ peer_id, session_description }) => {
    io.sockets.sockets.get(peer_id)?.emit('sessionDescription', { peer_id: socket.id, session_description });
  });
});

server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));

// Whoever started this is gone.
process.stdin.on('end', () => process.exit()).resume();
