/** What axe-core has to say of a page as it stands. */
import axe from 'axe-core';

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
  const violations = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'], preload: false });
    return violations.map(({ id, impact, help, nodes }) => ({
      id, impact, help, places: nodes.map(({ target, failureSummary }) => `${target.join(' ')}: ${failureSummary}`),
    }));
  });
  const obstacles = violations.filter(({ impact }) => IMPACTS.includes(impact));
  if (obstacles.length > 0) throw new Error(`axe found at ${page.url()}:\n${obstacles.map(describe).join('\n')}`);
}

/** @param {{ id: string, impact: string, help: string, places: string[] }} obstacle */
function describe({ id, impact, help, places }) {
  const lines = places.map((place) => `    ${place.replace(/\s*\n\s*/g, ' ')}`);
  return [`  ${impact}: ${help} (${id})`, ...lines].join('\n');
}
