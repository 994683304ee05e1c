/** Calls through a real TURN server, with credentials that the demo server has made. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { allConnected, callOfTwo, restartIce, videoFlows } from '../call.js';
import { missingCoturn, startCoturn } from '../coturn.js';
import { browserTest, connectedPairs, waitFor } from '../harness.js';

const SECRET = 'north wind, and the sun above it';
/** Fresh ones come after 80 % of it. */
const SHORT_TTL_S = 6;
const UNAUTHORIZED = 401;

const skip = missingCoturn();
/** @type {Awaited<ReturnType<typeof startCoturn>>} */
let turn;
if (!skip) {
  before(async () => { turn = await startCoturn(SECRET); });
  after(() => turn.stop());
}

turnTest('two who may reach each other through the TURN server alone do', {}, async ({ server, open }) => {
  const pages = await relayedCall(open, server.url);
  const [{ username, credential, urls }] = await credentials(pages[0]);
  const [expiry, id] = username.split(':');
  assert.equal(id, await pages[0].evaluate(() => window.call.client.peerId));

  const outcome = (fields) => pages[0].evaluate(allocate, { urls, username, credential, ...fields });
  assert.equal(await outcome({}), 'relay');
  assert.equal(await outcome({ credential: forged(credential) }), UNAUTHORIZED);
  assert.equal(await outcome({ username: `${Number(expiry) + 1}:${id}` }), UNAUTHORIZED);
  assert.equal(await outcome({ username: `${expiry}:somebody-else` }), UNAUTHORIZED);
});

turnTest('fresh credentials come before the old ones end, and an ICE restart works with them', { args: ['--turn-ttl', SHORT_TTL_S] }, async ({ server, open }) => {
  const pages = await relayedCall(open, server.url);
  await Promise.all(pages.map((page) => waitFor(page, () => window.call.iceServers.length >= 2, { what: 'fresh credentials' })));
  const [old, fresh] = await credentials(pages[0]);
  // The last second counts.
  const end = (Number(old.username.split(':')[0]) + 1) * 1_000;
  await waitFor(pages[0], (end) => Date.now() > end, { what: 'the end of the first credentials', args: [end] });
  assert.equal(await pages[0].evaluate(allocate, old), UNAUTHORIZED);
  assert.equal(await pages[0].evaluate(allocate, fresh), 'relay');

  await restartIce(pages, 0);
  await Promise.all(pages.map((page) => waitFor(page, () => window.__connections[0].localDescription.sdp.includes(' typ relay '), {
    what: 'a new address of the TURN server',
  })));
  await allConnected(pages);
  await Promise.all(pages.map(videoFlows));
  await assertRelayed(pages);
});

turnTest('the page that speaks the protocol by hand uses credentials, and does not show them', { bin: 'raw' }, async ({ server, open }) => {
  const pages = [await open(`${server.url}/#room`), await open(`${server.url}/#room`)];
  for (const page of pages) await page.click('#join button');
  await Promise.all(pages.map((page) => waitFor(page, (url) => {
    const servers = window.__connections[0]?.getConfiguration().iceServers ?? [];
    return servers.some(({ urls, credential }) => urls.includes(url) && credential);
  }, { what: 'a connection that knows the TURN server', args: [turn.url] })));
  const shown = await pages[0].$$eval('#frames p', (lines) => lines.map(({ textContent }) => textContent));
  assert.match(shown.find((line) => line.startsWith('S> {"type":"iceServers"')), /"credential":"…"/);
});

/** A test with a server that makes credentials for coturn. */
function turnTest(name, { bin = 'two', args = [] }, body) {
  const server = () => ['--turn', turn.url, '--turn-secret-file', turn.secretFile, ...args];
  browserTest(name, { bin, server, skip }, body);
}

/** Two pages that use no other candidates than those of the TURN server. */
async function relayedCall(open, url) {
  const options = { configuration: { iceTransportPolicy: 'relay' } };
  const pages = await callOfTwo(open, url, { options });
  await assertRelayed(pages);
  return pages;
}

async function assertRelayed(pages) {
  for (const page of pages) {
    assert.deepEqual(await connectedPairs(page), [{ local: 'relay', remote: 'relay', protocol: 'udp' }]);
  }
}

/** What the server has made for this page, in order. */
function credentials(page) {
  return page.evaluate(() => window.call.iceServers.map((list) => list.at(-1)));
}

/** In the page: whether the TURN server gives an address for these credentials, or its error. */
async function allocate(server) {
  const connection = new RTCPeerConnection({ iceServers: [server], iceTransportPolicy: 'relay' });
  connection.createDataChannel('any');
  const outcome = new Promise((resolve) => {
    connection.addEventListener('icecandidate', ({ candidate }) => candidate && resolve(candidate.type));
    connection.addEventListener('icecandidateerror', ({ errorCode }) => resolve(errorCode));
  });
  await connection.setLocalDescription();
  return outcome.finally(() => connection.close());
}

/** Base64 of the same length that says something else. */
function forged(credential) {
  return (credential[0] === 'A' ? 'B' : 'A') + credential.slice(1);
}
