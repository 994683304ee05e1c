/** The group call of the demo server, in real pages: who joins sees and hears everybody, and is seen and heard. */
import assert from 'node:assert/strict';

import { browserTest, framesGrow, launch, mediaFlows, waitFor } from '../harness.js';
import { isGood } from '../looks.js';
import {
  allTogether, enter, hasText, inCall, isGone, isTogether, joinAt, liveTracks, previewPlays, screenOf, seeNoScreen, seeScreenOf, shows, tileOf,
} from '../people.js';

const ROOM = 'group-test';

browserTest('two see and hear each other, mute and switch their cameras off', {}, async ({ server, open }) => {
  const ann = await join(open, server, 'Ann');
  const ben = await join(open, server, 'Ben', { viewport: 'phone' });
  await allTogether([ann, ben]);
  for (const [person, other] of [[ann, ben], [ben, ann]]) {
    await shows(person, `${tileOf(other)} .quality[data-level][title$="% lost"]:not([hidden])`);
    assert.match(await person.page.$eval(`${tileOf(other)} .quality-text`, ({ textContent }) => textContent), / connection$/);
  }

  await ann.page.keyboard.press('m');
  await shows(ben, `${tileOf(ann)}[data-audio="off"] .muted:not([hidden])`);
  await waitFor(ben.page, hearsNothing, { what: 'silence at Ben' });
  await ann.page.click('.bar [data-toggle="audio"]');
  await shows(ben, `${tileOf(ann)}[data-audio="on"][data-speaking]`);

  const camera = await ann.page.evaluateHandle(() => document.querySelector('[data-self] video').srcObject.getVideoTracks()[0]);
  await ann.page.keyboard.press('v');
  await shows(ben, `${tileOf(ann)}[data-video="off"]`);
  assert.equal(await camera.evaluate((track) => track.readyState), 'ended', 'the light of the camera is out');
  await hasText(ben, `${tileOf(ann)} .initials`, 'A');
  await ann.page.click('.bar [data-toggle="video"]');
  await shows(ben, `${tileOf(ann)}[data-video="on"]`);
  await framesGrow(ben.page, `${tileOf(ann)} video`);
  await allTogether([ann, ben]);
});

browserTest('who comes late sees who is muted and whose camera is off', {}, async ({ server, open }) => {
  const ann = await join(open, server, 'Ann');
  await ann.page.keyboard.press('m');
  await ann.page.keyboard.press('v');
  await shows(ann, '.bar [data-toggle="video"][aria-pressed="false"]');
  const ben = await join(open, server, 'Ben');
  await isTogether(ben, [ann]);
  await shows(ben, `${tileOf(ann)}[data-audio="off"][data-video="off"] .muted:not([hidden])`);

  await ann.page.keyboard.press('m');
  await ann.page.keyboard.press('v');
  await allTogether([ann, ben]);
  await shows(ben, `${tileOf(ann)}[data-audio="on"] .muted[hidden]`);
});

browserTest('a screen is shown beside the camera, also to who comes late, until it is not shared any more', { timeout: 240_000 }, async ({ server, open }) => {
  const ann = await join(open, server, 'Ann');
  const ben = await join(open, server, 'Ben', { viewport: 'phone' });
  await allTogether([ann, ben]);
  await ann.page.click('#share');
  await seeScreenOf(ann, [ann, ben]);
  const cem = await join(open, server, 'Cem');
  await seeScreenOf(ann, [cem]);
  await allTogether([ann, ben, cem]);

  await ann.page.click('#share');
  await seeNoScreen([ann, ben, cem]);
  await allTogether([ann, ben, cem]);

  // Two at a time; and one that ends and begins before anybody has negotiated.
  await ann.page.click('#share');
  await ben.page.click('#share');
  await seeScreenOf(ann, [ann, ben, cem]);
  await seeScreenOf(ben, [ann, ben, cem]);
  await ann.page.$eval('#share', (button) => { button.click(); button.click(); });
  await seeScreenOf(ann, [ann, ben, cem]);
  await ben.page.evaluate((selector) => {
    const [track] = document.querySelector(selector).srcObject.getVideoTracks();
    track.stop();
    track.dispatchEvent(new Event('ended')); // what "Stop sharing" of the browser does
  }, `${screenOf(ben)} video`);
  await Promise.all([ann, ben, cem].map((person) => shows(person, `#screens:not(:has([data-peer-id="${ben.id}"]))`)));

  await ann.page.click('[data-leave]');
  await seeNoScreen([ben, cem]);
  assert.deepEqual(await ann.page.evaluate(liveTracks), []);
  await allTogether([ben, cem]);

  await cem.page.evaluateOnNewDocument(() => { delete MediaDevices.prototype.getDisplayMedia; });
  await cem.page.reload();
  await previewPlays(cem.page);
  assert.equal(await cem.page.$eval('#share', ({ hidden }) => hidden), true, 'no button where there is nothing to share');
});

browserTest('four in a call: one leaves, one reloads, a fifth comes late', { timeout: 240_000 }, async ({ server, open }) => {
  const ann = await join(open, server, 'Ann');
  const ben = await join(open, server, 'Ben');
  await allTogether([ann, ben]);
  const cem = await join(open, server, 'Cem');
  const dora = await join(open, server, 'Dora');
  await allTogether([ann, ben, cem, dora]);

  await dora.page.click('[data-leave]');
  await Promise.all([ann, ben, cem].map((person) => isGone(person, dora)));
  await shows(dora, '#left:not([hidden]) [data-rejoin]');
  assert.deepEqual(await dora.page.evaluate(liveTracks), [], 'who has left films and records nothing');
  await hasText(ann, '#people', '3 people');

  await cem.page.reload();
  const cemAgain = await enter(cem.page, 'Cem');
  await Promise.all([ann, ben].map((person) => isGone(person, cem)));
  await allTogether([ann, ben, cemAgain]);

  await dora.page.click('[data-rejoin]');
  const doraAgain = await inCall(dora.page, 'Dora');
  const eve = await join(open, server, 'Eve');
  await allTogether([ann, ben, cemAgain, doraAgain, eve]);
});

for (const [camera, problem, kinds] of [
  ['missing', /^No camera found\. You can still join: the others hear you\.$/, ['audio']],
  ['denied', /^This page may not use your camera or microphone\. .* You can still join, watch and listen\.$/, []],
]) {
  browserTest(`who has a camera that is ${camera} can join and watch`, {}, async ({ server, open }) => {
    const other = await launch('chromium', { camera });
    try {
      const ann = await join(open, server, 'Ann');
      const page = await other.open(`${server.url}/#${ROOM}`);
      const sentence = await waitFor(page, () => document.querySelector('.problem').textContent);
      assert.match(sentence, problem);
      await page.type('[name="name"]', 'Ben');
      await page.click('.submit');
      const ben = await inCall(page, 'Ben');

      await isTogether(ben, [ann]);
      await mediaFlows(page, { peers: 1 });
      await framesGrow(page, `${tileOf(ann)} video`);
      await isTogether(ann, [ben]);
      await shows(ann, `${tileOf(ben)}[data-video="off"][data-audio="${kinds.includes('audio') ? 'on' : 'off'}"]`);
      if (kinds.length > 0) await mediaFlows(ann.page, { peers: 1, kinds });
      other.assertNoProblems();
    } catch (error) {
      await other.leaveEvidence(`camera ${camera}`);
      throw error;
    } finally {
      await other.close();
    }
  });
}

browserTest('the lobby: room, keys, links; the invite link; the way out and back', {}, async ({ server, open }) => {
  const page = await open(`${server.url}/?room=from%20query`);
  const room = () => page.$eval('[name="room"]', (input) => input.value);
  assert.equal(await room(), 'from query');
  await page.goto(`${server.url}/?room=from-query#from%20hash`);
  assert.equal(await room(), 'from hash');

  await previewPlays(page);
  await page.type('[name="name"]', 'Mia Voss');
  assert.equal(await page.$eval('.preview [data-toggle="audio"]', (button) => button.ariaPressed), 'true', 'M in a name is text');
  await page.click('.join h1');
  await page.keyboard.press('m');
  await waitFor(page, () => document.querySelector('.preview [data-toggle="audio"]').ariaPressed === 'false');

  await hasText({ page, name: 'Mia' }, '#others:not([hidden]) h2', 'More on this server');
  const systems = await fetch(`${server.url}/systems.json`).then((response) => response.json());
  const others = await page.$$eval('#others a', (all) => all.map(({ pathname }) => pathname));
  assert.deepEqual(['/', ...others].sort(), systems.map(({ path }) => path).sort(), 'all but the page itself');
  const guests = await page.$$eval('#guests:not([hidden]) code', (all) => all.map(({ textContent }) => textContent));
  assert.deepEqual([guests.length, guests[3]], [6, `io('${server.url}')`]);
  await isGood(page, 'group card');
  const links = await page.$$eval('a[href], link[href], img[src], script[src]', (all) => all.map(({ href, src }) => href ?? src));
  const statuses = await Promise.all(links.map(async (link) => `${(await fetch(link)).status} ${link}`));
  assert.deepEqual(statuses.filter((status) => !status.startsWith('200 ')), []);

  await page.click('.submit');
  await inCall(page, 'Mia Voss');
  await page.browserContext().overridePermissions(server.url, ['camera', 'microphone', 'clipboard-read', 'clipboard-sanitized-write']);
  await page.click('.bar [data-invite]');
  await waitFor(page, () => document.querySelector('#status').textContent === 'Invite link copied');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `${server.url}/#from%20hash`);

  await isGood(page, 'group call');
  await page.click('[data-leave]');
  await hasText({ page, name: 'Mia' }, '#left-reason', 'Room: from hash');
  await isGood(page, 'group left');
  await page.click('[data-lobby]');
  await waitFor(page, () => !document.querySelector('#lobby').hidden);
  assert.equal(await page.$eval('[name="name"]', (input) => input.value), 'Mia Voss');
});

browserTest('a room that is full says so', { server: ['--capacity', '1'] }, async ({ server, open }) => {
  await join(open, server, 'Ann');
  const page = await open(`${server.url}/#${ROOM}`);
  await page.click('.submit');
  assert.match(await waitFor(page, () => document.querySelector('.failure').textContent), /^This room is full\./);
});

function join(open, server, name, options) {
  return joinAt(open, `${server.url}/#${ROOM}`, name, options);
}

/** Runs in the page, which has one connection. The fake microphone beeps once a second, which is 50 packets. */
async function hearsNothing() {
  const stats = [...(await window.__connections[0].getStats()).values()];
  const { totalAudioEnergy, packetsReceived } = stats.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio');
  window.lastHeard ??= { totalAudioEnergy, packetsReceived };
  if (totalAudioEnergy - window.lastHeard.totalAudioEnergy > 0.001) window.lastHeard = { totalAudioEnergy, packetsReceived };
  return packetsReceived - window.lastHeard.packetsReceived > 100;
}
