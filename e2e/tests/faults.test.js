/** Sockets are cut and servers killed during a call: nobody in it sees anything, and nobody takes a place in it. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

import { GAP_MS, longestGap } from '../call.js';
import { arrive, assertNothingChanged, faultTest, knownAgain, resumed, toldSoFar, watchCall } from '../faults.js';
import { count, framesGrow, mediaFlows, waitFor } from '../harness.js';
import { allTogether, ask, enter, hasText, isTogether, shows, tileOf } from '../people.js';
import { poll } from '../page.js';

const NAMES = ['Ann', 'Ben', 'Cem', 'Dora'];
/** When after the last fault the sockets are cut, in ms, and whether the next ones are too. */
const CUTS = [[0], [700], [50, 'welcome'], [150, 'handshake']];

faultTest('a call of four outlives cut sockets and killed servers, and its chat arrives', async ({ server, proxy, open }) => {
  const people = [];
  for (const name of NAMES) people.push(await enter(await arrive(open, `${proxy.url}/#faults`), name));
  await allTogether(people);
  await watchCall(people);
  const pages = people.map(({ page }) => page);
  let said = 0;
  const everybodySpeaks = () => Promise.all(people.map((person) => say(person, said))).then(() => { said += 1; });

  const cut = async (round) => {
    const [moment, again] = CUTS[round % CUTS.length];
    await pause(moment);
    const before = await toldSoFar(people);
    assert.equal(proxy.cut(again), people.length);
    await everybodySpeaks();
    await resumed(people, before);
  };
  const restart = async (signal) => {
    const before = await toldSoFar(people);
    const code = await server.stop(signal);
    if (signal === 'SIGTERM') assert.equal(code, 0);
    await everybodySpeaks();
    await server.start();
    await knownAgain(people, before);
  };

  const start = performance.now();
  const withFaults = await longestGap(pages, async () => {
    const kills = count('SERVER_KILLS', 1);
    const cuts = count('CALL_CUTS', 4);
    for (let round = 0; round < cuts; round += 1) {
      await cut(round);
      await everybodySpeaks();
      const due = Math.floor(((round + 1) * kills) / cuts) - Math.floor((round * kills) / cuts);
      for (let kill = 0; kill < due; kill += 1) await restart('SIGKILL');
    }
    await restart('SIGTERM');
    await everybodySpeaks();
  });
  const time = performance.now() - start;
  await Promise.all(people.map((person) => heardAll(person, said)));

  // In less time there is less of a gap: that is the stricter comparison.
  const control = Math.min(time, count('CONTROL_SECONDS', 5) * 1_000);
  const without = await longestGap(pages, () => pause(control));
  assert.ok(withFaults <= without + GAP_MS, `no frame for ${withFaults} ms with faults, and for ${without} ms without`);
  await assertNothingChanged(people);
  const [ann, ...others] = people;
  await ann.page.click('.bar [data-toggle="audio"]');
  await Promise.all(others.map((other) => shows(other, `${tileOf(ann)}[data-audio="off"]`)));
});

faultTest('who returns after a restart has the seat again, though somebody else was there first', async ({ server, proxy, open }) => {
  const path = '/two/#pair';
  const [ann, ben] = [await enter(await arrive(open, proxy.url + path), 'Ann'), await enter(await arrive(open, proxy.url + path), 'Ben')];
  await isTogether(ann, [ben]);
  const cem = { page: await arrive(open, server.url + path), name: 'Cem', id: '' };
  await ask(cem.page, 'Cem');
  await shows(cem, '#full:not([hidden])');
  await watchCall([ann, ben]);

  const before = await toldSoFar([ann, ben, cem]);
  proxy.isClosed = true;
  await server.stop('SIGKILL');
  await server.start();
  // He tries all the time, and asks before the others can.
  await cem.page.evaluate(() => { window.knocking = setInterval(() => document.getElementById('knock').click(), 50); });
  await waitFor(cem.page, ({ welcomes, asked }) => window.told.welcomes.length > welcomes && window.told.asked > asked, {
    what: 'Cem asks the new server for a seat', args: [before[2]],
  });
  proxy.isClosed = false;
  await knownAgain([ann, ben], before);
  await hasText(cem, '#knocked', 'Still full: both seats are taken.');
  assert.equal(await cem.page.evaluate(() => window.told.joined), 0);
  await allTogether([ann, ben]);
  await assertNothingChanged([ann, ben]);
});

faultTest('a talk of strangers outlives a server that is killed', async ({ server, proxy, open }) => {
  const [ann, ben] = NAMES.slice(0, 2).map((name) => ({ name }));
  for (const person of [ann, ben]) {
    person.page = await arrive(open, `${proxy.url}/strangers/`);
    await ask(person.page, person.name);
  }
  const isTalking = (person, other) => hasText(person, '#call-title', `You are talking to ${other.name}`);
  await Promise.all([isTalking(ann, ben), isTalking(ben, ann)]);
  await Promise.all([ann, ben].map(({ page }) => mediaFlows(page, { peers: 1 })));
  await restartDuring([ann, ben], server);
  await Promise.all([isTalking(ann, ben), isTalking(ben, ann)]);
  await Promise.all([ann, ben].map(({ page }) => mediaFlows(page, { peers: 1 })));
  await ann.page.click('.bar [data-toggle="audio"]');
  await shows(ben, '#tiles .tile:not([data-self])[data-audio="off"]');
});

faultTest('a broadcast outlives a server that is killed', async ({ server, proxy, open }) => {
  const [ann, vera, will] = ['Ann', 'Vera', 'Will'].map((name) => ({ name }));
  const people = [ann, vera, will];
  for (const person of people) person.page = await arrive(open, `${proxy.url}/star/`);
  await ann.page.click('.choice:has([value="broadcast"])');
  await ask(ann.page, 'Ann');
  for (const { page, name } of [vera, will]) {
    await page.type('[name="name"]', name);
    await page.click('.submit');
  }
  const isLive = async () => {
    await shows(ann, '.tile[data-self][data-video="on"] .mark:not([hidden])');
    await Promise.all(people.map((person) => hasText(person, '#audience-size', '2 viewers')));
    await Promise.all([vera, will].map(({ page }) => framesGrow(page, '#tiles .tile video')));
  };
  await isLive();
  await restartDuring(people, server);
  await isLive();
  await vera.page.type('.chat-text', 'bravo');
  await vera.page.keyboard.press('Enter');
  await Promise.all([ann, will].map((person) => hasText(person, '.chat-words', 'bravo')));
});

/** Kills the server and starts it again, which nobody sees. @param {import('../faults.js').Person[]} people @param {import('../faults.js').LastingServer} server */
async function restartDuring(people, server) {
  await watchCall(people);
  const before = await toldSoFar(people);
  await server.stop('SIGKILL');
  await server.start();
  await knownAgain(people, before);
  await assertNothingChanged(people);
}

/** Writes this number into the chat that is open. @param {import('../people.js').Person} person @param {number} number */
function say({ page }, number) {
  return page.evaluate((text) => {
    const field = document.querySelector('.room-chat:not([hidden]) .chat-text');
    field.value = text;
    field.form.requestSubmit();
  }, `number ${number}`);
}

/** Each of the others has written these numbers, in this order. @param {import('../people.js').Person} person @param {number} said */
async function heardAll({ page, name }, said) {
  const numbers = Array.from({ length: said }, (_, number) => `number ${number}`);
  const expected = Object.fromEntries(NAMES.map((from) => [from === name ? 'You' : from, numbers]));
  const heard = await poll(`all that was said at ${name}`, 20_000, async () => {
    const value = await page.$$eval('.chat-entry:has(.chat-words)', (entries) => {
      const words = {};
      for (const entry of entries) {
        (words[entry.querySelector('.chat-name').textContent] ??= []).push(entry.querySelector('.chat-words').textContent);
      }
      return words;
    });
    const isThere = (from) => (value[from]?.length ?? 0) >= said;
    return { done: Object.keys(expected).every(isThere), value };
  });
  assert.deepEqual(heard, expected);
}
