/** People on the demo's pages: how they come into a call, and what they see of each other there. */
import assert from 'node:assert/strict';

import { framesGrow, mediaFlows } from './media.js';
import { waitFor } from './page.js';

/** How soon a tile must be gone after somebody has left. */
const LEAVE_MS = 1_000;

/** @typedef {{ page: import('puppeteer-core').Page, name: string, id: string }} Person */

/** @param {import('./browser.js').TestBrowser['open']} open @param {string} url @param {string} name @param {object} [options] of `open` */
export async function joinAt(open, url, name, options) {
  return enter(await open(url, options), name);
}

/** From the card into the call. @param {import('puppeteer-core').Page} page @param {string} name @returns {Promise<Person>} */
export async function enter(page, name) {
  await ask(page, name);
  return inCall(page, name);
}

/** Fills in the card and presses the button. The picture is small, so that five pages fit on two cores. */
export async function ask(page, name) {
  await previewPlays(page);
  await page.evaluate(() => {
    const [camera] = document.querySelector('#preview video').srcObject.getVideoTracks();
    return camera.applyConstraints({ width: 160, height: 120, frameRate: 5 });
  });
  await page.$eval('[name="name"]', (input, value) => { input.value = value; }, name);
  await page.click('.submit');
}

/** @returns {Promise<Person>} */
export async function inCall(page, name) {
  const id = await waitFor(page, () => document.querySelector('#tiles .tile[data-self]')?.dataset.peerId, { what: `${name} is in the call` });
  return { page, name, id };
}

export function previewPlays(page) {
  return waitFor(page, () => document.querySelector('#preview video')?.videoWidth > 0);
}

/** Everybody has a tile of everybody, its picture moves and there is sound. @param {Person[]} people */
export async function allTogether(people) {
  await Promise.all(people.map(async (person) => {
    const others = people.filter((other) => other !== person);
    await isTogether(person, others);
    await mediaFlows(person.page, { peers: others.length, timeout: 40_000 });
    for (const other of others) {
      await framesGrow(person.page, `${tileOf(other)} video`);
      await shows(person, `${tileOf(other)}[data-video="on"][data-speaking]`);
    }
  }));
}

/** The whole picture of the screen of one moves at the others, the right way round. @param {Person} person @param {Person[]} others */
export async function seeScreenOf(person, others) {
  await Promise.all(others.map(async (other) => {
    await hasText(other, `${screenOf(person)} .name`, `${person.name}’s screen`);
    await shows(other, `${screenOf(person)}[data-video="on"]`);
    await framesGrow(other.page, `${screenOf(person)} video`);
    const style = await other.page.$eval(`${screenOf(person)} video`, (video) => {
      const { objectFit, transform } = getComputedStyle(video);
      return { objectFit, transform };
    });
    assert.deepEqual(style, { objectFit: 'contain', transform: 'none' });
  }));
}

/** @param {Person[]} people */
export function seeNoScreen(people) {
  return Promise.all(people.map((person) => shows(person, '#screens[hidden]:empty')));
}

/** Exactly these tiles, each with its name, all connected. @param {Person} person @param {Person[]} others */
export async function isTogether(person, others) {
  const expected = [[person.id, `${person.name} (you)`], ...others.map(({ id, name }) => [id, name])].sort();
  await waitFor(person.page, tilesAre, { what: `${person.name} sees ${JSON.stringify(expected)}`, args: [expected], timeout: 40_000 });
}

/** Runs in the page. */
function tilesAre(expected) {
  const tiles = [...document.querySelectorAll('#tiles .tile:not([hidden])')];
  const seen = tiles.map((tile) => [tile.dataset.peerId, tile.querySelector('.name').textContent]).sort();
  const connected = tiles.every((tile) => 'self' in tile.dataset || tile.dataset.state === 'connected');
  return connected && JSON.stringify(seen) === JSON.stringify(expected);
}

/** @param {Person} person @param {Person} gone */
export function isGone({ page, name }, gone) {
  const what = `${gone.name} is gone at ${name}`;
  return waitFor(page, (selector) => !document.querySelector(selector), { what, args: [tileOf(gone)], timeout: LEAVE_MS });
}

/** @param {Person} person @param {string} selector */
export function shows({ page, name }, selector) {
  return waitFor(page, (wanted) => Boolean(document.querySelector(wanted)), { what: `${selector} at ${name}`, args: [selector] });
}

/** @param {Person} person @param {string} selector @param {string} text */
export function hasText({ page, name }, selector, text) {
  const isThere = (wanted, expected) => document.querySelector(wanted)?.textContent === expected;
  return waitFor(page, isThere, { what: `"${text}" in ${selector} at ${name}`, args: [selector, text] });
}

/** Runs in the page: what it films and records, with what it sends. */
export function liveTracks() {
  return [...document.querySelectorAll('video')].flatMap(({ srcObject }) => srcObject?.getTracks() ?? [])
    .concat(window.__connections.flatMap((connection) => connection.getSenders().map(({ track }) => track)))
    .filter((track) => track?.readyState === 'live').map(({ kind }) => kind);
}

/** @param {Person} person */
export function tileOf({ id }) {
  return `#tiles .tile[data-peer-id="${id}"]`;
}

/** @param {Person} person */
export function screenOf({ id }) {
  return `#screens .tile[data-peer-id="${id}"]`;
}
