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
  const signaling = new SignalingChannel('ws://vectors/signal', { WebSocket });
  await settle();
  await WebSocket.last.open();
  return { signaling, clock, WebSocket, socket: WebSocket.last };
}

/** A session whose client has sent so many frames, and whose socket is another one by now. */
async function resuming(frames) {
  const { signaling, clock, WebSocket, socket } = await connected();
  await socket.welcome();
  for (let frame = 0; frame < frames; frame++) signaling.relay({ type: 'relayICECandidate', peer_id: 'p', ice_candidate: { candidate: '' } });
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

const REQUESTS = ['join', 'part', 'setUserdata', 'send', 'match', 'cancelMatch'];
const RELAYS = ['relaySessionDescription', 'relayICECandidate'];

for (const { name, frame } of await vectors('client-messages')) {
  const isRequest = REQUESTS.includes(frame.type);
  if (!isRequest && !RELAYS.includes(frame.type)) continue;
  test(`client: ${name}`, async () => {
    const { signaling, socket } = await connected();
    await socket.welcome();
    const { id: _, ...wanted } = frame;
    if (isRequest) signaling.request(wanted);
    else signaling.relay(wanted);
    const [{ id, ...said }] = socket.take();
    assert.deepEqual(said, wanted);
  });
}
