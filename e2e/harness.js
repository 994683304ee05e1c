/**
 * What a browser test is written with. `browserTest` is the whole of it for most tests; the rest is exported for those
 * that need a second browser or a server that is restarted.
 *
 * Nothing here sleeps for a fixed time: every wait is for a condition, and a failed one says what it saw last.
 */
import test, { before } from 'node:test';

import { launch, missing } from './browser.js';
import { BUILD_MS, buildServer, startServer } from './server.js';

export { connectedPairs, framesGrow, mediaFlows, receivers } from './media.js';
export { launch, missing, VIEWPORTS } from './browser.js';
export { screenshot, waitFor } from './page.js';
export { startServer } from './server.js';

/**
 * How many rounds a test runs. The figures of `cargo xtask test` and of `--full` stand in `xtask/src/counts.rs` and
 * arrive as `SIGNAL_TEST_<NAME>`; `fallback` holds for a test that is started by hand.
 *
 * @param {string} name
 * @param {number} fallback
 */
export function count(name, fallback) {
  const given = process.env[`SIGNAL_TEST_${name}`];
  return given === undefined ? fallback : Number(given);
}

/**
 * One test: starts a browser (and the demo server, unless `server` is false), runs `body`, and stops both. It fails
 * when `body` does, and when any page threw, had an unhandled rejection or logged an error. When it fails, a
 * screenshot of every open page and the server's log are left behind.
 *
 * @param {string} name
 * @param {object} options
 * @param {import('./browser.js').Kind} [options.browser] `shell` unless it matters what is around the page
 * @param {'fake' | 'several' | 'missing' | 'denied'} [options.camera] see `launch`
 * @param {string} [options.bin] see `startServer`
 * @param {false | string[] | (() => string[])} [options.server] more arguments of the demo server, or false for none
 * @param {string | false} [options.skip] why it cannot run here
 * @param {RegExp[]} [options.expected] page errors that belong to the test
 * @param {number} [options.timeout] of the whole test, in ms
 * @param {(stage: {server?: import('./server.js').Server, browser: import('./browser.js').TestBrowser,
 *   open: import('./browser.js').TestBrowser['open']}) => Promise<void>} body
 */
export function browserTest(name, options, body) {
  const { browser: kind = 'shell', camera = 'fake', bin, server: serverArgs = [], expected = [], timeout = 120_000, skip = false } = options;
  // The time of a test is its own: the build is not part of it, nor is putting things away.
  if (serverArgs !== false) buildBeforehand(bin);
  test(name, { timeout: timeout + CLOSING_MS, skip: missing(kind) || skip }, async () => {
    const server = serverArgs === false ? undefined : await startServer({ bin, args: typeof serverArgs === 'function' ? serverArgs() : serverArgs });
    try {
      const browser = await launch(kind, { camera, expected });
      try {
        await within(timeout, body({ server, browser, open: browser.open }));
        browser.assertNoProblems();
      } catch (error) {
        await browser.leaveEvidence(name);
        throw error;
      } finally {
        await browser.close();
      }
    } catch (error) {
      if (server) console.error(`the demo server's log:\n${server.log()}`);
      throw error;
    } finally {
      await server?.stop();
    }
  });
}

const plannedBuilds = new Set();

function buildBeforehand(bin) {
  if (!plannedBuilds.has(bin)) before(() => buildServer(bin), { timeout: BUILD_MS });
  plannedBuilds.add(bin);
}

/** The test runner abandons a test at its timeout; here it fails like any other, so that it leaves evidence. */
async function within(ms, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the test did not end within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const CLOSING_MS = 30_000;
