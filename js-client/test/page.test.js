import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from '../client.js';
import { followPage } from '../client/page.js';
import { fakeWebSocket, settle } from './fakes.js';
import { connected } from './session.js';

const page = new EventTarget();
const document = { hidden: false };

before(() => Object.assign(globalThis, { document, addEventListener: page.addEventListener.bind(page) }));
after(() => {
  delete globalThis.document;
  delete globalThis.addEventListener;
});

function follow(isInCall = false) {
  const calls = [];
  const signaling = /** @type {any} */ ({
    wake: () => calls.push('wake'), suspend: ({ bye }) => calls.push(bye ? 'suspend with bye' : 'suspend'), close: () => calls.push('close'),
  });
  const over = new AbortController();
  followPage(signaling, () => isInCall, over);
  return { calls, untie: () => over.abort() };
}

const fire = (target, type, fields) => target.dispatchEvent(Object.assign(new Event(type), fields));

test('a page that goes for good closes, one that may come back is put aside and woken', () => {
  const { calls, untie } = follow();
  fire(page, 'pagehide', { persisted: true });
  fire(page, 'pageshow', { persisted: true });
  fire(page, 'pagehide', { persisted: false });
  assert.deepEqual(calls, ['suspend', 'wake', 'close']);
  untie();
});

test('a page in a call says goodbye even if it may come back', () => {
  const { calls, untie } = follow(true);
  fire(page, 'pagehide', { persisted: true });
  assert.deepEqual(calls, ['suspend with bye']);
  untie();
});

test('online and visible again: look now', () => {
  const { calls, untie } = follow();
  fire(page, 'online');
  document.hidden = true;
  fire(page, 'visibilitychange');
  document.hidden = false;
  fire(page, 'visibilitychange');
  assert.deepEqual(calls, ['wake', 'wake']);
  untie();
  fire(page, 'online');
  fire(page, 'visibilitychange');
  assert.equal(calls.length, 2);
});

test('a channel that waits for its next attempt makes it when the page is online or visible again', async () => {
  for (const type of ['online', 'visibilitychange']) {
    const { signaling, socket, WebSocket } = await connected();
    const over = new AbortController();
    followPage(signaling, () => false, over);
    fire(page, type);
    assert.deepEqual(socket().take(), [{ type: 'ping' }]);
    await socket().drop();
    fire(page, type);
    await settle();
    assert.equal(WebSocket.all.length, 2);
    over.abort();
  }
});

test('a page that is put aside and comes back resumes its session, one that goes for good ends it', async () => {
  const { signaling, socket } = await connected();
  const over = new AbortController();
  followPage(signaling, () => false, over);
  fire(page, 'pagehide', { persisted: true });
  assert.deepEqual([socket().take(), socket().closed], [[], 1000]);
  fire(page, 'pageshow', { persisted: true });
  await settle();
  await socket().open();
  assert.equal(socket().sent[0].resume.token, 't1');
  await socket().welcome({ resumed: true });
  fire(page, 'pagehide', { persisted: false });
  assert.deepEqual([socket().take(), signaling.state], [[{ type: 'bye' }], 'closed']);
  over.abort();
});

test('who was aborted before the start does not listen to the page', async () => {
  const heard = [];
  const options = { WebSocket: fakeWebSocket(), signal: AbortSignal.abort() };
  const listen = globalThis.addEventListener;
  globalThis.addEventListener = (type) => heard.push(type);
  await assert.rejects(connect('ws://host/signal', options), { code: 'aborted' });
  globalThis.addEventListener = listen;
  assert.deepEqual(heard, []);
});
