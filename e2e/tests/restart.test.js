/** A call outlives a restart of the server that still knows its clients, and is made again when it does not. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

import {
  addCanvas, allConnected, assertUndisturbed, callOfTwo, GAP_MS, longestGap, peerIds, restartIce, videosMove, welcomedAgain,
  welcomes,
} from '../call.js';
import { browserTest, count, mediaFlows, waitFor } from '../harness.js';
import { ScriptedServer } from '../scripted-server.js';

/** Who comes back while the server is down is refused. */
const REFUSED = [/ERR_CONNECTION_REFUSED/, /WebSocket connection to .* failed/];

restartTest('the server restarts again and again: nobody sees it', { timeout: 240_000 }, async (server, pages) => {
  const ids = await peerIds(pages);
  const start = performance.now();
  const withRestarts = await longestGap(pages, async () => {
    for (let round = 0; round < count('SERVER_RESTARTS', 2); round++) {
      const before = await welcomes(pages);
      await server.restart();
      await welcomedAgain(pages, before);
      const connectionId = await introducedAgain(pages, round + 2);
      assert.deepEqual(server.relayed, [], 'nobody negotiates');

      await restartIce(pages, round % 2);
      await allConnected(pages);
      assert.deepEqual([...new Set(server.relayed)], [connectionId]);
    }
  });
  assert.deepEqual(await peerIds(pages), ids);
  await assertUndisturbed(pages);
  assert.deepEqual(server.refused, []);

  const time = performance.now() - start;
  const without = await longestGap(pages, () => pause(time));
  assert.ok(withRestarts <= without + GAP_MS, `no frame for ${withRestarts} ms with restarts, and for ${without} ms without`);
});

restartTest('a negotiation that the restart interrupts is finished after it', {}, async (server, pages) => {
  // The offer of one side, then of both.
  for (const [round, adding] of [[pages[0]], pages].entries()) {
    const before = await welcomes(pages);
    await server.stop();
    for (const page of adding) await addCanvas(page);
    for (const page of adding) await waitFor(page, () => window.__connections[0].signalingState === 'have-local-offer');
    await server.start();
    await welcomedAgain(pages, before);
    await videosMove([pages[1]], 2 + round);
    await videosMove([pages[0]], 1 + round);
  }
  await assertUndisturbed(pages);
});

restartTest('after a restart that forgets them both are somebody new, and meet again', {}, async (server, pages) => {
  const ids = await peerIds(pages);
  const before = await welcomes(pages);
  await server.restart({ forget: true });
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

/** A test with a scripted server and two pages that are in a call. */
function restartTest(name, options, body) {
  browserTest(name, { server: false, expected: REFUSED, ...options }, async ({ open }) => {
    const server = new ScriptedServer();
    await server.start();
    try {
      await body(server, await callOfTwo(open, server.url));
    } finally {
      await server.stop();
    }
  });
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
