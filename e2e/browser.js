/** Chromium and Firefox, started so that WebRTC works without camera, display or internet. */
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import puppeteer from 'puppeteer-core';

import { rememberConnections } from './media.js';
import { screenshot } from './page.js';

/**
 * A desk and a phone. Firefox has no touch emulation: there the second is only narrow. On Chromium's phone a page that
 * is wider than the screen is zoomed out, as on a real one: `innerWidth` is then more than 390.
 */
export const VIEWPORTS = {
  desk: { width: 1280, height: 800 },
  phone: { width: 390, height: 844, isMobile: true, hasTouch: true },
};

/** How many frames a camera takes in a second: the fewest that Chromium's can. With more, calls of several take all of two cores. */
const FRAMES = 5;

const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome'];
const SHELL = ['chromium-headless-shell', 'chrome-headless-shell'];

/**
 * What can be started. `shell` is Chromium without all that is around a page, such as windows and menus: a page loads in
 * it with a third of the CPU time. With `cargo xtask test --full`, and where it is not installed, it is all of Chromium.
 *
 * @typedef {'chromium' | 'shell' | 'firefox'} Kind
 */
const BINARIES = {
  chromium: CHROMIUM,
  shell: process.env.SIGNAL_TEST_WHOLE_BROWSERS === '1' ? CHROMIUM : [...SHELL, ...CHROMIUM],
  firefox: ['firefox-esr', 'firefox'],
};

/**
 * Why `kind` cannot run here, or false. Firefox gathers no candidate where `lo` is the only interface, whatever its
 * preferences say; Chromium has a flag for that.
 *
 * @param {Kind} kind
 * @returns {string | false}
 */
export function missing(kind) {
  if (!binary(kind)) return `${BINARIES[kind].join(' or ')} is not installed`;
  const real = Object.values(networkInterfaces()).flat().some((address) => !address.internal);
  return kind === 'firefox' && !real && 'Firefox needs a network interface besides lo';
}

/**
 * @typedef {object} TestBrowser
 * @property {(url: string, options?: {viewport?: keyof typeof VIEWPORTS}) => Promise<import('puppeteer-core').Page>} open
 *   opens a page in a context of its own: no storage, cookie or cache is shared with the others
 * @property {() => string[]} problems what went wrong in any page so far
 * @property {() => void} assertNoProblems
 * @property {(name: string) => Promise<void>} leaveEvidence a screenshot of every open page
 * @property {() => Promise<void>} close
 * @property {import('puppeteer-core').Browser} puppeteer
 */

/**
 * Starts a browser with an empty profile, which is removed when it is closed.
 *
 * @param {Kind} kind
 * @param {object} [options]
 * @param {'fake' | 'several' | 'missing' | 'denied'} [options.camera] `fake`: camera and microphone that are granted at once.
 *   `several`: three cameras, the second of which gives no picture (Chromium only). `missing`: a microphone, but no
 *   camera (Firefox: neither). `denied`: the person says no (Chromium only).
 * @param {RegExp[]} [options.expected] problems that belong to the test and are not reported
 * @returns {Promise<TestBrowser>}
 */
export async function launch(kind, { camera = 'fake', expected = [] } = {}) {
  const { browser, close } = await start(kind, SETUP[kind](camera));
  const problems = [];
  const report = (url, what) => {
    if (!expected.some((pattern) => pattern.test(what))) problems.push(`${url}: ${what}`);
  };
  const pages = [];

  return {
    puppeteer: browser,
    problems: () => [...problems],
    assertNoProblems() {
      if (problems.length > 0) throw new Error(`problems in a page:\n  ${problems.join('\n  ')}`);
    },
    async open(url, { viewport = 'desk' } = {}) {
      const context = await browser.createBrowserContext();
      const page = await context.newPage();
      pages.push(page);
      await page.setViewport(viewportFor(kind, viewport));
      watch(page, (what) => report(url, what));
      await page.evaluateOnNewDocument(reportRejections);
      await page.evaluateOnNewDocument(rememberConnections);
      await page.goto(url);
      return page;
    },
    async leaveEvidence(name) {
      if (problems.length > 0) console.error(`problems in a page:\n  ${problems.join('\n  ')}`);
      const open = pages.filter((page) => !page.isClosed());
      // A page that hangs must not hide the error that brought us here.
      await Promise.allSettled(open.map((page, n) => screenshot(page, `failed ${name} ${n + 1}`)));
    },
    close,
  };
}

/** Starts the program with a folder of its own for profile and temporary files, and removes that afterwards. */
async function start(kind, setup) {
  const folder = mkdtempSync(join(tmpdir(), 'signal-e2e-'));
  // A browser that has just been killed may still be writing for a moment.
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  try {
    const path = binary(kind);
    const browser = await puppeteer.launch({
      executablePath: path,
      headless: SHELL.includes(basename(path)) ? 'shell' : true,
      userDataDir: join(folder, 'profile'),
      env: { ...process.env, TMPDIR: folder },
      ...setup,
    });
    // Puppeteer kills the browser in a listener that it has added before this one.
    process.on('exit', remove);
    const close = async () => {
      await browser.close();
      process.off('exit', remove);
      remove();
    };
    return { browser, close };
  } catch (error) {
    remove();
    throw error;
  }
}

const SETUP = { chromium: chromiumSetup, shell: chromiumSetup, firefox: firefoxSetup };

function chromiumSetup(camera) {
  const cameras = { missing: 0, several: 3 }[camera] ?? 1;
  const answer = camera === 'denied' ? '=deny' : '';
  return {
    // Nobody asks which requests a page makes, and to be told of each takes a third of the time in which a page loads.
    networkEnabled: false,
    args: [
      // The sandbox does not work as root, which CI is.
      '--no-sandbox',
      '--disable-gpu',
      // Nothing here may call home: where there is no internet, each such call is a delay.
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--use-fake-ui-for-media-stream${answer}`,
      `--use-fake-device-for-media-stream=device-count=${cameras},fps=${FRAMES}`,
      // Needed where `lo` is the only interface, harmless elsewhere.
      '--allow-loopback-in-peer-connection',
    ],
  };
}

function firefoxSetup(camera) {
  if (camera === 'denied') throw new Error('headless Firefox has no way to deny a camera');
  return {
    browser: 'firefox',
    extraPrefsFirefox: {
      'media.navigator.streams.fake': camera === 'fake',
      'media.navigator.permission.disabled': true,
      'media.navigator.video.default_fps': FRAMES,
      'media.autoplay.default': 0,
      'media.autoplay.blocking_policy': 0,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
    },
  };
}

function viewportFor(kind, name) {
  const { width, height, ...touch } = VIEWPORTS[name];
  return kind === 'firefox' ? { width, height } : { width, height, ...touch };
}

function watch(page, report) {
  page.on('pageerror', (error) => report(`uncaught: ${error?.stack ?? error}`));
  page.on('error', (error) => report(`the page crashed: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    report(`console.error: ${message.text()} (${message.location()?.url ?? 'no url'})`);
  });
}

/** Runs in the page. Firefox tells its driver nothing of a rejection that nobody handles. */
function reportRejections() {
  addEventListener('unhandledrejection', (event) => console.error('unhandled rejection:', String(event.reason)));
}

function binary(kind) {
  const folders = process.env.PATH.split(delimiter);
  const candidates = BINARIES[kind].flatMap((name) => folders.map((folder) => join(folder, name)));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
