/** The meeting room, in real pages: what people do there beside seeing and hearing each other. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';

import { browserTest, framesGrow, launch, waitFor } from '../harness.js';
import { isGood } from '../looks.js';
import { poll } from '../page.js';
import { allTogether, enter, hasText, inCall, isGone, isTogether, joinAt, liveTracks, previewPlays, shows, tileOf } from '../people.js';

/** A document of the server's origin without a script of its own. */
const BLANK = '/protocol.md';

browserTest('who comes late sees who is muted, whose camera is off and whose hand is up', { timeout: 180_000 }, async ({ server, open }) => {
  const ann = await join(open, server, 'Ann');
  for (const key of ['m', 'v', 'h']) await ann.page.keyboard.press(key);
  await shows(ann, '#hand[aria-pressed="true"][title="Lower your hand (H)"]');
  await shows(ann, `${tileOf(ann)}[data-video="off"]`);
  const ben = await join(open, server, 'Ben');
  await isTogether(ben, [ann]);
  await shows(ben, `${tileOf(ann)}[data-audio="off"][data-video="off"][data-hand] .hand:not([hidden])`);
  await hasText(ben, `${tileOf(ann)} .initials`, 'A');
  await ben.page.keyboard.press('p');
  await listIs(ben, [['Ann', 'hand', 'muted', 'dark'], ['Ben', 'audio', 'video']]);

  // The first to raise a hand comes first, whoever was there first.
  await ann.page.keyboard.press('h');
  await shows(ben, `${tileOf(ann)}:not([data-hand]) .hand[hidden]`);
  const cem = await join(open, server, 'Cem');
  await cem.page.click('#hand');
  await listIs(ben, [['Cem', 'audio', 'hand', 'video'], ['Ben', 'audio', 'video'], ['Ann', 'muted', 'dark']]);
  await hasText(ann, '#status', 'Cem has raised a hand');
  await ann.page.click('#hand');
  await listIs(ben, [['Cem', 'audio', 'hand', 'video'], ['Ann', 'hand', 'muted', 'dark'], ['Ben', 'audio', 'video']]);
  await hasText(ben, '[data-panel="people"] .count', '2');
  await waitFor(ben.page, () => /^(Excellent|Good|Poor) connection$/.test(document.querySelector('.person .person-note').textContent));

  for (const key of ['m', 'v', 'h']) await ann.page.keyboard.press(key);
  await allTogether([ann, ben, cem]);
  await cem.page.click('[data-leave]');
  await isGone(ben, cem);
  await listIs(ben, [['Ben', 'audio', 'video'], ['Ann', 'audio', 'video']]);
  await shows(ben, '[data-panel="people"] .badge[hidden]');
});

browserTest('chat: unread while it is closed, both ways, keys, and kept for who comes back', { timeout: 180_000 }, async ({ server, open }) => {
  const ann = await join(open, server, 'Ann');
  const ben = await join(open, server, 'Ben', { viewport: 'phone' });
  await isTogether(ann, [ben]);
  await ann.page.keyboard.press('c');
  await waitFor(ann.page, () => document.activeElement.matches('.chat-text'), { what: 'the focus in the field' });
  await ann.page.keyboard.type('Hi Ben, http://127.0.0.1:1/plan');
  await ann.page.keyboard.press('Enter');
  await ann.page.keyboard.type('Two');
  await ann.page.keyboard.down('Shift');
  await ann.page.keyboard.press('Enter');
  await ann.page.keyboard.up('Shift');
  await ann.page.keyboard.type('lines');
  await ann.page.click('.chat-send');
  await shows(ann, '#hand[aria-pressed="false"]'); // H in "Hi" is text

  await hasText(ben, '[data-panel="chat"] .count', '2');
  await hasText(ben, '#status', 'Message from Ann');
  await ben.page.click('[data-panel="chat"]');
  await wordsAre(ben, ['Hi Ben, http://127.0.0.1:1/plan', 'Two\nlines']);
  await shows(ben, '[data-panel="chat"] .badge[hidden]');
  await shows(ben, '.chat-words a[href="http://127.0.0.1:1/plan"][target="_blank"][rel~="noopener"]');

  // On a phone it covers the call, which nobody can get at meanwhile.
  assert.deepEqual(await ben.page.$$eval('[inert]', (all) => all.map(({ id }) => id)), ['call-header', 'screens', 'tiles', 'unblock', 'bar']);
  await ben.page.type('.chat-text', 'Hello Ann');
  await ben.page.keyboard.press('Enter');
  await wordsAre(ann, ['Hi Ben, http://127.0.0.1:1/plan', 'Two\nlines', 'Hello Ann']);
  await shows(ann, '[data-panel="chat"] .badge[hidden]'); // Ann sees it
  for (const { page } of [ann, ben]) {
    await page.keyboard.press('Escape');
    await waitFor(page, () => document.querySelector('#chat-panel').hidden && document.activeElement.dataset.panel === 'chat');
  }
  assert.deepEqual(await ben.page.$$('[inert]'), []);

  await ben.page.click('[data-leave]');
  assert.deepEqual(await ben.page.evaluate(liveTracks), [], 'who has left films and records nothing');
  await isGone(ann, ben);
  await ben.page.click('[data-rejoin]');
  const benAgain = await inCall(ben.page, 'Ben');
  await allTogether([ann, benAgain]);
  await wordsAre(benAgain, ['Hi Ben, http://127.0.0.1:1/plan', 'Two\nlines', 'Hello Ann']);
  await ann.page.keyboard.press('c');
  await notesAre(ann, ['Ben joined', 'Ben left', 'Ben joined']);

  await ben.page.evaluate(() => { location.hash = 'another room'; });
  await previewPlays(ben.page);
  await ben.page.click('.submit');
  await inCall(ben.page, 'Ben');
  await wordsAre(ben, []);
});

browserTest('rooms: the lobby is where one lands, and nobody else is met there', { timeout: 180_000 }, async ({ server, open }) => {
  const page = await open(`${server.url}/meeting/`);
  const room = () => page.$eval('[name="room"]', ({ value }) => value);
  assert.equal(await room(), 'lobby');
  await page.click('[data-own-room]');
  assert.match(await room(), /^[a-z]+-[a-z]+-[0-9]{3}$/);
  const own = await room();
  const ann = await enter(page, 'Ann');
  await hasText(ann, '.invite-url', `${server.url}/meeting/#${own}`);
  const ben = await joinAt(open, `${server.url}/meeting/`, 'Ben');
  await hasText(ben, '#call-title', 'lobby');
  const cem = await joinAt(open, await ann.page.$eval('.invite-url', ({ textContent }) => textContent), 'Cem');
  await allTogether([ann, cem]);
  await isTogether(ben, []);
  await shows(ben, '#alone:not([hidden])');
});

browserTest('a file for all is taken by one and declined by another, and one is for one alone', { timeout: 180_000 }, async ({ server, open }) => {
  const [ann, ben, cem] = [await join(open, server, 'Ann'), await join(open, server, 'Ben'), await join(open, server, 'Cem')];
  await isTogether(ann, [ben, cem]);
  await inFolder(async (folder) => {
    const content = randomBytes(3_000_001); // a chunk that is lost, doubled or misplaced changes the hash
    await writeFile(joinPath(folder, 'plan.html'), content);
    await choose(ann, joinPath(folder, 'plan.html'));
    await hasText(ann, '.file-chosen', 'plan.html, 3 MB');
    await ann.page.click('.file-offer .primary');

    for (const person of [ben, cem]) {
      await hasText(person, '[data-panel="chat"] .count', '1');
      await hasText(person, '#status', 'Ann offers you a file');
      await person.page.click('[data-panel="chat"]');
      await hasText(person, '.file-card .file-name', 'plan.html');
      await waysAre(person, ['Ann offers you this file']);
    }
    await ben.page.click('.file-card .primary');
    await cem.page.click('.file-card .quiet');
    await waysAre(ann, ['Ben has it', 'Cem Declined']);
    await waysAre(cem, ['Ann Declined']);
    assert.deepEqual(sha256(await save(ben, joinPath(folder, 'saved'))), sha256(content));

    // This time it is dropped somewhere on the call.
    await ann.page.click('[data-close-panel]');
    await ann.page.$eval('#stage', (stage) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['for Cem'], 'note.txt'));
      for (const type of ['dragover', 'drop']) {
        const event = new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true });
        stage.dispatchEvent(event);
        if (!event.defaultPrevented) throw new Error(`the browser would open what is dropped (${type})`);
      }
    });
    await hasText(ann, '#chat-panel:not([hidden]) .file-chosen', 'note.txt, 7 bytes');
    await ann.page.select('.file-to', cem.id);
    await ann.page.click('.file-offer .primary');
    await waysAre(cem, ['Ann Declined', 'Ann offers you this file']);
    await waysAre(ben, ['Ann has sent it']);
    await ann.page.click('[data-leave]');
    await waysAre(cem, ['Ann Declined', 'Ann Left']);
    assert.deepEqual(await cem.page.$$('.file-card button'), []);
  });
});

browserTest('a transfer shows how far it is, and either side may cancel it', { timeout: 180_000 }, async ({ server, open }) => {
  const [ann, ben] = [await join(open, server, 'Ann'), await join(open, server, 'Ben')];
  await isTogether(ann, [ben]);
  for (const { page } of [ann, ben]) await page.click('[data-panel="chat"]');
  await inFolder(async (folder) => {
    await writeFile(joinPath(folder, 'film.mkv'), '');
    await truncate(joinPath(folder, 'film.mkv'), 2 ** 30);
    for (const [canceller, number] of [[ann, 1], [ben, 2]]) {
      await choose(ann, joinPath(folder, 'film.mkv'));
      await ann.page.click('.file-offer .primary');
      await shows(ben, '.chat-entry:last-child .file-card .primary');
      await ben.page.click('.chat-entry:last-child .file-card .primary');
      for (const { page } of [ann, ben]) {
        await waitFor(page, () => {
          const bar = document.querySelector('.chat-entry:last-child progress:not([hidden])');
          return bar?.value > 0 && bar.value < 1;
        }, { what: 'a bar that moves' });
      }
      await canceller.page.click('.chat-entry:last-child .file-card .quiet');
      await waysAre(ben, Array(number).fill('Ann Cancelled'));
      await waysAre(ann, ['Ben Cancelled', 'Ben Declined'].slice(0, number));
    }
  });
});

browserTest('another camera, microphone and speaker, kept for the next call', { camera: 'several', timeout: 180_000 }, async ({ server, open }) => {
  const ann = await join(open, server, 'Ann');
  const ben = await join(open, server, 'Ben');
  await allTogether([ann, ben]);
  await ann.page.click('[data-panel="settings"]');
  const camera = await other(ann, 'videoinput');
  await ann.page.select('#settings-panel [data-device="videoinput"]', camera);
  await uses(ann, 'video', camera);
  const microphone = await other(ann, 'audioinput');
  await ann.page.select('#settings-panel [data-device="audioinput"]', microphone);
  await uses(ann, 'audio', microphone);
  const speaker = await other(ann, 'audiooutput');
  await ann.page.select('#settings-panel [data-device="audiooutput"]', speaker);
  await waitFor(ann.page, (selector, id) => document.querySelector(selector).sinkId === id, { args: [`${tileOf(ben)} video`, speaker] });
  await allTogether([ann, ben]);

  // One that is chosen while the camera is off is opened when it comes on again.
  await ann.page.keyboard.press('v');
  await shows(ben, `${tileOf(ann)}[data-video="off"]`);
  const first = await other(ann, 'videoinput');
  await ann.page.select('#settings-panel [data-device="videoinput"]', first);
  await ann.page.keyboard.press('v');
  await uses(ann, 'video', first);
  await framesGrow(ben.page, `${tileOf(ann)} video`);

  await ann.page.select('#settings-panel [data-device="videoinput"]', camera);
  await uses(ann, 'video', camera);
  await ann.page.click('[data-leave]');
  await ann.page.click('[data-rejoin]');
  const annAgain = await inCall(ann.page, 'Ann');
  await allTogether([annAgain, ben]);
  await uses(annAgain, 'video', camera);
  await uses(annAgain, 'audio', microphone);
  assert.equal(await ann.page.$eval(`${tileOf(ben)} video`, ({ sinkId }) => sinkId), speaker);
});

browserTest('where one camera may be open at a time, it is closed for the other', { camera: 'several' }, async ({ server, open }) => {
  const page = await open(`${server.url}/meeting/`);
  await page.evaluateOnNewDocument(() => {
    const getUserMedia = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    let camera;
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      if (constraints.video && camera?.readyState === 'live') throw new DOMException('', 'NotReadableError');
      const stream = await getUserMedia(constraints);
      camera = stream.getVideoTracks()[0] ?? camera;
      return stream;
    };
  });
  await page.reload();
  const ann = await enter(page, 'Ann');
  await page.click('[data-panel="settings"]');
  const camera = await other(ann, 'videoinput');
  await page.select('#settings-panel [data-device="videoinput"]', camera);
  await uses(ann, 'video', camera);
  await shows(ann, '#settings-panel .device-problem:empty');
});

browserTest('a headset that is pulled out unmutes nobody', {}, async ({ server, open }) => {
  const page = await open(`${server.url}/meeting/`);
  await previewPlays(page);
  await page.click('.join h1');
  await page.keyboard.press('m');
  await shows({ page, name: 'Ann' }, '.preview [data-toggle="audio"][aria-pressed="false"]');
  const problem = await page.evaluate(() => {
    const [microphone] = document.querySelector('#preview video').srcObject.getAudioTracks();
    microphone.stop();
    microphone.dispatchEvent(new Event('ended')); // as the browser does it
    return document.querySelector('.problem').textContent;
  });
  assert.match(problem, /^Your microphone was disconnected\./);
  await page.evaluate(() => { navigator.mediaDevices.dispatchEvent(new Event('devicechange')); });
  await waitFor(page, () => document.querySelector('.problem').textContent === '' && document.querySelector('.preview-note').textContent === '');
  assert.equal(await page.$eval('.preview [data-toggle="audio"]', ({ ariaPressed }) => ariaPressed), 'false');
  assert.equal(await page.$eval('#preview video', ({ srcObject }) => srcObject.getAudioTracks().length), 0);
});

browserTest('what strangers send does no harm', { timeout: 180_000 }, async ({ server, open }) => {
  const ann = await join(open, server, 'Ann');
  await ann.page.click('[data-panel="people"]');
  const stranger = await open(server.url + BLANK);
  await stranger.evaluate(async () => {
    const { connect } = await import('/client.js');
    const client = await connect(new URL('/meeting/signal', location.href));
    const markup = '<img src="/no-such-picture" onerror="window.harmed = true"><h1>';
    const userdata = { name: `${markup}\u202E\u0000\u0007${'x'.repeat(700)}`, hand: markup };
    const channel = window.channel = await client.join('meeting-test', { userdata });
    const [ann] = await new Promise((resolve) => {
      channel.addEventListener('peer', () => resolve([...channel.peers.values()]), { once: true });
    });
    for (const data of [null, 7, [], 'plain', { chat: { toString: 'no' } }, { chat: ' \u0000\n ' }, new Uint8Array(9)]) channel.send(data);
    channel.send({ chat: `${markup}\u202Eevil\u0007\uD800${'y'.repeat(10_000)}` });
    channel.send({ chat: 'https://good.example@bad.example/ javascript:window.harmed=true //good.example' });
    const send = (name, size = 1) => ann.sendFile(new Blob([new Uint8Array(size)], { type: markup }), { name }).catch(({ code }) => code);
    window.results = [send(`../${markup}\u202Egpj.exe`)];
    for (let number = 0; number < 30; number += 1) window.results.push(send(`number ${number}`));
  });

  await waitFor(ann.page, () => document.querySelectorAll('.file-card').length === 20, { what: '20 offers' });
  assert.equal(await stranger.evaluate(() => Promise.race(window.results)), 'declined', 'more than 20 are not shown');
  await waitFor(ann.page, () => document.querySelectorAll('.chat-words').length === 2, { what: 'two messages' });
  const name = '<img src="/no-such-picture" onerror="win';
  await ann.page.click('[data-panel="chat"]');
  const seen = await ann.page.evaluate(() => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    const texts = (selector) => all(selector).map(({ textContent }) => textContent);
    return {
      names: texts('.tile:not([data-self]) .name, .person:not(:first-child) bdi, .chat-name'),
      words: texts('.chat-words').map((text) => text.replace(/y+$/, '')),
      length: texts('.chat-words')[0].length,
      links: all('.chat-words a').length,
      files: texts('.file-name').filter((text) => !/^number \d+$/.test(text)),
      hands: all('[data-hand]').length,
      isHarmed: 'harmed' in window,
      scrollsSideways: all('html, .chat-log, .panel-body').filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).length,
    };
  });
  assert.deepEqual(seen, {
    names: Array(4).fill(name),
    words: ['<img src="/no-such-picture" onerror="window.harmed = true"><h1>evil',
      'https://good.example@bad.example/ javascript:window.harmed=true //good.example'],
    length: 1997, // of 2,000 characters, three were not fit to be shown
    links: 0,
    files: ['.._<img src="_no-such-picture" onerror="window.harmed = true"><h1>_gpj.exe'],
    hands: 0,
    isHarmed: false,
    scrollsSideways: 0,
  });
});

browserTest('hands, chat and files between Firefox and Chromium', { browser: 'firefox', timeout: 180_000 }, async ({ server, open }) => {
  const chromium = await launch('chromium');
  try {
    const [ann, ben] = [await join(open, server, 'Ann'), await join(chromium.open, server, 'Ben')];
    for (const [person, another] of [[ann, ben], [ben, ann]]) {
      await isTogether(person, [another]);
      await framesGrow(person.page, `${tileOf(another)} video`);
    }
    await inFolder(async (folder) => {
      await writeFile(joinPath(folder, 'data.bin'), randomBytes(500_000));
      for (const [from, to] of [[ann, ben], [ben, ann]]) {
        await from.page.keyboard.press('h');
        await shows(to, `${tileOf(from)}[data-hand]`);
        await choose(from, joinPath(folder, 'data.bin'));
        await from.page.click('.file-offer .primary');
        await from.page.type('.chat-text', `From ${from.name}`);
        await from.page.keyboard.press('Enter');
        await shows(to, '.file-card .primary');
        await to.page.evaluate(() => document.querySelector('.file-card button.primary').click());
        await shows(to, '.file-card a[download]');
      }
    });
    for (const person of [ann, ben]) await wordsAre(person, ['From Ann', 'From Ben']);
    await waysAre(ann, ['Ben has it', 'Ben has sent it']);
    chromium.assertNoProblems();
  } catch (error) {
    await chromium.leaveEvidence('meeting with Firefox');
    throw error;
  } finally {
    await chromium.close();
  }
});

browserTest('every state of the page is accessible', { timeout: 240_000 }, async ({ server, open }) => {
  const page = await open(`${server.url}/meeting/`);
  await previewPlays(page);
  await page.click('.choose-devices summary');
  await isGood(page, 'meeting lobby');
  await page.click('.choose-devices summary');
  const ann = await enter(page, 'Ann Abel');
  await isGood(page, 'meeting alone');

  const ben = await join(open, server, 'Ben', { viewport: 'phone', room: 'lobby' });
  const cem = await join(open, server, 'Çem', { room: 'lobby' });
  await isTogether(ann, [ben, cem]);
  for (const key of ['m', 'v', 'h']) await cem.page.keyboard.press(key);
  await shows(ann, `${tileOf(cem)}[data-hand][data-video="off"]`);
  await shows(ann, `${tileOf(ben)}[data-video="on"]`);
  await isGood(page, 'meeting call');

  await ben.page.click('[data-panel="chat"]');
  await ben.page.type('.chat-text', 'Shall we begin?');
  await ben.page.keyboard.press('Enter');
  await page.click('[data-panel="chat"]');
  await wordsAre(ann, ['Shall we begin?']);
  await inFolder(async (folder) => {
    await writeFile(joinPath(folder, 'agenda.pdf'), randomBytes(250_000));
    await choose(ann, joinPath(folder, 'agenda.pdf'));
    await isGood(page, 'meeting file');
    await page.click('.file-offer .primary');
    await shows(ben, '.file-card .primary');
    await isGood(ben.page, 'meeting offer');
    await ben.page.click('.file-card .primary');
    await waysAre(ann, ['Ben has it', 'Çem is asked']);
  });
  await isGood(page, 'meeting chat');
  for (const panel of ['people', 'settings']) {
    await page.click(`[data-panel="${panel}"]`);
    await isGood(page, `meeting ${panel}`);
  }
  await ben.page.click('#chat-panel [data-close-panel]');
  await cem.page.click('#share');
  await shows(ben, '#screens .tile[data-video="on"]');
  await isGood(ben.page, 'meeting screen');
  await page.click('[data-leave]');
  await isGood(page, 'meeting left');
});

/** @typedef {import('../people.js').Person} Person */

function join(open, server, name, { room = 'meeting-test', ...options } = {}) {
  return joinAt(open, `${server.url}/meeting/#${room}`, name, options);
}

/** Who stands in the list of people, from the top, and what is marked there. @param {Person} person @param {string[][]} expected */
function listIs({ page, name }, expected) {
  return waitFor(page, (wanted) => {
    const seen = [...document.querySelectorAll('.person')].map((item) => [
      item.querySelector('bdi').textContent,
      ...[...item.querySelectorAll('[data-shows]:not([hidden])')].map(({ dataset }) => dataset.shows).sort(),
    ]);
    return JSON.stringify(seen) === wanted;
  }, { what: `list of ${name}: ${JSON.stringify(expected)}`, args: [JSON.stringify(expected.map(([who, ...marks]) => [who, ...marks.sort()]))] });
}

/** @param {Person} person @param {string[]} expected */
function wordsAre(person, expected) {
  return textsAre(person, '.chat-words', expected);
}

/** @param {Person} person @param {string[]} expected */
function notesAre(person, expected) {
  return textsAre(person, '.chat-note', expected);
}

/** How it stands with each transfer. @param {Person} person @param {string[]} expected */
function waysAre({ page, name }, expected) {
  return waitFor(page, (wanted) => {
    const seen = [...document.querySelectorAll('.file-ways li')].map((way) => {
      const [who, state] = way.querySelectorAll('bdi, span');
      return `${who.textContent} ${state.textContent}`;
    });
    return JSON.stringify(seen) === wanted;
  }, { what: `files of ${name}: ${JSON.stringify(expected)}`, args: [JSON.stringify(expected)] });
}

/** @param {Person} person @param {string} selector @param {string[]} expected */
function textsAre({ page, name }, selector, expected) {
  return waitFor(page, (wanted, texts) => JSON.stringify([...document.querySelectorAll(wanted)].map(({ textContent }) => textContent)) === texts, {
    what: `${selector} of ${name}: ${JSON.stringify(expected)}`, args: [selector, JSON.stringify(expected)],
  });
}

/** @param {Person} person @param {string} path */
async function choose(person, path) {
  await person.page.evaluate(() => document.querySelector('[data-panel="chat"][aria-expanded="false"]')?.click());
  const input = await person.page.$('.file-input');
  await input.uploadFile(path);
  await shows(person, '.file-offer:not([hidden]) .primary:enabled');
}

/** Saves what has come, as a user does. @param {Person} person @param {string} folder @returns {Promise<Buffer>} */
async function save({ page }, folder) {
  const session = await page.createCDPSession();
  await session.send('Browser.setDownloadBehavior', {
    behavior: 'allow', browserContextId: page.browserContext().id, downloadPath: folder, eventsEnabled: true,
  });
  const done = new Promise((resolve) => {
    session.on('Browser.downloadProgress', ({ state }) => state === 'completed' && resolve());
  });
  await page.waitForSelector('.file-card a[download]');
  await page.click('.file-card a[download]');
  await done;
  const name = await poll('a saved file', 5_000, async () => {
    const [value] = await readdir(folder).catch(() => []);
    return { done: value !== undefined, value };
  });
  assert.equal(name, 'plan.html');
  return readFile(joinPath(folder, name));
}

/** The last device, or the first if that is the chosen one. @param {Person} person @param {string} device */
function other({ page }, device) {
  return page.$eval(`#settings-panel [data-device="${device}"]`, ({ options, value }) => {
    const [first, last] = [options[0].value, options[options.length - 1].value];
    return value === last ? first : last;
  });
}

/** The track that the others get is of this device. @param {Person} person @param {string} kind @param {string} id */
function uses({ page, name }, kind, id) {
  return waitFor(page, (wantedKind, wantedId) => {
    const { srcObject } = document.querySelector('[data-self] video');
    const sent = window.__connections.flatMap((connection) => connection.getSenders().map(({ track }) => track));
    const tracks = [...srcObject.getTracks(), ...sent].filter((track) => track?.kind === wantedKind && track.readyState === 'live');
    return tracks.length > 0 && tracks.every((track) => track.getSettings().deviceId === wantedId);
  }, { what: `${kind} of ${name} comes from ${id}`, args: [kind, id] });
}

/** @param {(folder: string) => Promise<void>} work */
async function inFolder(work) {
  const folder = await mkdtemp(joinPath(tmpdir(), 'signal-e2e-files-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @param {Buffer} content */
function sha256(content) {
  return createHash('sha256').update(content).digest('hex');
}
