/** The room for two: who was first, who is third, and who comes back. */
import assert from 'node:assert/strict';

import { BLANK } from '../call.js';
import { browserTest, waitFor } from '../harness.js';
import { isGood } from '../looks.js';
import { poll } from '../page.js';
import { allTogether, ask, enter, hasText, inCall, isTogether, joinAt, liveTracks, seeNoScreen, seeScreenOf, shows, tileOf } from '../people.js';

const PATH = '/two/#pair';

browserTest('the first is told of the second and makes the offer; who leaves makes room, and may come back', { timeout: 180_000 }, async ({ server, open }) => {
  const annsPage = await open(`${server.url}${PATH}`);
  await isGood(annsPage, 'two card');
  await annsPage.evaluate(rememberDescriptions);
  const ann = await enter(annsPage, 'Ann');
  await hasText(ann, '#alone-title', 'You are the first here');
  await hasText(ann, '#alone .invite-url', `${server.url}${PATH}`);
  await shows(ann, '#swap[hidden]');
  await isGood(ann.page, 'two alone');

  const bensPage = await open(`${server.url}${PATH}`, { viewport: 'phone' });
  await bensPage.evaluate(rememberDescriptions);
  const ben = await enter(bensPage, 'Ben');
  await hasText(ann, '#status', 'Ben joined');
  await allTogether([ann, ben]);
  await shows(ann, '#alone[hidden]');
  await isGood(ann.page, 'two call');
  await isGood(ben.page, 'two call of the other');
  await firstDescriptions(ann, 'offer', ben, 'answer');

  await ben.page.click('[data-leave]');
  await hasText(ann, '#alone-title', 'Ben has left');
  assert.deepEqual(await ben.page.evaluate(liveTracks), [], 'who has left films and records nothing');
  await isGood(ben.page, 'two left');
  await ben.page.click('[data-rejoin]');
  const benAgain = await inCall(ben.page, 'Ben');
  await allTogether([ann, benAgain]);
  await firstDescriptions(ann, 'offer', benAgain, 'answer');

  await ann.page.click('[data-leave]');
  await hasText(benAgain, '#alone-title', 'Ann has left');
  await ann.page.click('[data-rejoin]');
  const annAgain = await inCall(ann.page, 'Ann');
  await allTogether([annAgain, benAgain]);
  await firstDescriptions(benAgain, 'offer', annAgain, 'answer');
});

browserTest('two mute, switch off, show a screen and swap the pictures', {}, async ({ server, open }) => {
  const ann = await joinAt(open, `${server.url}${PATH}`, 'Ann');
  const ben = await joinAt(open, `${server.url}${PATH}`, 'Ben', { viewport: 'phone' });
  await allTogether([ann, ben]);
  for (const person of [ann, ben]) {
    assert.ok(await ownIsSmaller(person), 'the own picture is the small one');
    await person.page.click('#swap');
    await shows(person, '#swap[aria-pressed="true"]');
    assert.ok(!await ownIsSmaller(person), 'and the large one after the swap');
  }
  await ann.page.click(`${tileOf(ben)}`);
  await shows(ann, '#swap[aria-pressed="false"]');
  assert.ok(await ownIsSmaller(ann), 'a press on the small picture swaps them, too');

  await ann.page.keyboard.press('m');
  await ann.page.keyboard.press('v');
  await shows(ben, `${tileOf(ann)}[data-audio="off"][data-video="off"] .muted:not([hidden])`);
  await ann.page.keyboard.press('m');
  await ann.page.keyboard.press('v');
  await allTogether([ann, ben]);

  await ann.page.click('#share');
  await seeScreenOf(ann, [ann, ben]);
  await ann.page.click('#share');
  await seeNoScreen([ann, ben]);
});

browserTest('a third finds the room full, knocks, and comes in when one has left', { timeout: 180_000 }, async ({ server, open }) => {
  const ann = await joinAt(open, `${server.url}${PATH}`, 'Ann');
  const ben = await joinAt(open, `${server.url}${PATH}`, 'Ben');
  await isTogether(ann, [ben]);
  const page = await open(`${server.url}${PATH}`);
  const cem = { page, name: 'Cem', id: '' };
  await ask(page, 'Cem');
  await shows(cem, '#full:not([hidden])');
  await hasText(cem, '.full-room', 'pair');
  await isGood(page, 'two full');
  await page.click('#knock');
  await hasText(cem, '#knocked', 'Still full: both seats are taken.');
  await isTogether(ann, [ben]);

  // By itself, as soon as there is a seat.
  await ben.page.click('[data-leave]');
  const cemInside = await inCall(page, 'Cem');
  await allTogether([ann, cemInside]);

  // The one who left is the third now, and gives up: a seat is not taken by who does not want it any more.
  await ben.page.click('[data-rejoin]');
  await shows(ben, '#full:not([hidden])');
  await ben.page.click('#full [data-lobby]');
  await shows(ben, '#lobby:not([hidden]) .submit:enabled');
  await cem.page.click('[data-leave]');
  await hasText(ann, '#alone-title', 'Cem has left');

  // Knocks only when told to.
  const dora = await joinAt(open, `${server.url}${PATH}`, 'Dora');
  await isTogether(ann, [dora]);
  await ben.page.evaluate(rememberInterval);
  await ben.page.click('.submit');
  await shows(ben, '#full:not([hidden])');
  await ben.page.click('#knock-on');
  await dora.page.click('[data-leave]');
  await hasText(ann, '#alone-title', 'Dora has left');
  assert.equal(await ben.page.evaluate(knocksByTheClock), false);
  await ben.page.click('#knock');
  await allTogether([ann, await inCall(ben.page, 'Ben')]);
});

browserTest('of ten who come at the same instant two are in and eight wait, one of whom follows who leaves', { timeout: 180_000 }, async ({ server, open }) => {
  const pages = await Promise.all(Array.from({ length: 10 }, () => openSilently(open, server)));
  await Promise.all(pages.map((page) => page.$eval('.submit', (button) => button.click())));
  let inside = await settled(pages);
  assert.equal(inside.length, 2);

  const [leaver] = inside;
  await leaver.click('[data-leave]');
  const rest = pages.filter((page) => page !== leaver);
  inside = await poll('one of those who wait follows', 20_000, async () => {
    const now = await settled(rest);
    assert.ok(now.length <= 2, 'never three');
    return { done: now.length === 2, value: now, seen: now.length };
  });
  for (const page of inside) await waitFor(page, () => document.querySelectorAll('#tiles .tile').length === 2);
});

browserTest('a page that is loaded anew may come in again while nobody else has, and is second then', {}, async ({ server, open }) => {
  const ann = await joinAt(open, `${server.url}${PATH}`, 'Ann');
  const ben = await joinAt(open, `${server.url}${PATH}`, 'Ben');
  await allTogether([ann, ben]);
  await ann.page.reload();
  await hasText(ben, '#alone-title', 'Ann has left');
  await Promise.all([ann, ben].map(({ page }) => page.evaluate(rememberDescriptions)));
  const annAgain = await enter(ann.page, 'Ann');
  await allTogether([annAgain, ben]);
  await firstDescriptions(ben, 'offer', annAgain, 'answer');
});

/** Runs in the page: keeps what the clock is to do. */
function rememberInterval() {
  const { setInterval } = window;
  window.setInterval = (callback, ms) => {
    window.__byTheClock = callback;
    return setInterval(callback, ms);
  };
}

/** Runs in the page: whether it knocks when the clock says that it is time. It stops the clock then. */
async function knocksByTheClock() {
  const { clearInterval } = window;
  let stopped = false;
  window.clearInterval = (timer) => {
    stopped = true;
    clearInterval(timer);
  };
  window.__byTheClock();
  await new Promise((resolve) => { setTimeout(resolve); });
  window.clearInterval = clearInterval;
  return stopped;
}

/** A page on the card whose microphone and camera are off, as the browser remembers them. */
async function openSilently(open, server) {
  const page = await open(`${server.url}${BLANK}`);
  await page.evaluate(() => localStorage.setItem('call-preferences', '{"audio":false,"video":false}'));
  await page.goto(`${server.url}${PATH}`);
  return page;
}

/** Those in the call, as soon as each page knows whether it is. @param {import('puppeteer-core').Page[]} pages */
async function settled(pages) {
  const screens = await Promise.all(pages.map((page) => waitFor(page, () => {
    return ['call', 'full'].find((id) => !document.getElementById(id).hidden);
  })));
  return pages.filter((_, n) => screens[n] === 'call');
}

/** Runs in the page: keeps the types of the session descriptions that it makes. */
function rememberDescriptions() {
  window.__described = [];
  const { setLocalDescription } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.setLocalDescription = async function (description) {
    await setLocalDescription.call(this, description);
    window.__described.push(this.localDescription?.type);
  };
}

/** What each described first, since it was asked last. */
async function firstDescriptions(one, role, other, otherRole) {
  const described = ({ page }) => page.evaluate(() => window.__described.splice(0)[0]);
  assert.deepEqual([await described(one), await described(other)], [role, otherRole]);
}

/** @param {import('../people.js').Person} person */
function ownIsSmaller({ page }) {
  return page.evaluate(() => {
    const width = (selector) => document.querySelector(selector).getBoundingClientRect().width;
    return width('.tile[data-self]') < width('.tile:not([data-self])') / 2;
  });
}
