/** What axe-core has to say of a page as it stands. */
import axe from 'axe-core';

/** As it is drawn by day and by night, without movement: colours on their way from one to the other are neither. */
const SCHEMES = ['light', 'dark'].map((value) => [{ name: 'prefers-color-scheme', value }, { name: 'prefers-reduced-motion', value: 'reduce' }]);

/** Below these, axe speaks of good practice, and of what it cannot know for certain. */
const IMPACTS = ['serious', 'critical'];

/**
 * Fails when somebody with a screen reader, a keyboard or weak eyes would meet a serious obstacle, and says where.
 *
 * The source is evaluated by the debugger, which the page's policy for scripts does not bind: nothing is loosened for
 * the test.
 *
 * @param {import('puppeteer-core').Page} page of Chromium
 */
export async function assertAccessible(page) {
  await page.evaluate(`${axe.source}; undefined`);
  for (const scheme of SCHEMES) {
    await page.emulateMediaFeatures(scheme);
    const violations = await page.evaluate(lookForViolations);
    const obstacles = violations.filter(({ impact }) => IMPACTS.includes(impact));
    if (obstacles.length > 0) throw new Error(`axe found at ${page.url()}, ${scheme[0].value}:\n${obstacles.map(describe).join('\n')}`);
  }
  await page.emulateMediaFeatures([]);
}

/** Runs in the page. */
async function lookForViolations() {
  const { violations } = await window.axe.run(document, { resultTypes: ['violations'], preload: false });
  return violations.map(({ id, impact, help, nodes }) => ({
    id, impact, help, places: nodes.map(({ target, failureSummary }) => `${target.join(' ')}: ${failureSummary}`),
  }));
}

/** @param {{ id: string, impact: string, help: string, places: string[] }} obstacle */
function describe({ id, impact, help, places }) {
  const lines = places.map((place) => `    ${place.replace(/\s*\n\s*/g, ' ')}`);
  return [`  ${impact}: ${help} (${id})`, ...lines].join('\n');
}
