import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from './fakes.js';
import { connected, reconnect, start } from './session.js';

/** The same numbers in each run, as evenly spread as one can ask of chance (mulberry32). */
function chance(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** In how many milliseconds each of many clients tries again, after the n-th failure in a row. */
async function delays(failures, welcome) {
  const random = chance(7);
  const drawn = [];
  for (let client = 0; client < 300; client++) {
    const { clock, socket } = await connected();
    await socket().welcome(welcome);
    clock.random = random;
    await socket().drop();
    for (let failure = 1; failure < failures; failure++) {
      await clock.advance(clock.next);
      await socket().drop();
    }
    drawn.push(clock.next);
  }
  return drawn;
}

for (const [failures, grace_ms, ceiling] of [[1, 15_000, 250], [2, 15_000, 500], [5, 60_000, 2_000], [5, 6_000, 1_000], [7, 0, 15_000]]) {
  test(`after ${failures} failures, with ${grace_ms} ms of grace, clients fill 0 to ${ceiling} ms and are not in step`, async () => {
    const drawn = await delays(failures, { resume: { token: 't', grace_ms } });
    const tenths = new Array(10).fill(0);
    for (const delay of drawn) tenths[Math.floor((delay / ceiling) * 10)]++;
    assert.equal(tenths.length, 10, 'none is later than the ceiling');
    assert.ok(tenths.every((count) => count > 15 && count < 50), String(tenths));
    assert.ok(new Set(drawn).size > 290);
  });
}

test('a drained server gets its clients back no earlier than it said, each a little later', async () => {
  const drawn = [];
  for (const at of [0, 0.5, 1]) {
    const { clock, socket } = await connected();
    clock.chance = at;
    await socket().receive({ type: 'closing', reconnect_after_ms: 3_000 });
    await socket().drop(1001);
    drawn.push(clock.next);
  }
  assert.deepEqual(drawn, [3_000, 3_125, 3_250]);
});

test('a drained server is waited for once, and even if it dies without a word', async () => {
  const { clock, socket } = await connected();
  clock.chance = 1;
  await socket().receive({ type: 'closing', reconnect_after_ms: 3_000 });
  await socket().drop(1006);
  assert.equal(clock.next, 3_250);
  await clock.advance(3_250);
  await socket().drop();
  assert.equal(clock.next, 500);
});

test('close 4002 before the welcome comes back with back-off', async () => {
  const { signaling, clock, socket } = await start();
  clock.chance = 1;
  const drawn = [];
  for (let attempt = 0; attempt < 6; attempt++) {
    await socket().open();
    await socket().receive({ type: 'error', code: 'unavailable', message: 'no decision' });
    await socket().drop(4002, 'hello_timeout');
    drawn.push(clock.next);
    await clock.advance(clock.next);
  }
  assert.deepEqual(drawn, [250, 500, 1_000, 2_000, 4_000, 8_000]);
  assert.equal(signaling.state, 'connecting');
});

test('close 4002 of a socket that wanted to resume keeps the session', async () => {
  const context = await connected();
  await reconnect(context);
  await context.socket().drop(4002, 'hello_timeout');
  await context.clock.advance(500);
  await context.socket().open();
  assert.deepEqual(context.socket().sent[0].resume, { token: 't1', received: 0 });
});

test('success that lasts less than 5 s does not start the back-off anew', async () => {
  const context = await connected();
  await reconnect(context, { resumed: true });
  context.clock.chance = 1;
  await context.clock.advance(4_999);
  await context.socket().drop();
  assert.equal(context.clock.next, 500);
});

test('a server that restarted and knows us: the same peer id, and a new session', async () => {
  const context = await connected();
  const { signaling, socket } = context;
  const parting = signaling.request({ type: 'part', channel: 'a' });
  await socket().receive({ type: 'future' });
  const events = [];
  signaling.addEventListener('welcome', ({ message }) => events.push([message.resumed, message.peer_id, signaling.state]));
  await reconnect(context, { resumed: false, peer_id: 'me', resume: { token: 't2', grace_ms: 15_000 } });
  await assert.rejects(parting, { code: 'session_lost' });
  assert.deepEqual([events, signaling.peerId, socket().take()], [[[false, 'me', 'connected']], 'me', []]);

  await reconnect(context);
  assert.deepEqual(socket().sent, [{ type: 'hello', version: 1, resume: { token: 't2', received: 0 } }]);
});

test('requests that are made while a lost session is not yet replaced belong to the new one', async () => {
  const context = await connected();
  const { signaling, socket, clock } = context;
  await socket().drop(4005);
  signaling.request({ type: 'part', channel: 'a' });
  await clock.advance(5_300);
  await socket().open();
  await socket().welcome();
  assert.deepEqual(socket().take().map(({ type }) => type), ['part']);
});

test('online, while it waits for the next attempt, connects now, and the attempt that was due is not made', async () => {
  const { signaling, socket, clock, WebSocket } = await connected();
  clock.chance = 1;
  await socket().drop();
  signaling.wake();
  signaling.wake();
  await settle();
  assert.equal(WebSocket.all.length, 2);
  await socket().open();
  await socket().welcome({ resumed: true });
  await clock.advance(300);
  assert.deepEqual([WebSocket.all.length, socket().take()], [2, []]);
});

test('a page that is put aside while it waits for the next attempt does not make it', async () => {
  const { signaling, socket, clock, WebSocket } = await connected();
  await socket().drop();
  signaling.suspend();
  await clock.advance(60_000);
  assert.equal(WebSocket.all.length, 1);
});

test('an attempt that is under way is neither doubled by wake nor disturbed by what comes before the welcome', async () => {
  const { signaling, socket, clock, WebSocket } = await start();
  signaling.wake();
  await socket().open();
  await socket().receive({ type: 'error', code: 'unavailable', message: '' });
  signaling.wake();
  socket().onerror({});
  await clock.advance(9_999);
  assert.deepEqual([WebSocket.all.length, socket().sent.map(({ type }) => type)], [1, ['hello']]);
  await clock.advance(301);
  assert.equal(WebSocket.all.length, 2);
});

test('a token that fails too late harms nobody', async () => {
  const failures = [];
  const token = () => new Promise((resolve, reject) => (failures.length ? resolve('second') : failures.push(reject)));
  const { signaling, socket } = await start({ token });
  signaling.suspend();
  signaling.wake();
  await settle();
  await socket().open();
  await socket().welcome();
  failures[0](new Error('late'));
  await settle();
  assert.equal(signaling.state, 'connected');
});

test('a token that never comes is given up after 10 s, and ignored if it comes late', async () => {
  const tokens = [];
  const { clock, socket, WebSocket } = await start({ token: () => new Promise((resolve) => tokens.push(resolve)) });
  await clock.advance(10_300);
  assert.equal(tokens.length, 2);
  tokens[1]('in time');
  await settle();
  tokens[0]('late');
  await settle();
  assert.equal(WebSocket.all.length, 1);
  await socket().open();
  assert.equal(socket().sent[0].token, 'in time');
});

for (const [what, options, url] of [
  ['token function rejects', { token: async () => { throw new Error('offline'); } }],
  ['token function throws', { token: () => { throw new Error('offline'); } }],
  ['url function rejects', {}, async () => { throw new Error('offline'); }],
  ['url function returns no url', {}, () => 'http://'],
]) {
  test(`a ${what}: one more failed attempt each time, with back-off`, async () => {
    const downs = [];
    const { signaling, clock } = await start({ ...options, debug: (event, { reason }) => downs.push([event, reason]) }, url);
    clock.chance = 1;
    await clock.advance(10_000);
    assert.equal(signaling.state, 'connecting');
    assert.ok(downs.length > 3 && downs.length < 7, String(downs.length));
    assert.ok(downs.every(([event, reason]) => event === 'down' && /offline|Invalid URL/.test(reason)), String(downs));
  });
}

test('a url that is none is an error at once', async () => {
  await assert.rejects(start({}, 'http://'), TypeError);
});

test('a relative or http url, also from a function, opens a WebSocket there', async () => {
  for (const url of ['http://host/signal', () => new URL('http://host/signal'), async () => 'http://host/signal']) {
    const { socket } = await start({}, url);
    assert.equal(socket().url, 'ws://host/signal');
  }
});

test('why the server refuses is said in its words, and not in those of an older error', async () => {
  for (const [code, words, expected] of [[4003, 'The exam is over', 'The exam is over'], [4003, undefined, 'unauthorized']]) {
    const { signaling, socket } = await start();
    await socket().open();
    if (words) await socket().receive({ type: 'error', code: 'unauthorized', message: words });
    await socket().drop(code);
    await assert.rejects(signaling.ready, { code: 'unauthorized', message: expected });
  }

  const { signaling, socket, clock } = await start();
  const errors = [];
  signaling.addEventListener('state', ({ error }) => error && errors.push(error.message));
  await socket().open();
  await socket().receive({ type: 'error', code: 'unavailable', message: 'no decision' });
  await socket().drop(4002);
  await clock.advance(300);
  await socket().open();
  await socket().welcome();
  await socket().receive({ type: 'error', code: 'unknown_peer', message: 'who?' });
  await socket().drop(4004);
  assert.deepEqual(errors, ['kicked']);
});

/** Where an abort may find the channel. */
const STAGES = {
  'while the token is awaited': (options) => start({ ...options, token: () => new Promise(() => {}) }),
  'while the socket opens': (options) => start(options),
  'before the welcome': async (options) => {
    const context = await start(options);
    await context.socket().open();
    return context;
  },
  'in a session': (options) => connected(options),
  'while it waits for the next attempt': async (options) => {
    const context = await connected(options);
    await context.socket().drop();
    return context;
  },
  'before a resumed session is welcomed': async (options) => {
    const context = await connected(options);
    await reconnect(context);
    return context;
  },
  'while it is put aside': async (options) => {
    const context = await connected(options);
    context.signaling.suspend();
    return context;
  },
};

for (const [stage, reach] of Object.entries(STAGES)) {
  test(`abort ${stage}: closed for good, and bye only where the server expects it`, async () => {
    const controller = new AbortController();
    const { signaling, socket, clock, WebSocket } = await reach({ signal: controller.signal });
    const waiting = signaling.request({ type: 'join', channel: 'a' });
    const states = [];
    signaling.addEventListener('state', ({ state, error }) => states.push([state, error?.code, error?.message]));
    controller.abort(new Error('enough'));
    await assert.rejects(waiting, { code: 'aborted', message: 'enough' });
    assert.deepEqual(states, [['closed', 'aborted', 'enough']]);
    assert.equal(clock.next, Infinity, 'no timer is left');
    if (socket()) assert.deepEqual(socket().take('bye').length, stage === 'in a session' ? 1 : 0);
    const sockets = WebSocket.all.length;
    await clock.advance(60_000);
    assert.equal(WebSocket.all.length, sockets);
    assert.ok(WebSocket.all.every(({ readyState }) => readyState === 3));
  });
}

test('closed by a listener that hears of the loss, it does not come back', async () => {
  const { signaling, socket, clock, WebSocket } = await connected();
  signaling.addEventListener('state', ({ state }) => state === 'reconnecting' && signaling.close());
  await socket().drop();
  await clock.advance(60_000);
  assert.deepEqual([signaling.state, WebSocket.all.length], ['closed', 1]);
});

test('what is said after the end goes nowhere', async () => {
  const { signaling, socket, clock, WebSocket } = await connected();
  signaling.close();
  socket().take();
  signaling.relay({ type: 'relayICECandidate', peer_id: 'p', ice_candidate: { candidate: '' } });
  await assert.rejects(signaling.request({ type: 'match', pool: 'chat' }), { code: 'closed' });
  await clock.advance(60_000);
  assert.deepEqual([socket().take(), WebSocket.all.length], [[], 1]);
});
