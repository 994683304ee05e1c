import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { SignalingChannel } from '../client.js';
import { FakeClock, fakeWebSocket, settle } from './fakes.js';

/** The same files that the Rust tests read; docs/vectors/README.md says what is in them. */
const vectors = async (file) => JSON.parse(await readFile(new URL(`../../docs/vectors/${file}.json`, import.meta.url), 'utf8'));

async function connected() {
  const clock = new FakeClock();
  const WebSocket = fakeWebSocket();
  const signaling = new SignalingChannel('ws://vectors/signal', { WebSocket, storage: null });
  await settle();
  await WebSocket.last.open();
  return { signaling, clock, WebSocket, socket: WebSocket.last };
}

/** A session whose client has sent so many frames, and whose socket is another one by now. */
async function resuming(frames) {
  const { signaling, clock, WebSocket, socket } = await connected();
  await socket.welcome();
  for (let frame = 0; frame < frames; frame++) signaling.relayICECandidate('p', { candidate: '' });
  await socket.drop();
  await clock.advance(300);
  await WebSocket.last.open();
  return { signaling, socket: WebSocket.last };
}

const NOT_EVENTS = ['ok', 'ack', 'pong'];

for (const { name, frame } of await vectors('server-messages')) {
  test(`server: ${name}`, async () => {
    const { signaling, socket } = frame.resumed ? await resuming(frame.received) : await connected();
    const seen = [];
    signaling.addEventListener(frame.type, ({ message }) => seen.push(message));
    if (frame.type !== 'welcome') await socket.welcome();
    await socket.receive(frame);
    const answers = frame.type === 'error' && frame.id !== undefined;
    assert.deepEqual(seen, NOT_EVENTS.includes(frame.type) || answers ? [] : [frame]);
    assert.equal(signaling.state, 'connected');
  });
}

/** How the client says each message, given what a vector wants said. */
const SAY = {
  join: (signaling, { channel, userdata }) => signaling.join(channel, { userdata }),
  part: (signaling, { channel }) => signaling.part(channel),
  setUserdata: (signaling, { channel, userdata }) => signaling.setUserdata(channel, userdata),
  send: (signaling, { peer_id, channel, data }) => signaling.send(peer_id === undefined ? { channel } : { peerId: peer_id }, data),
  relaySessionDescription: (signaling, { peer_id, session_description, connection_id, attempt }) =>
    signaling.relaySessionDescription(peer_id, session_description, { connectionId: connection_id, attempt }),
  relayICECandidate: (signaling, { peer_id, ice_candidate, connection_id, attempt }) =>
    signaling.relayICECandidate(peer_id, ice_candidate, { connectionId: connection_id, attempt }),
};

for (const { name, frame } of await vectors('client-messages')) {
  const say = SAY[frame.type];
  // Keys that the protocol does not know are the vector's own, and not the client's to say.
  if (!say || /unknown|further|other keys/i.test(name)) continue;
  test(`client: ${name}`, async () => {
    const { signaling, socket } = await connected();
    await socket.welcome();
    say(signaling, frame);
    const [{ id, ...said }] = socket.take();
    const { id: _, ...wanted } = frame;
    assert.deepEqual(said, wanted);
  });
}
