import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { followPage } from '../client/page.js';

const page = new EventTarget();
const document = Object.assign(new EventTarget(), { hidden: false });

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
  const untie = followPage(signaling, () => isInCall);
  return { calls, untie };
}

const fire = (target, type, fields) => target.dispatchEvent(Object.assign(new Event(type), fields));

test('a page that goes for good closes, one that may come back is put aside and woken', () => {
  const { calls, untie } = follow();
  fire(page, 'pagehide', { persisted: true });
  fire(page, 'pageshow', { persisted: true });
  fire(page, 'pageshow', { persisted: false });
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
  fire(document, 'visibilitychange');
  document.hidden = false;
  fire(document, 'visibilitychange');
  assert.deepEqual(calls, ['wake', 'wake']);
  untie();
  fire(page, 'online');
  fire(document, 'visibilitychange');
  assert.equal(calls.length, 2);
});
