/** A call goes on, whatever happens to the socket, the path or the page at the other end. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

import {
  addCanvas, allConnected, assertAllArrived, assertUndisturbed, callOfTwo, GAP_MS, longestGap, peerIds, restartIce,
  startChatting, videoFlows, videosMove, welcomedAgain, welcomes,
} from '../call.js';
import { freeze } from '../freeze.js';
import { browserTest, count, launch } from '../harness.js';
import { startProxy } from '../proxy.js';

/** When after the last welcome the socket is cut, in ms, and whether the next one is too. */
const CUTS = [[0], [700], [50, 'welcome'], [350], [150, 'handshake']];
/** Within the server's patience; when it has given up the socket, and not yet the session; when it has given up both. */
const FREEZES = [9, 40, 60];
const HEARTBEAT_SECONDS = 30;
const CUT_SOCKETS = [/WebSocket connection to .* failed/];

browserTest('the socket is cut again and again: nobody sees it, no message is lost', { expected: CUT_SOCKETS, timeout: 240_000 }, async ({ server, open }) => {
  const proxy = await startProxy(server.port);
  try {
    const pages = await callOfTwo(open, proxy.url);
    const ids = await peerIds(pages);
    await startChatting(pages);

    const start = performance.now();
    const withCuts = await longestGap(pages, async () => {
      for (let round = 0; round < count('SOCKET_CUTS', 5); round++) {
        const [moment, again] = CUTS[round % CUTS.length];
        await pause(moment);
        const before = await welcomes(pages);
        assert.equal(proxy.cut(again), 2);
        await welcomedAgain(pages, before);
      }
    });
    await assertAllArrived(pages);
    await assertUndisturbed(pages);
    assert.deepEqual(await peerIds(pages), ids);
    for (const page of pages) assert.ok(await page.evaluate(() => window.call.welcomes.every(({ resumed }) => resumed)));

    const time = performance.now() - start;
    const without = await longestGap(pages, () => pause(time));
    assert.ok(withCuts <= without + GAP_MS, `no frame for ${withCuts} ms with cuts, and for ${without} ms without`);
  } finally {
    proxy.stop();
  }
});

browserTest('the socket is cut in the middle of a negotiation', { expected: CUT_SOCKETS }, async ({ server, open }) => {
  const proxy = await startProxy(server.port);
  try {
    const pages = await callOfTwo(open, proxy.url);
    for (const [round, adding] of [[pages[0]], [pages[1]], pages].entries()) {
      const before = await welcomes(pages);
      await Promise.all(adding.map(addCanvas));
      proxy.cut();
      await welcomedAgain(pages, before);
      // One video of the camera, one of each round in which this page's peer added one.
      await videosMove([pages[1]], [2, 2, 3][round]);
      await videosMove([pages[0]], [1, 2, 3][round]);
    }
    await assertUndisturbed(pages);
  } finally {
    proxy.stop();
  }
});

browserTest('ICE restarts from either side in a running call', {}, async ({ server, open }) => {
  const pages = await callOfTwo(open, server.url);
  for (const side of [0, 1]) {
    await restartIce(pages, side);
    await Promise.all(pages.map(videoFlows));
    await allConnected(pages);
  }
  await assertUndisturbed(pages);
  for (const page of pages) assert.deepEqual(await page.evaluate(() => window.call.peerStates), ['connected']);
});

for (const seconds of FREEZES.filter((length) => length <= count('FREEZE_SECONDS', FREEZES[0]))) {
  browserTest(`a browser that is frozen for ${seconds} s is back at once`, {}, async ({ server, open }) => {
    const other = await launch('shell');
    let thaw = () => {};
    try {
      const [ann, ben] = await callOfTwo(open, server.url, { openSecond: other.open });
      thaw = freeze(other.puppeteer);
      await pause(seconds * 1_000);
      assert.equal(await ann.evaluate(() => window.call.peerStates[1]), 'reconnecting');
      thaw();
      if (seconds > HEARTBEAT_SECONDS) await welcomedAgain([ben], [0]);
      await allConnected([ann, ben]);
      await Promise.all([ann, ben].map(videoFlows));

      const sessions = await ben.evaluate(() => window.call.welcomes.map(({ resumed }) => resumed));
      const seen = await Promise.all([ann, ben].map((page) => page.evaluate(() => window.call.tiles.map(([type]) => type))));
      // Beyond the grace time it is somebody new, once.
      const expected = sessions.at(-1) === false ? ['peer', 'peerleave', 'peer'] : ['peer'];
      assert.deepEqual(seen, [expected, expected]);
      other.assertNoProblems();
    } catch (error) {
      thaw();
      await other.leaveEvidence(`frozen for ${seconds} s`);
      throw error;
    } finally {
      await other.close();
    }
  });
}
