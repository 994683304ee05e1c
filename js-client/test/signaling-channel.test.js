import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { MAX_UNACKNOWLEDGED } from '../client/limits.js';
import { settle } from './fakes.js';
import { connected, reconnect, start } from './session.js';

afterEach(() => delete globalThis.sessionStorage);

const addPeer = { type: 'addPeer', channel: 'a', peer_id: 'p', should_create_offer: false, connection_id: 'e.1', userdata: null };
const acks = (socket) => socket.sent.filter(({ type }) => type === 'ack').map(({ received }) => received);

test('says hello, gives its token and is ready with the welcome', async () => {
  const { signaling, socket } = await start({ token: async () => 'secret' });
  assert.equal(signaling.state, 'connecting');
  await socket().open();
  assert.deepEqual(socket().sent, [{ type: 'hello', version: 1, token: 'secret' }]);
  await socket().welcome();
  await signaling.ready;
  assert.deepEqual([signaling.state, signaling.peerId], ['connected', 'me']);
});

test('requests are answered by id, before and after the welcome', async () => {
  const { signaling, socket } = await start();
  const joining = signaling.request({ type: 'join', channel: 'a', userdata: { name: 'Ann' } });
  await socket().open();
  assert.deepEqual(socket().take(), []);
  await socket().welcome();
  assert.deepEqual(socket().take(), [{ type: 'join', channel: 'a', userdata: { name: 'Ann' }, id: 1 }]);
  await socket().receive({ type: 'joined', channel: 'a', peers: 2, id: 1 });
  assert.equal((await joining).peers, 2);

  const full = signaling.request({ type: 'join', channel: 'b' });
  await socket().receive({ type: 'error', code: 'channel_full', message: 'full', id: 2 });
  await assert.rejects(full, { name: 'SignalingError', code: 'channel_full', message: 'full' });
});

test('errors that answer nothing are events, and so is everything else, but for unknown types', async () => {
  const { signaling, socket } = await connected();
  const events = [];
  for (const type of ['error', 'addPeer', 'future']) signaling.addEventListener(type, ({ message }) => events.push(message));
  const error = { type: 'error', code: 'unknown_peer', message: '', peer_id: 'x' };
  await socket().receive(error, addPeer, { type: 'future' }, 'not JSON', 'null');
  assert.deepEqual(events, [error, addPeer]);
});

test('acknowledges each 32 counted frames, or after a second, undecodable and unknown ones included', async () => {
  const { socket, clock } = await connected();
  await socket().receive(addPeer, 'not JSON', { type: 'future' }, { type: 'pong' }, { type: 'ack', received: 0 });
  await clock.advance(999);
  assert.deepEqual(acks(socket()), []);
  await clock.advance(1);
  assert.deepEqual(acks(socket()), [3]);
  await socket().receive(...new Array(32).fill(addPeer));
  assert.deepEqual(acks(socket()), [3, 35]);
  await clock.advance(5_000);
  assert.deepEqual(acks(socket()), [3, 35]);
});

test('the second of an acknowledgement runs from the first frame it is for', async () => {
  const { socket, clock } = await connected();
  await socket().receive(...new Array(31).fill(addPeer));
  assert.deepEqual(acks(socket()), []);
  await socket().receive(addPeer);
  assert.deepEqual(acks(socket()), [32]);
  await clock.advance(700);
  await socket().receive(addPeer);
  await clock.advance(700);
  await socket().receive(addPeer);
  assert.deepEqual(acks(socket()), [32]);
  await clock.advance(300);
  assert.deepEqual(acks(socket()), [32, 34]);
});

test('hello acknowledges what was not when the socket was lost, and the counting of 32 starts anew', async () => {
  const context = await connected();
  const { socket, clock } = context;
  await socket().receive(...new Array(20).fill(addPeer));
  await reconnect(context, { resumed: true });
  assert.equal(socket().sent[0].resume.received, 20);
  await clock.advance(2_000);
  assert.deepEqual(acks(socket()), []);
  await socket().receive(...new Array(31).fill(addPeer));
  assert.deepEqual(acks(socket()), []);
  await socket().receive(addPeer);
  assert.deepEqual(acks(socket()), [52]);
});

test('an acknowledgement that cannot be is ignored', async () => {
  const context = await connected();
  const { signaling, socket } = context;
  for (const channel of ['a', 'b', 'c']) signaling.request({ type: 'part', channel });
  await socket().receive(...[2, 1, 4, -1, 'x', undefined].map((received) => ({ type: 'ack', received })));
  await reconnect(context, { resumed: true, received: 2 });
  assert.deepEqual(socket().take().map(({ channel }) => channel), ['c']);
});

test('a resumed session sends again what the server has not got, in order, and nothing twice', async () => {
  const context = await connected();
  const { signaling, socket } = context;
  for (const channel of ['a', 'b', 'c']) signaling.request({ type: 'part', channel });
  await socket().receive({ type: 'ack', received: 1 }, addPeer);
  await reconnect(context);
  assert.deepEqual(socket().sent, [{ type: 'hello', version: 1, resume: { token: 't1', received: 1 } }]);
  signaling.request({ type: 'part', channel: 'd' });
  await socket().welcome({ resumed: true, received: 2, resume: { token: 't2', grace_ms: 15_000 } });
  assert.deepEqual(socket().take().map(({ channel }) => channel), ['c', 'd']);
  assert.equal(signaling.state, 'connected');

  await reconnect(context);
  assert.deepEqual(socket().sent[0].resume, { token: 't2', received: 1 });
});

test('what still comes on a socket that was left behind is not counted', async () => {
  const context = await connected();
  const old = context.socket();
  context.signaling.suspend();
  await old.receive(addPeer);
  context.signaling.wake();
  await settle();
  await context.socket().open();
  assert.equal(context.socket().sent[0].resume.received, 0);
});

test('a session that is not resumed takes its frames and its requests with it', async () => {
  const context = await connected();
  const { signaling, socket } = context;
  const parting = signaling.request({ type: 'part', channel: 'a' });
  await socket().receive(addPeer);
  const welcomes = [];
  signaling.addEventListener('welcome', ({ message }) => welcomes.push(message.resumed));
  await reconnect(context, { peer_id: 'other' });
  await assert.rejects(parting, { code: 'session_lost' });
  assert.deepEqual(socket().take(), []);
  assert.deepEqual([signaling.peerId, welcomes], ['other', [false]]);

  // Both count from 1 again.
  signaling.request({ type: 'part', channel: 'b' });
  await reconnect(context);
  assert.deepEqual(socket().sent[0].resume, { token: 't1', received: 0 });
  await socket().welcome({ resumed: true, received: 1 });
  assert.deepEqual(socket().take(), []);
});

test('a server that counts what was never sent gets a new session', async () => {
  const context = await connected();
  await reconnect(context, { resumed: true, received: 7 });
  await context.clock.advance(1_000);
  await context.socket().open();
  assert.equal(context.socket().sent[0].resume, undefined);
});

for (const [code, expected] of [[4001, 'replaced'], [4003, 'unauthorized'], [4004, 'kicked'], [4006, 'unsupported_version']]) {
  test(`close ${code} stops: ${expected}`, async () => {
    const { signaling, socket, clock, WebSocket } = await connected();
    const states = [];
    signaling.addEventListener('state', ({ state, error }) => states.push([state, error?.code]));
    await socket().drop(code, expected);
    await clock.advance(60_000);
    assert.deepEqual(states, [['closed', expected]]);
    assert.equal(WebSocket.all.length, 1);
    await assert.rejects(signaling.request({ type: 'join', channel: 'a' }), { code: 'closed' });
  });
}

for (const code of [1000, 1006, 1011, 4008, 4009, 4999]) {
  test(`close ${code} resumes at once`, async () => {
    const context = await connected();
    await reconnect(context, undefined, code);
    assert.equal(context.signaling.state, 'reconnecting');
    assert.deepEqual(context.socket().sent[0].resume, { token: 't1', received: 0 });
  });
}

for (const code of [1009, 4005, 4013]) {
  test(`close ${code} comes back late as somebody new and sends nothing again`, async () => {
    const { signaling, socket, clock, WebSocket } = await connected();
    const parting = signaling.request({ type: 'part', channel: 'a' });
    await socket().drop(code);
    await assert.rejects(parting, { code: 'session_lost' });
    await clock.advance(4_999);
    assert.equal(WebSocket.all.length, 1);
    await clock.advance(400);
    await socket().open();
    assert.equal(socket().sent[0].resume, undefined);
    await socket().welcome({ peer_id: 'new' });
    assert.deepEqual(socket().take(), []);
  });
}

test('close 1001 comes back when the server said', async () => {
  const { socket, clock, WebSocket } = await connected();
  await socket().receive({ type: 'closing', reconnect_after_ms: 3_000 });
  await socket().drop(1001);
  await clock.advance(3_000);
  assert.equal(WebSocket.all.length, 1);
  await clock.advance(300);
  assert.equal(WebSocket.all.length, 2);
});

test('the back-off is short within the grace time, grows to maxDelay after it, and starts anew after 5 s of success', async () => {
  const { socket, clock, WebSocket } = await connected({ reconnect: { maxDelay: 9_000 } });
  clock.chance = 1;
  const delays = [];
  for (let attempt = 0; attempt < 20; attempt++) {
    await socket().drop();
    delays.push(clock.next);
    await clock.advance(clock.next);
    assert.equal(WebSocket.all.length, attempt + 2);
  }
  assert.deepEqual(delays.slice(0, 5), [250, 500, 1_000, 2_000, 2_000]);
  assert.deepEqual([Math.max(...delays), delays.at(-1)], [9_000, 9_000]);

  await socket().open();
  await socket().welcome({ resumed: true });
  await clock.advance(5_000);
  await socket().drop();
  assert.equal(clock.next, 250);
});

test('a socket that does not open in 5 s, or is not welcomed in 10 s more, is given up', async () => {
  const { socket, clock, WebSocket } = await start();
  await clock.advance(5_300);
  assert.equal(WebSocket.all.length, 2);
  await socket().open();
  await clock.advance(10_500);
  assert.equal(WebSocket.all.length, 3);
});

test('a token or url function is asked for each socket, and its failure is one more failed attempt', async () => {
  let calls = 0;
  const token = () => (++calls === 1 ? Promise.reject(new Error('offline')) : `token ${calls}`);
  const { socket, clock, WebSocket } = await start({ token }, () => `http://host/signal?${calls}`);
  assert.equal(WebSocket.all.length, 0);
  await clock.advance(300);
  await socket().open();
  assert.deepEqual([socket().url, socket().sent[0].token], ['ws://host/signal?1', 'token 2']);
});

test('silence is answered by a ping, and a ping without answer by a new socket', async () => {
  const { socket, clock, WebSocket } = await connected();
  await clock.advance(24_000);
  await socket().receive({ type: 'ack', received: 0 });
  await clock.advance(24_999);
  assert.deepEqual(socket().take('ping'), []);
  await clock.advance(1);
  assert.deepEqual(socket().take('ping'), [{ type: 'ping' }]);
  await clock.advance(4_000);
  await socket().receive({ type: 'pong' });
  await clock.advance(21_000);
  assert.equal(WebSocket.all.length, 1);
  await clock.advance(4_000);
  assert.deepEqual(socket().take('ping'), [{ type: 'ping' }]);
  await clock.advance(5_300);
  assert.equal(WebSocket.all.length, 2);
});

test('wake asks at once, or connects at once', async () => {
  const { signaling, socket, clock, WebSocket } = await connected();
  signaling.wake();
  signaling.wake();
  assert.deepEqual(socket().take('ping'), [{ type: 'ping' }]);
  await clock.advance(5_000);
  assert.equal(signaling.state, 'reconnecting');
  signaling.wake();
  await settle();
  assert.equal(WebSocket.all.length, 2);
});

test('a page that is put aside closes its socket without bye, and resumes when it comes back', async () => {
  const { signaling, socket, clock, WebSocket } = await connected();
  signaling.suspend();
  assert.deepEqual([socket().closed, socket().take('bye'), signaling.state], [1000, [], 'reconnecting']);
  await clock.advance(60_000);
  assert.equal(WebSocket.all.length, 1);
  signaling.wake();
  await settle();
  await socket().open();
  assert.deepEqual(socket().sent[0].resume, { token: 't1', received: 0 });
});

test('suspended with bye, it comes back as somebody new', async () => {
  const { signaling, socket } = await connected();
  const parting = signaling.request({ type: 'part', channel: 'a' });
  signaling.suspend({ bye: true });
  assert.deepEqual([socket().take('bye').length, socket().closed], [1, 1000]);
  await assert.rejects(parting, { code: 'session_lost' });
  signaling.wake();
  await settle();
  await socket().open();
  assert.deepEqual(socket().sent, [{ type: 'hello', version: 1 }]);
});

test('close says bye, rejects what waits, and is the end', async () => {
  const { signaling, socket, clock, WebSocket } = await connected();
  const parting = signaling.request({ type: 'part', channel: 'a' });
  signaling.close();
  assert.deepEqual([socket().take('bye'), socket().closed], [[{ type: 'bye' }], 1000]);
  await assert.rejects(parting, { code: 'closed' });
  signaling.wake();
  signaling.suspend();
  await clock.advance(60_000);
  assert.deepEqual([WebSocket.all.length, signaling.state], [1, 'closed']);
});

test('an abort signal closes, even before the first socket', async () => {
  const { signaling, WebSocket } = await start({ signal: AbortSignal.abort(new Error('enough')) });
  await assert.rejects(signaling.ready, { code: 'aborted', message: 'enough' });
  assert.deepEqual([WebSocket.all.length, signaling.state], [0, 'closed']);
});

test('a join that is given up, or not answered for 20 s, is taken back', async () => {
  const { signaling, socket, clock } = await connected();
  const controller = new AbortController();
  const joining = signaling.request({ type: 'join', channel: 'a' }, controller.signal);
  controller.abort();
  await assert.rejects(joining, { code: 'aborted' });
  await settle();
  assert.deepEqual(socket().take().map(({ type }) => type), ['join', 'part']);

  const slow = signaling.request({ type: 'join', channel: 'b' });
  await clock.advance(20_000);
  await assert.rejects(slow, { code: 'timeout' });
  await settle();
  assert.deepEqual(socket().take('join', 'part').map(({ type }) => type), ['join', 'part']);
});

test('a join that is given up before it is said is not said', async () => {
  const { signaling, socket } = await connected();
  await assert.rejects(signaling.request({ type: 'join', channel: 'a' }, AbortSignal.abort()), { code: 'aborted' });
  await settle();
  assert.deepEqual(socket().take(), []);
});

test('a join that was answered is not taken back', async () => {
  const { signaling, socket, clock } = await connected();
  const controller = new AbortController();
  const joining = signaling.request({ type: 'join', channel: 'a' }, controller.signal);
  await socket().receive({ type: 'joined', channel: 'a', peers: 0, id: 1 });
  assert.equal((await joining).peers, 0);
  controller.abort();
  await clock.advance(20_000);
  assert.deepEqual(socket().take('join', 'part').map(({ type }) => type), ['join']);
});

test('too_large: a request is told, a relay is an event, and both leave the session alone', async () => {
  const { signaling, socket } = await connected();
  const errors = [];
  signaling.addEventListener('error', ({ message }) => errors.push(message.code));
  const sending = signaling.request({ type: 'send', channel: 'a', data: 'x' });
  const error = { type: 'error', code: 'too_large', message: 'above 64 KiB' };
  await socket().receive({ ...error, id: 1 }, error);
  await assert.rejects(sending, { code: 'too_large', message: 'above 64 KiB' });
  assert.deepEqual([errors, signaling.state], [['too_large'], 'connected']);
});

test('what is above 64 KiB is not even said: the server would not say to whom it answers, or end the session', async () => {
  const { signaling, socket } = await connected();
  const join = (userdata) => signaling.request({ type: 'join', channel: 'a', userdata });
  for (const userdata of ['x'.repeat(65_536), 'é'.repeat(40_000)]) await assert.rejects(join(userdata), { code: 'too_large' });
  signaling.relay({ type: 'relayICECandidate', peer_id: 'p', ice_candidate: { candidate: 'x'.repeat(1 << 20) } });
  assert.deepEqual([socket().take(), signaling.state], [[], 'connected']);
  join('x'.repeat(65_400));
  assert.equal(socket().take().length, 1);
});

test('a match resolves with the first answer, and what comes of waiting are events', async () => {
  const { signaling, socket } = await connected();
  const events = [];
  for (const type of ['waiting', 'matched', 'matchEnded']) signaling.addEventListener(type, ({ message }) => events.push(message));
  const matching = signaling.request({ type: 'match', pool: 'chat', userdata: 1, leave: 'a' });
  signaling.request({ type: 'cancelMatch', pool: 'chess' });
  assert.deepEqual(socket().take(), [
    { type: 'match', pool: 'chat', userdata: 1, leave: 'a', id: 1 },
    { type: 'cancelMatch', pool: 'chess', id: 2 },
  ]);
  const answers = [
    { type: 'waiting', pool: 'chat', waiting: 1, id: 1 },
    { type: 'matched', pool: 'chat', channel: 'b', id: 1 },
    { type: 'matchEnded', pool: 'chess', reason: 'cancelled', id: 2 },
  ];
  await socket().receive(...answers);
  assert.deepEqual(await matching, answers[0]);
  assert.deepEqual(events, answers);
});

test('a match that is given up is cancelled', async () => {
  const { signaling, socket } = await connected();
  const controller = new AbortController();
  const matching = signaling.request({ type: 'match', pool: 'chat' }, controller.signal);
  controller.abort();
  await assert.rejects(matching, { code: 'aborted' });
  await settle();
  assert.deepEqual(socket().take().map(({ type }) => type), ['match', 'cancelMatch']);
});

test('what waits for the server is bounded: a request is refused, a relay ends the session', async () => {
  const context = await connected();
  const { signaling, socket } = context;
  await socket().drop();
  for (let frame = 0; frame < MAX_UNACKNOWLEDGED; frame++) signaling.relay({ type: 'relayICECandidate', peer_id: 'p', ice_candidate: { candidate: '' } });
  await assert.rejects(signaling.request({ type: 'send', peer_id: 'p', data: 1 }), { code: 'queue_full' });
  signaling.relay({ type: 'relayICECandidate', peer_id: 'p', ice_candidate: { candidate: '' } });
  await context.clock.advance(1_000);
  await socket().open();
  assert.equal(socket().sent[0].resume, undefined);
  await socket().welcome();
  assert.deepEqual(socket().take(), []);
});

test('what the server acknowledges makes room', async () => {
  const { signaling, socket } = await connected();
  for (let frame = 0; frame < MAX_UNACKNOWLEDGED; frame++) signaling.relay({ type: 'relayICECandidate', peer_id: 'p', ice_candidate: { candidate: '' } });
  await assert.rejects(signaling.request({ type: 'part', channel: 'a' }), { code: 'queue_full' });
  await socket().receive({ type: 'ack', received: 1 });
  socket().take();
  signaling.request({ type: 'part', channel: 'a' });
  assert.deepEqual(socket().take().map(({ type }) => type), ['part']);
});

test('a binary frame is neither read nor counted', async () => {
  const { socket, clock } = await connected();
  socket().onmessage({ data: new ArrayBuffer(2) });
  await clock.advance(1_000);
  assert.deepEqual(acks(socket()), []);
});

test('the next page of a tab replaces the session of the page before, once', async () => {
  const store = new Map([['signal-client ws://replaced/signal', 'old']]);
  globalThis.sessionStorage = {
    getItem: (key) => store.get(key) ?? null,
    setItem: (key, value) => void store.set(key, value),
    removeItem: (key) => void store.delete(key),
  };
  const context = await connected({}, 'ws://replaced/signal');
  assert.equal(context.socket().sent[0].replaces, 'old');
  assert.deepEqual([...store.values()], ['t1']);
  await reconnect(context);
  assert.equal(context.socket().sent[0].replaces, undefined);

  const second = await connected({}, 'ws://replaced/signal');
  assert.equal(second.socket().sent[0].replaces, undefined);
  second.signaling.close();
  assert.deepEqual([...store], []);

  // Without a socket nobody hears the bye.
  const third = await connected({}, 'ws://replaced/signal');
  await third.socket().drop();
  third.signaling.close();
  assert.deepEqual([...store.values()], ['t1']);
});

test('a page whose first attempts fail still replaces the session of the page before', async () => {
  globalThis.sessionStorage = { getItem: () => 'old', setItem() {}, removeItem() {} };
  const context = await start();
  await reconnect(context);
  assert.equal(context.socket().sent[0].replaces, 'old');
  await context.socket().welcome();
  context.signaling.suspend({ bye: true });
  context.signaling.wake();
  await settle();
  await context.socket().open();
  assert.deepEqual(context.socket().sent, [{ type: 'hello', version: 1 }]);
});

test('the first page of a tab has nobody to replace', async () => {
  globalThis.sessionStorage = { getItem: () => null, setItem() {}, removeItem() {} };
  const { socket } = await connected();
  assert.deepEqual(socket().sent, [{ type: 'hello', version: 1 }]);
});

test('a storage that is forbidden or full takes nothing away but the replacing', async () => {
  const refuse = () => {
    throw new DOMException('no', 'SecurityError');
  };
  globalThis.sessionStorage = { getItem: refuse, setItem: refuse, removeItem: refuse };
  const { signaling, socket } = await connected();
  assert.deepEqual(socket().sent, [{ type: 'hello', version: 1 }]);
  signaling.close();
  assert.equal(signaling.state, 'closed');
});
