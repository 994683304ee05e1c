/** Waiting for a page, and looking at it. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const SCREENSHOTS = join(dirname(fileURLToPath(import.meta.url)), 'screenshots');
const POLL_MS = 50;
const GONE = /context was destroyed|Cannot find context|detached|navigat|no such frame|DiscardedBrowsingContext/i;

/**
 * Waits until `predicate` holds in the page and returns its value. It is asked again from here rather than by a timer
 * in the page: those fire once a second in a page that is not in front, and end with a reload.
 *
 * @template T
 * @param {import('puppeteer-core').Page} page
 * @param {(...args: any[]) => T | Promise<T>} predicate runs in the page, so it sees nothing of the test but `args`
 * @param {{timeout?: number, what?: string, args?: unknown[]}} [options]
 * @returns {Promise<T>}
 */
export async function waitFor(page, predicate, { timeout = 20_000, what = predicate.toString(), args = [] } = {}) {
  return poll(what, timeout, async () => {
    const value = await ask(page, predicate, args);
    return { done: Boolean(value), value };
  });
}

/**
 * Calls `look` until it is done. `seen`, or else `value`, goes into the error.
 *
 * @template T
 * @param {string} what
 * @param {number} timeout
 * @param {() => Promise<{done: boolean, value?: T, seen?: unknown}>} look
 * @returns {Promise<T>}
 */
export async function poll(what, timeout, look) {
  const end = performance.now() + timeout;
  for (;;) {
    const { done, value, seen = value } = await look();
    if (done) return value;
    if (performance.now() > end) {
      throw new Error(`waited ${timeout} ms for: ${what}\nlast seen: ${JSON.stringify(seen, null, 1)}`);
    }
    await pause(POLL_MS);
  }
}

/** Saves what the page looks like as `screenshots/<name>.png`. */
export async function screenshot(page, name) {
  await mkdir(SCREENSHOTS, { recursive: true });
  const path = join(SCREENSHOTS, `${name.replace(/[^\w-]+/g, '-')}.png`);
  await page.screenshot({ path });
  return path;
}

/** Evaluates in the page; undefined while it is between two documents. */
async function ask(page, predicate, args) {
  try {
    return await page.evaluate(predicate, ...args);
  } catch (error) {
    if (!page.isClosed() && GONE.test(error.message)) return undefined;
    throw error;
  }
}
