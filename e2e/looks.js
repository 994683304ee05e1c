/** Pictures of a page for people to look at: as on a desk and on a phone, light and dark. */
import { assertAccessible } from './axe.js';
import { VIEWPORTS } from './browser.js';
import { screenshot } from './page.js';

const SCHEMES = ['light', 'dark'];

/**
 * Nobody meets a serious obstacle on the page as it stands. With `LOOKS=1` in the environment it is photographed, too,
 * for people to look at.
 *
 * @param {import('puppeteer-core').Page} page of Chromium
 * @param {string} state what it shows
 */
export async function isGood(page, state) {
  await page.bringToFront();
  if (process.env.LOOKS) await looks(page, state);
  await assertAccessible(page);
}

/**
 * Saves four screenshots of the page as it stands, as `screenshots/<name>-<desk or phone>-<light or dark>.png`, and
 * leaves it as it was.
 *
 * @param {import('puppeteer-core').Page} page of Chromium
 * @param {string} name
 * @returns {Promise<string[]>} their paths
 */
async function looks(page, name) {
  const viewport = page.viewport();
  const paths = [];
  for (const [device, { width, height }] of Object.entries(VIEWPORTS)) {
    // Only the size: the page would be loaded anew if it changed between mouse and touch.
    await page.setViewport({ ...viewport, width, height });
    for (const scheme of SCHEMES) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      await drawn(page);
      paths.push(await screenshot(page, `${name} ${device} ${scheme}`));
    }
  }
  await page.emulateMediaFeatures([]);
  await page.setViewport(viewport);
  return paths;
}

/** What depends on the size of an element is laid out in the frame after it, and drawn in the next. */
async function drawn(page) {
  await page.bringToFront();
  await page.evaluate(() => new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(() => resolve()));
  }));
}
