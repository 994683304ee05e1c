// A signaling relay as one writes it with `ws`: rooms, and messages from one member to another.
import { randomUUID } from 'node:crypto';
import { WebSocketServer } from 'ws';

/** @type {Map<string, Map<string, import('ws').WebSocket>>} */
const rooms = new Map();

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });

server.on('connection', (socket) => {
  const id = randomUUID();
  let name = null;

  socket.on('message', (text) => {
    const message = JSON.parse(text);
    if (message.type === 'join' && name === null) {
      name = message.room;
      const room = rooms.get(name) ?? new Map();
      rooms.set(name, room);
      for (const [other, member] of room) {
        member.send(JSON.stringify({ type: 'peer', id, offer: false }));
        socket.send(JSON.stringify({ type: 'peer', id: other, offer: true }));
      }
      room.set(id, socket);
    } else if (message.type === 'relay') {
      const member = rooms.get(name)?.get(message.to);
      member?.send(JSON.stringify({ type: 'relay', from: id, data: message.data }));
    }
  });

  socket.on('close', () => {
    const room = rooms.get(name);
    room?.delete(id);
    if (room?.size === 0) rooms.delete(name);
  });
});

server.on('listening', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));

// Whoever started this is gone.
process.stdin.on('end', () => process.exit()).resume();
