/** What happens to servers and sockets in a call, and what people must not see of it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before } from 'node:test';

import { BLANK } from './call.js';
import { browserTest, waitFor } from './harness.js';
import { startProxy } from './proxy.js';
import { BUILD_MS, buildServer, startServer } from './server.js';

/** What stands in the console of who comes while the server is down, or whose socket is cut. */
const LOST_SOCKETS = [/ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE)/, /WebSocket connection to .* failed/];

/** @typedef {{ page: import('puppeteer-core').Page }} Person */

/**
 * A test with the demo server, started with a key, and a proxy before it through which people come.
 *
 * @param {string} name
 * @param {(stage: {server: LastingServer, proxy: import('./proxy.js').Proxy, open: import('./browser.js').TestBrowser['open']}) => Promise<void>} body
 */
export function faultTest(name, body) {
  before(() => buildServer(), { timeout: BUILD_MS });
  browserTest(name, { server: false, expected: LOST_SOCKETS, timeout: 300_000 }, async ({ open }) => {
    const folder = await mkdtemp(join(tmpdir(), 'signal-e2e-key-'));
    const server = new LastingServer(join(folder, 'key'));
    try {
      await server.start();
      const proxy = await startProxy(server.port);
      try {
        await body({ server, proxy, open });
      } finally {
        proxy.stop();
      }
    } finally {
      await server.stop('SIGKILL');
      await rm(folder, { recursive: true });
    }
  });
}

/** The demo server on one port and with one key, however often it starts. */
export class LastingServer {
  port = 0;
  #keyFile;
  /** @type {import('./server.js').Server | undefined} */
  #running;

  /** @param {string} keyFile is made with the first start */
  constructor(keyFile) {
    this.#keyFile = keyFile;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  async start() {
    this.#running = await startServer({ args: ['--key-file', this.#keyFile], port: this.port });
    this.port = this.#running.port;
  }

  /** Starts with another key from then on, so that nobody is known. */
  forget() {
    return rm(this.#keyFile);
  }

  /** @param {NodeJS.Signals} signal @returns the code with which it ended */
  async stop(signal) {
    return this.#running?.stop(signal);
  }
}

/** Opens a page that keeps what the server tells it. */
export async function arrive(open, url, options) {
  const page = await open(new URL(BLANK, url).href, options);
  await page.evaluateOnNewDocument(rememberFrames);
  await page.goto(url);
  return page;
}

/** Runs in the page before any script of its own. */
function rememberFrames() {
  const told = window.told = { welcomes: [], joined: 0, introduced: 0, asked: 0 };
  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === 'welcome') told.welcomes.push(message);
        if (message.type === 'joined') told.joined += 1;
        if (message.type === 'addPeer') told.introduced += 1;
      });
    }

    send(text) {
      if (JSON.parse(text).type === 'join') told.asked += 1;
      super.send(text);
    }
  };
}

/** Notes from now on whatever becomes of tiles and connections. @param {Person[]} people */
export function watchCall(people) {
  return Promise.all(people.map(({ page }) => page.evaluate(() => {
    const changes = window.changes = [];
    const tilesIn = (nodes) => [...nodes].filter((node) => node instanceof Element && node.matches('.tile'));
    new MutationObserver((records) => {
      for (const { addedNodes, removedNodes, attributeName, target } of records) {
        for (const tile of tilesIn(addedNodes)) changes.push(`a tile of ${tile.dataset.peerId} came`);
        for (const tile of tilesIn(removedNodes)) changes.push(`the tile of ${tile.dataset.peerId} went`);
        if (attributeName && target.matches('.tile')) changes.push(`${attributeName} of a tile is ${target.getAttribute(attributeName)}`);
      }
    }).observe(document.body, { subtree: true, childList: true, attributeFilter: ['hidden', 'data-peer-id', 'data-state'] });
    window.connectionsBefore = [...window.__connections];
    for (const connection of window.__connections) {
      connection.addEventListener('connectionstatechange', () => changes.push(`a connection is ${connection.connectionState}`));
    }
  })));
}

/** Since then no tile came, went, was hidden or had another state, and all is sent over the same connections. @param {Person[]} people */
export async function assertNothingChanged(people) {
  for (const { page } of people) {
    assert.deepEqual(await page.evaluate(() => window.changes), []);
    assert.ok(await page.evaluate(() => window.__connections.length === window.connectionsBefore.length));
  }
}

/** @typedef {{ welcomes: number, joined: number, introduced: number }} Told */

/** How much the server has told each of them. @param {Person[]} people @returns {Promise<Told[]>} */
export function toldSoFar(people) {
  return Promise.all(people.map(({ page }) => page.evaluate(() => ({ ...window.told, welcomes: window.told.welcomes.length }))));
}

/** The server has resumed the session of each. @param {Person[]} people @param {Told[]} before */
export async function resumed(people, before) {
  const latest = await welcomedAgain(people, before);
  assert.ok(latest.every(({ resumed }) => resumed));
}

/**
 * A server that has been started anew knows each by the former id, and has introduced all to each other.
 *
 * @param {Person[]} people
 * @param {Told[]} before
 */
export async function knownAgain(people, before) {
  const latest = await welcomedAgain(people, before);
  for (const [n, { page }] of people.entries()) {
    const [first] = await page.evaluate(() => window.told.welcomes);
    assert.deepEqual([latest[n].resumed, latest[n].peer_id], [false, first.peer_id]);
    await waitFor(page, ({ joined, introduced }) => {
      const { told, connectionsBefore } = window;
      return told.joined > joined && told.introduced >= introduced + connectionsBefore.length;
    }, { what: `page ${n} is in the channel again, and has met everybody`, args: [before[n]] });
  }
}

/** @returns {Promise<{ resumed: boolean, peer_id: string }[]>} */
function welcomedAgain(people, before) {
  return Promise.all(people.map(({ page }, n) => {
    const isWelcome = (count) => window.told.welcomes.length > count && window.told.welcomes.at(-1);
    return waitFor(page, isWelcome, { what: `welcome number ${before[n].welcomes + 1} of page ${n}`, args: [before[n].welcomes] });
  }));
}
