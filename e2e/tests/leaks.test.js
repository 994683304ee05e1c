/** Peers that come and go, and pages that reload, leave nothing behind. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';

import { allConnected, callOfTwo, enter, join, peerIds, videoFlows } from '../call.js';
import { browserTest, count, waitFor } from '../harness.js';
import { poll } from '../page.js';

/** Far below the grace time of the server. */
const SOON_MS = 3_000;

/** What there is of each class in a page that is alone in the channel. */
const ALONE = { RTCPeerConnection: 0, Peer: 0, Channel: 1, MediaStreamTrack: 1, HTMLVideoElement: 0 };

browserTest('a peer that joins and leaves again and again leaves nothing behind', { timeout: 300_000 }, async ({ server, open }) => {
  const pages = await callOfTwo(open, server.url);
  const [ann, ben] = pages;
  await ben.evaluate(() => window.call.channel.leave());
  for (const page of pages) await isAlone(page);
  await ann.evaluate(showTiles);

  for (let round = 0; round < count('JOINS_AND_LEAVES', 5); round++) {
    await join(ben);
    await allConnected(pages);
    await waitFor(ann, () => document.querySelectorAll('video').length === 1);
    await ben.evaluate(() => window.call.channel.leave());
    for (const page of pages) await isAlone(page);
  }
  for (const page of pages) {
    await poll('all that is gone is collected', 20_000, async () => {
      const seen = await objects(page, Object.keys(ALONE));
      return { done: isDeepStrictEqual(seen, ALONE), seen };
    });
  }
  // The search for objects does find them.
  await join(ben);
  await allConnected(pages);
  assert.deepEqual(await objects(ann, ['RTCPeerConnection', 'Peer']), { RTCPeerConnection: 1, Peer: 1 });
});

for (const [what, restart] of [
  ['a page that is reloaded', (page) => page.reload()],
  ['a page that crashes', crash],
  // Nobody tells the server that the session is over, but the next page does.
  ['a page that is reloaded without a socket', async (page) => {
    await page.evaluate(() => window.call.client.signaling.suspend());
    await page.reload();
  }],
  ['a page that crashes without a socket', async (page) => {
    await page.evaluate(() => window.call.client.signaling.suspend());
    await crash(page);
  }],
]) {
  browserTest(`${what} leaves no ghost`, { expected: [/the page crashed/] }, async ({ server, open }) => {
    const pages = await callOfTwo(open, server.url);
    const [ann, ben] = pages;
    const [annId, former] = await peerIds(pages);
    await restart(ben);
    await enter(ben);
    await waitFor(ann, (id) => !window.call.channel.peers.has(id), { args: [former], timeout: SOON_MS });
    await allConnected(pages);
    await Promise.all(pages.map(videoFlows));

    const [, latest] = await peerIds(pages);
    const seen = (page) => page.evaluate(() => window.call.tiles);
    assert.deepEqual(await seen(ann), [['peer', former], ['peerleave', former], ['peer', latest]]);
    assert.deepEqual(await seen(ben), [['peer', annId]]);
  });
}

/** Ends the page's process and opens the page again. */
async function crash(page) {
  const url = page.url();
  const crashed = once(page, 'error');
  page.goto('chrome://crash').catch(() => {}); // That never loads.
  await crashed;
  await page.goto(url);
}

/** In the page: a video for each peer that sends one, as an application has it. */
function showTiles() {
  const { channel } = window.call;
  channel.addEventListener('track', ({ peer, track }) => {
    const video = document.body.appendChild(document.createElement('video'));
    video.dataset.peerId = peer.id;
    video.srcObject = new MediaStream([track]);
  });
  channel.addEventListener('peerleave', ({ peer }) => document.querySelector(`[data-peer-id="${peer.id}"]`).remove());
}

/** Nobody else is there, all that came from them has ended, and the page lets go of it. */
function isAlone(page) {
  return waitFor(page, () => {
    const connections = window.__connections;
    const tracks = connections.flatMap((connection) => connection.getReceivers()).map(({ track }) => track);
    const isOver = tracks.length > 0 && document.querySelectorAll('video').length === 0 &&
      window.call.channel.peers.size === 0 &&
      connections.every(({ connectionState }) => connectionState === 'closed') &&
      tracks.every(({ readyState }) => readyState === 'ended');
    if (isOver) connections.length = 0;
    return isOver;
  }, { what: 'the page is alone' });
}

/** How many objects of these classes the page has, garbage not counted. @param {string[]} names */
async function objects(page, names) {
  const session = await page.createCDPSession();
  await session.send('HeapProfiler.collectGarbage');
  await session.detach();
  const counted = {};
  for (const name of names) {
    const prototype = await page.evaluateHandle(async (wanted) => {
      const library = await import('/client.js');
      return (window[wanted] ?? library[wanted]).prototype;
    }, name);
    const found = await page.queryObjects(prototype);
    counted[name] = await found.evaluate(({ length }) => length);
    await found.dispose();
    await prototype.dispose();
  }
  return counted;
}
