/** The group call in several rooms at once: one connection to each person, and a chat and a name for each room. */
import assert from 'node:assert/strict';

import { GAP_MS, longestGap } from '../call.js';
import { browserTest, framesGrow, mediaFlows, waitFor } from '../harness.js';
import { isGood } from '../looks.js';
import { allTogether, hasText, inCall, isGone, isTogether, joinAt, liveTracks, previewPlays, shows, tileOf } from '../people.js';

browserTest('two who share two rooms have one connection, which goes on when one of the rooms is left', { timeout: 180_000 }, async ({ server, open }) => {
  const ann = await joinAt(open, `${server.url}/#garden`, 'Ann');
  const ben = await joinAt(open, `${server.url}/#garden`, 'Ben');
  await allTogether([ann, ben]);
  await also(ann, 'music');
  await shows(ann, '[name="channel"]:focus'); // who works with the keyboard goes on from there
  await shows(ann, `${tileOf(ben)}[hidden]`);
  await mediaFlows(ann.page, { peers: 1 });
  await also(ben, 'music');
  await allTogether([ann, ben]);
  await isGood(ann.page, 'group rooms');
  await isGood(ben.page, 'group rooms of the other');
  await oneConnection([ann, ben]);

  const pages = [ann.page, ben.page];
  const before = await longestGap(pages, () => allTogether([ann, ben]));

  // Ben leaves the room that he sees, which both came to second; the other one holds the call.
  const withoutSecond = await longestGap(pages, async () => {
    await part(ben, 'music');
    await hasText(ben, '#call-title', 'garden');
    await isTogether(ben, [ann]);
    await shows(ann, `${tileOf(ben)}[hidden]`);
    await peopleIn(ann, 'music', ['Ann (you)']);
    await turnTo(ann, 'garden');
    await allTogether([ann, ben]);
  });

  // The same with the one which both came to first.
  await also(ben, 'music');
  await turnTo(ann, 'music');
  await allTogether([ann, ben]);
  const withoutFirst = await longestGap(pages, async () => {
    await part(ann, 'garden');
    await peopleIn(ben, 'garden', ['Ben (you)']);
    await allTogether([ann, ben]);
  });
  for (const gap of [withoutSecond, withoutFirst]) assert.ok(gap < before + GAP_MS, `no frame for ${gap} ms, and ${before} ms before`);
  await oneConnection([ann, ben]);

  // With the last of the shared rooms it ends, though both are in a room.
  await turnTo(ben, 'garden');
  await part(ben, 'music');
  await Promise.all([isGone(ann, ben), isGone(ben, ann)]);
  await waitFor(ann.page, () => window.__connections.every(({ connectionState }) => connectionState === 'closed'));
});

browserTest('what is written in a room is read there only, and counted while nobody looks', {}, async ({ server, open }) => {
  const ann = await joinAt(open, `${server.url}/#garden`, 'Ann');
  const ben = await joinAt(open, `${server.url}/#garden`, 'Ben', { viewport: 'phone' });
  await isTogether(ann, [ben]);
  await also(ann, 'music');
  await ben.page.click('[data-panel="rooms"]');
  await isGood(ben.page, 'group rooms panel');
  await also(ben, 'music');
  await isTogether(ann, [ben]);

  // Ann looks at the garden, where her chat is open; on Ben's phone it is not.
  await turnTo(ann, 'garden');
  await ben.page.click('.bar [data-panel="chat"]');
  await write(ben, 'for music');
  await write(ben, 'once more');
  await hasText(ann, `${entry('music')} .count`, '2');
  assert.deepEqual(await readIn(ann), []);
  await write(ann, 'for the garden');
  await hasText(ben, '[data-panel="rooms"] .count', '1');
  assert.deepEqual(await readIn(ben), ['for music', 'once more']);
  await isGood(ben.page, 'group unread');

  await turnTo(ann, 'music');
  await shows(ann, `${entry('music')} .badge[hidden]`);
  assert.deepEqual(await readIn(ann), ['for music', 'once more']);
  await ben.page.click('#chat-panel [data-close-panel]');
  await write(ann, 'for music, too');
  await hasText(ben, '.bar [data-panel="chat"] .count', '1');
  await ben.page.click('.bar [data-panel="chat"]');
  await shows(ben, '.bar [data-panel="chat"] .badge[hidden]');
  await ben.page.click('#chat-panel [data-close-panel]');
  await ben.page.click('[data-panel="rooms"]');
  await turnTo(ben, 'garden');
  assert.deepEqual(await readIn(ben), ['for the garden']);
});

browserTest('a name of one room is told there only, also to who comes late', {}, async ({ server, open }) => {
  const ann = await joinAt(open, `${server.url}/#garden`, 'Ann');
  await also(ann, 'music');
  const ben = await joinAt(open, `${server.url}/#garden`, 'Ben');
  await also(ben, 'music');
  await isTogether(ann, [ben]);

  await ann.page.$eval('#name-here', (input) => { input.value = ''; });
  await ann.page.type('#name-here', 'DJ Ann');
  await ann.page.keyboard.press('Tab');
  const dj = { ...ann, name: 'DJ Ann' };
  await Promise.all([isTogether(ben, [dj]), isTogether(dj, [ben])]);
  await peopleIn(ben, 'garden', ['Ann', 'Ben (you)']);
  await peopleIn(ben, 'music', ['Ben (you)', 'DJ Ann']);
  const cem = await joinAt(open, `${server.url}/#music`, 'Cem');
  await isTogether(cem, [dj, ben]);
  const dora = await joinAt(open, `${server.url}/#garden`, 'Dora');
  await isTogether(dora, [ann, ben]);

  await Promise.all([turnTo(ann, 'garden'), turnTo(ben, 'garden')]);
  await Promise.all([isTogether(ann, [ben, dora]), isTogether(ben, [ann, dora])]);

  // Who comes back from the leave screen has rooms and names again.
  await turnTo(ann, 'music');
  await ann.page.click('[data-leave]');
  await Promise.all([ben, cem].map((person) => isGone(person, ann)));
  await ann.page.click('[data-rejoin]');
  const annAgain = await inCall(ann.page, 'Ann');
  const djAgain = { ...annAgain, name: 'DJ Ann' };
  await Promise.all([isTogether(djAgain, [ben, cem]), isTogether(cem, [ben, djAgain]), isTogether(dora, [annAgain, ben])]);
  assert.equal(await ann.page.$$eval('.room-chat:not([hidden])', (all) => all.length), 1, 'one chat is seen, not all');
});

browserTest('two who each share a room with a third do not meet', { timeout: 180_000 }, async ({ server, open }) => {
  const ann = await joinAt(open, `${server.url}/#garden`, 'Ann');
  const ben = await joinAt(open, `${server.url}/#garden`, 'Ben');
  await also(ben, 'music');
  const cem = await joinAt(open, `${server.url}/#music`, 'Cem');
  await Promise.all([isTogether(ben, [cem]), isTogether(cem, [ben])]);
  await isTogether(ann, [ben]);
  await mediaFlows(ann.page, { peers: 1 });
  await mediaFlows(cem.page, { peers: 1 });
  await mediaFlows(ben.page, { peers: 2 });
  await peopleIn(ann, 'garden', ['Ann (you)', 'Ben']);

  // He hears the one whom he does not see.
  await shows(ben, `${tileOf(ann)}[hidden][data-speaking]`);
  await shows(ben, `${entry('garden')} [data-peer-id="${ann.id}"][data-speaking]`);
  assert.ok(await ben.page.$eval(`${tileOf(ann)} video`, ({ paused, muted }) => !paused && !muted), 'her sound is played');
  await turnTo(ben, 'garden');
  await isTogether(ben, [ann]);
  await framesGrow(ben.page, `${tileOf(ann)} video`);
});

browserTest('in and out of rooms: the link of the one that is seen, a full one, sixteen, and the last', { server: ['--capacity', '2'], timeout: 180_000 }, async ({ server, open }) => {
  const ann = await joinAt(open, `${server.url}/#garden`, 'Ann');
  const ben = await joinAt(open, `${server.url}/#garden`, 'Ben');
  const page = await open(`${server.url}/#kitchen`);
  await previewPlays(page);
  await page.click('.submit');
  const cem = { page, name: 'Guest', id: '' };
  await hasText(cem, '#call-title', 'kitchen');
  await ask(cem, 'garden');
  await hasText(cem, '#join-failure', 'That room is full.');
  await isGood(page, 'group full');
  await hasText(cem, '#call-title', 'kitchen');

  await also(ann, 'music');
  assert.equal(new URL(ann.page.url()).hash, '#music');
  await hasText(ann, '#alone .invite-url', `${server.url}/#music`);
  await ask(ann, 'garden');
  await hasText(ann, '#call-title', 'garden');
  assert.equal(new URL(ann.page.url()).hash, '#garden', 'who is in a room already only turns to it');

  await shows(cem, '#join-failure:not([hidden])');
  for (let n = 2; n <= 16; n += 1) await also(cem, `room ${n}`);
  await shows(cem, '#join-failure[hidden]');
  await ask(cem, 'room 17');
  await hasText(cem, '#join-failure', 'You are in as many rooms as you may be in at once. Leave one of them first.');
  await isGood(page, 'group limit');

  await part(ben, 'garden');
  await hasText(ben, '#left-title', 'You left the call');
  assert.deepEqual(await ben.page.evaluate(liveTracks), []);
  await isGone(ann, ben);
  await ben.page.click('[data-rejoin]');
  await isTogether({ ...ben, id: await waitFor(ben.page, () => document.querySelector('.tile[data-self]')?.dataset.peerId) }, [ann]);
});

/** @typedef {import('../people.js').Person} Person */

/** Asks for one more room. @param {Person} person @param {string} room */
async function ask({ page }, room) {
  await page.$eval('[name="channel"]', (input) => { input.value = ''; });
  await page.type('[name="channel"]', room);
  await page.keyboard.press('Enter');
}

/** Joins one more room, and sees it then. @param {Person} person @param {string} room */
async function also(person, room) {
  await ask(person, room);
  await hasText(person, '#call-title', room);
}

/** @param {Person} person @param {string} room */
async function turnTo(person, room) {
  await person.page.click(`${entry(room)} .room-enter`);
  await hasText(person, '#call-title', room);
}

/** @param {Person} person @param {string} room */
function part({ page }, room) {
  return page.click(`${entry(room)} .room-part`);
}

/** In the list of rooms. @param {string} room */
function entry(room) {
  return `.room[data-room="${room}"]`;
}

/** @param {Person} person @param {string} room @param {string[]} names in any order */
function peopleIn({ page, name }, room, names) {
  const are = (selector, wanted) => {
    const seen = [...document.querySelectorAll(selector)].map(({ textContent }) => textContent).sort();
    return JSON.stringify(seen) === JSON.stringify(wanted);
  };
  return waitFor(page, are, { what: `${name} sees ${names} in ${room}`, args: [`${entry(room)} .room-people bdi`, names.sort()] });
}

/** In the chat that is open. @param {Person} person @param {string} text */
async function write(person, text) {
  await person.page.type('.room-chat:not([hidden]) .chat-text', text);
  await person.page.keyboard.press('Enter');
}

/** The words in the chat of the room that is seen. @param {Person} person */
function readIn({ page }) {
  return page.$$eval('.room-chat:not([hidden]) .chat-words', (all) => all.map(({ textContent }) => textContent));
}

/** Everybody has had one RTCPeerConnection for the other since the page was loaded. @param {Person[]} people */
async function oneConnection(people) {
  for (const { page } of people) assert.equal(await page.evaluate(() => window.__connections.length), 1);
}
