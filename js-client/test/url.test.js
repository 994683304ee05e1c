import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { socketUrl } from '../client/url.js';

after(() => delete globalThis.location);

test('http and https mean ws and wss, and the fragment goes', () => {
  assert.equal(socketUrl('https://host/signal?x=1#y'), 'wss://host/signal?x=1');
  assert.equal(socketUrl(new URL('http://host:8080/signal')), 'ws://host:8080/signal');
  assert.equal(socketUrl('wss://host/signal'), 'wss://host/signal');
});

test('a relative url is resolved against the page', () => {
  globalThis.location = /** @type {any} */ ({ href: 'https://host/room/one?x=1' });
  assert.equal(socketUrl('/signal'), 'wss://host/signal');
  assert.equal(socketUrl('signal'), 'wss://host/room/signal');
});
