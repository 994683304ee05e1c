/** Strangers of the demo server, in real pages: who looks meets whoever waits longest, talks, and goes on to the next. */
import assert from 'node:assert/strict';

import { BLANK } from '../call.js';
import { browserTest, framesGrow, mediaFlows, VIEWPORTS, waitFor } from '../harness.js';
import { isGood } from '../looks.js';
import { ask, hasText, liveTracks, shows } from '../people.js';

/** Those who have just talked meet again only after so long. */
const LAST_PARTNER_MS = 3_000;

browserTest('two who look see and hear each other and write, and a stop switches the camera off', {}, async ({ server, open }) => {
  const page = await open(`${server.url}/strangers/`);
  await isGood(page, 'strangers card');
  await ask(page, 'Ann');
  const ann = { page, name: 'Ann' };
  await searches(ann);
  await waitsAlone(ann);
  await isGood(page, 'strangers search');
  const ben = await look(open, server, 'Ben', { viewport: 'phone' });
  await talk(ann, ben);
  await isGood(ann.page, 'strangers talk');

  await write(ann, 'hello n, next?');
  await hasText(ben, '.chat-entry:not([data-self]) .chat-words', 'hello n, next?');
  await hasText(ben, '.chat-entry:not([data-self]) .chat-name', 'Ann');
  await ben.page.type('.chat-text', 'never sent');
  await ben.page.keyboard.press('Escape');
  await ann.page.click('.bar [data-toggle="audio"]');
  await shows(ben, `${STRANGER}[data-audio="off"]`);
  await ann.page.click('.bar [data-toggle="video"]');
  await shows(ben, `${STRANGER}[data-video="off"]`);
  await isTalkingTo(ben, 'Ann'); // neither N nor Escape has cut while they were typing

  const connection = await ann.page.evaluateHandle(() => window.__connections.at(-1));
  await ann.page.click('[data-stop]');
  await shows(ann, '#left:not([hidden])');
  assert.deepEqual(await ann.page.evaluate(liveTracks), [], 'who has stopped films and records nothing');
  assert.equal(await connection.evaluate(({ connectionState }) => connectionState), 'closed');
  await isGood(ann.page, 'strangers left');
  await hasText(ben, '#call-title', 'Ann has left');
  await isGood(ben.page, 'strangers gone');
  await searches(ben);

  await ann.page.click('[data-again]');
  await isTalkingTo(ann, 'Ben');
  await shows(ben, `${STRANGER}[data-video="off"]`); // a camera that was off stays off
  await ann.page.keyboard.press('m');
  await ann.page.keyboard.press('v');
  await talk(ann, ben);
  assert.equal(await ben.page.$eval('.chat-text', ({ value }) => value), '', 'what was meant for the last one is gone');
});

browserTest('next leads to whoever waits longest, and who is left looks again by itself', { timeout: 240_000 }, async ({ server, open }) => {
  const ann = await look(open, server, 'Ann');
  const ben = await look(open, server, 'Ben');
  await talk(ann, ben);
  const cem = await look(open, server, 'Cem');
  await waitsAlone(cem);

  await ann.page.click('#next');
  await talk(ann, cem);
  await searches(ben);
  await waitsAlone(ben);

  // Cem closes the tab: Ann is told, and has Ben without doing anything.
  await cem.page.close();
  await hasText(ann, '#call-title', 'Cem has left');
  await talk(ann, ben);

  const dora = await look(open, server, 'Dora');
  await waitsAlone(dora);
  await ben.page.click('.stage'); // no field has the focus
  await ben.page.keyboard.press('n');
  await talk(ben, dora);
  await hasText(ann, '#call-title', 'Ben has left');
  await ann.page.keyboard.press('Escape'); // at once, without waiting for it
  await searches(ann);
});

browserTest('two who have just talked meet again, but not at once', {}, async ({ server, open }) => {
  const ann = await look(open, server, 'Ann');
  const ben = await look(open, server, 'Ben');
  await talk(ann, ben);
  const before = performance.now();
  await ann.page.click('#next');
  await hasText(ben, '#call-title', 'Ann has left');
  await ben.page.click('#next'); // or by himself, on a machine that is too slow for this
  await talk(ann, ben);
  assert.ok(performance.now() - before > LAST_PARTNER_MS - 100, 'nobody else has come for so long');
});

browserTest('a search can be stopped, and who has stopped is met by nobody', {}, async ({ server, open }) => {
  const ann = await look(open, server, 'Ann');
  await waitsAlone(ann);
  await ann.page.click('[data-stop]');
  await shows(ann, '#left:not([hidden])');
  assert.deepEqual(await ann.page.evaluate(liveTracks), []);

  const ben = await look(open, server, 'Ben');
  await waitsAlone(ben);
  const cem = await look(open, server, 'Cem');
  await talk(ben, cem);

  // While the pause after a talk runs, too.
  await cem.page.click('#next');
  await hasText(ben, '#call-title', 'Cem has left');
  await ben.page.click('[data-stop]');
  await shows(ben, '#left:not([hidden])');
  await waitsAlone(cem);
  await ann.page.click('[data-lobby]');
  await shows(ann, '#lobby:not([hidden])');
  await ask(ann.page, 'Ann');
  await talk(ann, cem);
});

browserTest('who looks for one topic does not meet who looks for another', {}, async ({ server, open }) => {
  const ann = await look(open, server, 'Ann', {}, 'music');
  const ben = await look(open, server, 'Ben', {}, 'Chess%20openings');
  await Promise.all([ann, ben].map(waitsAlone));
  await hasText(ben, '#topic', 'Topic: chess openings');

  const cem = await look(open, server, 'Cem');
  await waitsAlone(cem);
  await cem.page.click('[data-stop]');
  await cem.page.click('[data-lobby]');
  await cem.page.click('.choice:has([value=""])');
  await cem.page.type('[name="own"]', ' CHESS  openings ');
  await ask(cem.page, 'Cem');
  await talk(ben, cem);
  await waitsAlone(ann);
});

browserTest('at a table for three nobody meets before all are there, and two go on when one leaves', { timeout: 180_000 }, async ({ server, open }) => {
  const topic = 'table%20for%20three';
  const ann = await look(open, server, 'Ann', {}, topic);
  await waitsAlone(ann);
  const ben = await look(open, server, 'Ben', { viewport: 'phone' }, topic);
  await Promise.all([ann, ben].map((person) => hasText(person, '#search-text', '2 people wait, you among them.')));
  const cem = await look(open, server, 'Cem', {}, topic);
  await waitFor(ann.page, () => /^You are talking to (Ben and Cem|Cem and Ben)$/.test(document.querySelector('#call-title').textContent));
  await Promise.all([ann, ben, cem].map(({ page }) => mediaFlows(page, { peers: 2 })));
  await isGood(ann.page, 'strangers table');
  assert.equal(await ben.page.evaluate(() => innerWidth), VIEWPORTS.phone.width, 'nothing is wider than the phone');
  await write(ann, 'hello both');
  await Promise.all([ben, cem].map((person) => hasText(person, '.chat-words', 'hello both')));

  await cem.page.click('#next');
  await searches(cem);
  await talk(ann, ben);
  await hasText(ann, '.chat-note', 'Cem has left');
  await ben.page.click('[data-stop]');
  await hasText(ann, '#call-title', 'Ben has left');
});

browserTest('who has waited too long is told that nobody came', {}, async ({ server, open }) => {
  const page = await open(server.url + BLANK);
  await page.evaluateOnNewDocument(() => {
    window.WebSocket = class extends WebSocket {
      constructor(...args) {
        super(...args);
        window.socket = this;
      }
    };
  });
  await page.goto(`${server.url}/strangers/`);
  await ask(page, 'Ann');
  const ann = { page, name: 'Ann' };
  await waitsAlone(ann);
  // What the server sends after some minutes.
  await page.evaluate(() => {
    const data = JSON.stringify({ type: 'matchEnded', pool: 'anything', reason: 'timeout' });
    window.socket.dispatchEvent(new MessageEvent('message', { data }));
  });
  await hasText(ann, '#left-reason', 'Nobody has come. Try again, or choose another topic.');
  assert.deepEqual(await page.evaluate(liveTracks), []);
  await page.click('[data-again]');
  await waitsAlone(ann);
});

const STRANGER = '#tiles .tile:not([data-self])';

/** @typedef {import('../people.js').Person} Person */

/** @returns {Promise<{ page: import('puppeteer-core').Page, name: string }>} */
async function look(open, server, name, options, topic = '') {
  const page = await open(`${server.url}/strangers/#${topic}`, options);
  await ask(page, name);
  return { page, name };
}

async function searches(person) {
  await hasText(person, '#call-title', 'Looking for somebody…');
  await shows(person, '#alone[data-state="search"]:not([hidden])');
}

function waitsAlone(person) {
  return hasText(person, '#search-text', 'You are the only one who waits so far.');
}

/** Each sees and hears the other one. */
async function talk(one, other) {
  for (const [person, stranger] of [[one, other], [other, one]]) {
    await isTalkingTo(person, stranger.name);
    await shows(person, `${STRANGER}[data-state="connected"][data-video="on"]`);
    await mediaFlows(person.page, { peers: 1 });
    await framesGrow(person.page, `${STRANGER} video`);
  }
}

async function isTalkingTo(person, name) {
  await hasText(person, '#call-title', `You are talking to ${name}`);
  await hasText(person, `${STRANGER} .name`, name);
  await shows(person, '#alone[hidden]');
}

async function write({ page }, text) {
  await page.type('.chat-text', text);
  await page.keyboard.press('Enter');
}
