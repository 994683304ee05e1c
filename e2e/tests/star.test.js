/** The broadcast of the demo server, in real pages: one is live, who watches meets nobody else, and the next in line takes over. */
import assert from 'node:assert/strict';

import { BLANK } from '../call.js';
import { browserTest, framesGrow, mediaFlows, receivers, waitFor } from '../harness.js';
import { isGood } from '../looks.js';
import { ask, hasText, seeScreenOf, seeNoScreen, shows } from '../people.js';

browserTest('viewers meet the one who is live and nobody else', { timeout: 180_000 }, async ({ server, open }) => {
  const ann = await broadcast(open, server, 'Ann');
  await isLive(ann, 0);
  const vera = await watch(open, server, 'Vera');
  const will = await watch(open, server, 'Will', { viewport: 'phone' });
  await Promise.all([vera, will].map((viewer) => sees(viewer, ann)));
  const xena = await watch(open, server, 'Xena');
  await sees(xena, ann);
  await Promise.all([ann, vera, will, xena].map((person) => hasText(person, '#audience-size', '3 viewers')));

  for (const viewer of [vera, will, xena]) {
    await mediaFlows(viewer.page, { peers: 1 });
    assert.equal(await connections(viewer), 1, `${viewer.name} is connected to one`);
    assert.deepEqual(await tilesOf(viewer), ['Ann'], `${viewer.name} sees one`);
    assert.equal(await viewer.page.evaluate(() => window.asked), 0, `${viewer.name} was not asked for a camera`);
    assert.equal(await viewer.page.$eval('#own-controls', ({ hidden }) => hidden), true);
  }
  assert.equal(await connections(ann), 3);
  assert.deepEqual(await receivers(ann.page), [], 'nothing comes from the viewers');
  assert.deepEqual(await tilesOf(ann), ['Ann (you)']);
  assert.deepEqual(await audience(ann), ['Vera', 'Will', 'Xena']);
  await isGood(ann.page, 'star live');
  await isGood(will.page, 'star watching');

  await vera.page.click('[data-leave]');
  await isGood(vera.page, 'star left');
  await Promise.all([ann, will, xena].map((person) => hasText(person, '#audience-size', '2 viewers')));
  await ann.page.click('#share');
  await seeScreenOf({ ...ann, id: await hostId(will) }, [will, xena]);
  await ann.page.click('#share');
  await seeNoScreen([will, xena]);
});

browserTest('what a viewer writes reaches all through the one who is live, under the own name', {}, async ({ server, open }) => {
  const ann = await broadcast(open, server, 'Ann');
  await isLive(ann, 0);
  const vera = await watch(open, server, 'Vera');
  const will = await watch(open, server, 'Will');
  await Promise.all([vera, will].map((viewer) => sees(viewer, ann)));

  await write(vera, '<b>bravo</b>');
  await Promise.all([ann, vera, will].map((person) => lastMessage(person, '<b>bravo</b>')));
  await write(ann, 'thank you');
  await Promise.all([ann, vera, will].map((person) => lastMessage(person, 'thank you')));
  assert.deepEqual(await messages(ann), ['Vera: <b>bravo</b>', 'You: thank you']);
  assert.deepEqual(await messages(vera), ['You: <b>bravo</b>', 'Ann: thank you']);
  assert.deepEqual(await messages(will), ['Vera: <b>bravo</b>', 'Ann: thank you']);

  // One who speaks the protocol without our page.
  const mallory = await open(server.url + BLANK);
  await mallory.evaluate(async (id) => {
    const { connect } = await import('/client.js');
    const client = await connect(new URL('/star/signal', location.href));
    const channel = await client.join('main stage', { userdata: { name: 'Mallory', watch: true } });
    for (const data of [null, 'text', { audience: 999 }, { text: 7 }, { id, name: 'Ann', text: 'forged' }]) await channel.send(data);
  }, await hostId(vera));
  await Promise.all([ann, vera, will].map((person) => lastMessage(person, 'forged')));
  for (const person of [ann, vera, will]) {
    assert.equal((await messages(person)).at(-1), 'Mallory: forged');
    assert.equal((await messages(person)).length, 3);
    await hasText(person, '#audience-size', '3 viewers');
  }
});

browserTest('the next in line takes over, who watches never does, and a stage that was empty recovers', { timeout: 240_000 }, async ({ server, open }) => {
  const vera = await watch(open, server, 'Vera');
  await shows(vera, '#empty:not([hidden])');
  await isGood(vera.page, 'star empty');
  await write(vera, 'anybody?');
  await hasText(vera, '.chat-note', 'Not sent: nobody is live');

  const ann = await broadcast(open, server, 'Ann');
  await sees(vera, ann);
  const ben = await broadcast(open, server, 'Ben');
  await sees(ben, ann);
  const cem = await broadcast(open, server, 'Cem', { viewport: 'phone' });
  await sees(cem, ann);
  for (const { page, name } of [ben, cem]) {
    assert.match(await page.$eval('#place', ({ textContent }) => textContent), /^Ann is live, you are in line\./);
    assert.deepEqual(await page.evaluate(() => window.sent), [], `${name} has sent nothing, not even while joining`);
    assert.equal(await page.evaluate(isCameraOpen), false, `${name}’s camera is off`);
  }
  assert.deepEqual(await receivers(ann.page), [], 'nothing comes from those in line');
  assert.deepEqual(await audience(ann), ['Vera', 'Ben (next in line)', 'Cem']);
  await isGood(ben.page, 'star line');

  await ann.page.click('[data-leave]');
  await isLive(ben, 2);
  await Promise.all([vera, cem].map((person) => sees(person, ben)));
  assert.equal(await ann.page.evaluate(isCameraOpen), false, 'who has left films nothing');
  assert.deepEqual(await cem.page.evaluate(() => window.sent), []);
  assert.equal(await connections(vera), 1);

  await ben.page.close();
  await isLive(cem, 1);
  await sees(vera, cem);

  await cem.page.click('[data-leave]');
  await shows(vera, '#empty:not([hidden])');
  assert.deepEqual(await tilesOf(vera), []);
  assert.equal(await vera.page.evaluate(() => window.asked), 0, 'who watches is never live');

  // Who left comes back, and is live at once.
  await ann.page.click('[data-rejoin]');
  await isLive(ann, 1);
  await sees(vera, ann);
});

/** @typedef {{ page: import('puppeteer-core').Page, name: string }} Person */

/** @returns {Promise<Person>} */
async function watch(open, server, name, options) {
  const page = await arrive(open, server, options);
  assert.equal(await page.$eval('[name="part"][value="watch"]', ({ checked }) => checked), true);
  await isGood(page, 'star card watch');
  await page.type('[name="name"]', name);
  await page.click('.submit');
  return { page, name };
}

/** @returns {Promise<Person>} */
async function broadcast(open, server, name, options) {
  const page = await arrive(open, server, options);
  await page.click('.choice:has([value="broadcast"])');
  await isGood(page, 'star card broadcast');
  await ask(page, name);
  return { page, name };
}

/** On the card. */
async function arrive(open, server, options) {
  const page = await open(server.url + BLANK, options);
  await page.evaluateOnNewDocument(remember);
  await page.goto(`${server.url}/star/`);
  return page;
}

/** Runs in the page before any script of its own: keeps what was ever asked of the devices, and given to a connection. */
function remember() {
  window.asked = 0;
  window.opened = [];
  window.sent = [];
  const { getUserMedia } = MediaDevices.prototype;
  MediaDevices.prototype.getUserMedia = async function (...wanted) {
    window.asked += 1;
    const stream = await getUserMedia.apply(this, wanted);
    window.opened.push(stream);
    return stream;
  };
  for (const [{ prototype }, method] of [[RTCPeerConnection, 'addTransceiver'], [RTCPeerConnection, 'addTrack'], [RTCRtpSender, 'replaceTrack']]) {
    const original = prototype[method];
    prototype[method] = function (track, ...rest) {
      if (track instanceof MediaStreamTrack) window.sent.push(track.kind);
      return original.call(this, track, ...rest);
    };
  }
}

/** @param {Person} person @param {number} viewers */
async function isLive(person, viewers) {
  await waitFor(person.page, () => document.querySelector('#place').textContent.startsWith('You are live'), { what: `${person.name} is live` });
  await shows(person, '.tile[data-self][data-video="on"] .mark:not([hidden])');
  await shows(person, '#own-controls:not([hidden]) [data-toggle="video"][aria-pressed="true"]');
  await hasText(person, '#audience-size', viewers === 1 ? '1 viewer' : `${viewers} viewers`);
}

/** The one picture at the one is that of the other, and it moves. @param {Person} person @param {Person} host */
async function sees(person, host) {
  const isThere = (name) => document.querySelector('#tiles .tile')?.querySelector('.name').textContent === name;
  await waitFor(person.page, isThere, { what: `${person.name} sees ${host.name}`, args: [host.name], timeout: 40_000 });
  await shows(person, '#tiles .tile[data-state="connected"][data-video="on"] .mark:not([hidden])');
  await framesGrow(person.page, '#tiles .tile video');
}

/** @param {Person} viewer */
function hostId({ page }) {
  return page.$eval('#tiles .tile', ({ dataset }) => dataset.peerId);
}

/** @param {Person} person */
function tilesOf({ page }) {
  return page.$$eval('#tiles .tile .name', (names) => names.map(({ textContent }) => textContent));
}

/** @param {Person} person */
function audience({ page }) {
  return page.$$eval('#audience-list li', (members) => members.map(({ textContent }) => textContent));
}

/** @param {Person} person */
function connections({ page }) {
  return page.evaluate(() => window.__connections.filter(({ connectionState }) => connectionState === 'connected').length);
}

/** Runs in the page. */
function isCameraOpen() {
  return window.opened.flatMap((stream) => stream.getTracks()).some(({ readyState }) => readyState === 'live');
}

/** @param {Person} person @param {string} text */
async function write({ page }, text) {
  await page.type('.chat-text', text);
  await page.keyboard.press('Enter');
}

/** @param {Person} person @param {string} text */
function lastMessage({ page, name }, text) {
  const isLast = (wanted) => [...document.querySelectorAll('.chat-words')].at(-1)?.textContent === wanted;
  return waitFor(page, isLast, { what: `"${text}" at ${name}`, args: [text] });
}

/** @param {Person} person */
function messages({ page }) {
  return page.$$eval('.chat-entry:has(.chat-words)', (entries) => entries.map((entry) => {
    return `${entry.querySelector('.chat-name').textContent}: ${entry.querySelector('.chat-words').textContent}`;
  }));
}
