/** A call outlives a server that is killed and comes back with its key, and is made again when the key is another. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

import {
  addCanvas, allConnected, assertUndisturbed, callOfTwo, GAP_MS, longestGap, peerIds, restartIce, videosMove, welcomedAgain,
  welcomes,
} from '../call.js';
import { faultTest } from '../faults.js';
import { count, mediaFlows, waitFor } from '../harness.js';

restartTest('the server restarts again and again: nobody sees it', async (server, pages) => {
  const ids = await peerIds(pages);
  const start = performance.now();
  const withRestarts = await longestGap(pages, async () => {
    for (let round = 0; round < count('SERVER_RESTARTS', 2); round++) {
      const before = await welcomes(pages);
      await negotiated(pages);
      await server.stop('SIGKILL');
      await server.start();
      await welcomedAgain(pages, before);
      const connectionId = await introducedAgain(pages, round + 2);
      assert.deepEqual(await negotiated(pages), [], 'nobody negotiates');

      await restartIce(pages, round % 2);
      await allConnected(pages);
      assert.deepEqual(await negotiated(pages), [connectionId]);
    }
  });
  assert.deepEqual(await peerIds(pages), ids);
  await assertUndisturbed(pages);
  for (const page of pages) assert.deepEqual(await page.evaluate(() => window.call.errors), []);

  const time = performance.now() - start;
  const without = await longestGap(pages, () => pause(time));
  assert.ok(withRestarts <= without + GAP_MS, `no frame for ${withRestarts} ms with restarts, and for ${without} ms without`);
});

restartTest('a negotiation that the restart interrupts is finished after it', async (server, pages) => {
  // The offer of one side, then of both.
  for (const [round, adding] of [[pages[0]], pages].entries()) {
    const before = await welcomes(pages);
    await server.stop('SIGKILL');
    for (const page of adding) await addCanvas(page);
    for (const page of adding) await waitFor(page, () => window.__connections[0].signalingState === 'have-local-offer');
    await server.start();
    await welcomedAgain(pages, before);
    await videosMove([pages[1]], 2 + round);
    await videosMove([pages[0]], 1 + round);
  }
  await assertUndisturbed(pages);
});

restartTest('after a restart that forgets them both are somebody new, and meet again', async (server, pages) => {
  const ids = await peerIds(pages);
  const before = await welcomes(pages);
  await server.stop('SIGKILL');
  await server.forget();
  await server.start();
  await welcomedAgain(pages, before);
  await Promise.all(pages.map((page) => mediaFlows(page, { peers: 1, kinds: ['video'] })));

  const idsNow = await peerIds(pages);
  for (const [n, page] of pages.entries()) {
    assert.notEqual(idsNow[n], ids[n]);
    const { tiles, peers } = await page.evaluate(() => {
      const { tiles, channel } = window.call;
      return { tiles, peers: [...channel.peers.keys()] };
    });
    assert.deepEqual(tiles, [['peer', ids[1 - n]], ['peerleave', ids[1 - n]], ['peer', idsNow[1 - n]]]);
    assert.deepEqual(peers, [idsNow[1 - n]]);
  }
});

/** A test with two pages that are in a call. */
function restartTest(name, body) {
  faultTest(name, async ({ server, open }) => body(server, await callOfTwo(open, server.url)));
}

/** The connection ids under which they have sent descriptions to each other since this was asked last, each once. Candidates may be late. */
async function negotiated(pages) {
  const ids = await Promise.all(pages.map((page) => page.evaluate(() => window.call.negotiated.splice(0))));
  return [...new Set(ids.flat())];
}

/** Waits until both pages have been introduced so often, the last time with the same connection id as nobody before. */
async function introducedAgain(pages, times) {
  const seen = await Promise.all(pages.map((page) => waitFor(page, (wanted) => {
    const { connectionIds } = window.call;
    return connectionIds.length >= wanted && connectionIds;
  }, { what: `${times} introductions`, args: [times] })));
  assert.equal(new Set(seen[0]).size, times);
  assert.deepEqual(seen[0], seen[1]);
  return seen[0].at(-1);
}
