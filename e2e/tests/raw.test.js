/** The page that speaks the protocol by hand, against the server without a framework. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { enter as enterByClient, restartIce, BLANK } from '../call.js';
import { browserTest, mediaFlows, startServer, waitFor } from '../harness.js';
import { isGood } from '../looks.js';
import { startProxy } from '../proxy.js';

const bin = 'raw';
const CUT_SOCKETS = [/WebSocket connection to .* failed/];
const ROUNDS = 3;

browserTest('two and then three meet, write to each other, and one leaves', { bin }, async ({ server, open }) => {
  const ann = await enter(open, server.url, 'Ann');
  await hasLine(ann, '#log', /^You are the first here\.$/);
  const ben = await enter(open, server.url, 'Ben', { viewport: 'phone' });
  await meet([ann, ben]);
  const cem = await enter(open, server.url, 'Cem');
  await meet([ann, ben, cem]);
  assert.deepEqual(await names(cem), ['Cem (you)', 'Ann', 'Ben']);

  await say(ben, 'Hello <b>all</b>');
  await hasLine(ben, '#log', /^You Hello <b>all<\/b>$/);
  for (const page of [ann, cem]) await hasLine(page, '#log', /^Ben Hello <b>all<\/b>$/);

  await ann.click('#leave');
  await waitFor(ann, () => document.getElementById('room').hidden && !document.getElementById('join').hidden);
  for (const page of [ben, cem]) await hasLine(page, '#log', /^Ann has left\.$/);
  await meet([ben, cem]);
  await cem.close();
  await hasLine(ben, '#log', /^Cem has left\.$/);
  assert.deepEqual(await names(ben), ['Ben (you)']);

  await ann.click('#join button');
  await meet([ann, ben]);
});

browserTest('the frames are shown as they come and go, and tokens are not', { bin }, async ({ server, open }) => {
  const ann = await enter(open, server.url, 'Ann');
  const ben = await enter(open, server.url, 'Ben');
  await meet([ann, ben]);
  for (const page of [ann, ben]) await hasLine(page, '#frames', /^C> \{"type":"hello","version":1\}$/);
  await hasLine(ann, '#frames', /^S> \{"type":"welcome",.*"token":"…"/);
  await hasLine(ann, '#frames', /^S> \{"type":"addPeer",.*"userdata":\{"name":"Ben"\}\}$/);
  await hasLine(ben, '#frames', /^C> \{"type":"relaySessionDescription",.*"type":"offer".* \d+ characters$/);

  // A page acknowledges 32 frames, and fewer after a second.
  await say(ann, ...Array.from({ length: 70 }, (_, n) => String(n)));
  await hasLine(ben, '#log', /^Ann 69$/);
  await waitFor(ben, () => [...document.querySelectorAll('#frames p')].at(-1).textContent.startsWith('C> {"type":"ack"'));
  assert.equal(Math.max(...await unacknowledged(ben)), 32);
  await isGood(ann, 'raw room');
});

browserTest('the socket is cut: the call goes on, and no message is lost or comes twice', { bin, expected: CUT_SOCKETS }, async ({ server, open }) => {
  const proxy = await startProxy(server.port);
  try {
    const pages = [await enter(open, proxy.url, 'Ann'), await enter(open, proxy.url, 'Ben')];
    await meet(pages);
    await Promise.all(pages.map((page) => page.evaluate(countLosses)));
    const sent = [];
    for (const [round, again] of [undefined, 'welcome', 'handshake'].entries()) {
      const welcomed = await Promise.all(pages.map(welcomes));
      await Promise.all(pages.map((page) => say(page, `before ${round}`)));
      assert.equal(proxy.cut(again), 2);
      await Promise.all(pages.map((page) => waitFor(page, (count) => window.losses > count, { what: 'the page says that it is away', args: [round] })));
      await Promise.all(pages.map((page) => say(page, `while away ${round}`)));
      sent.push(`before ${round}`, `while away ${round}`);
      for (const [n, page] of pages.entries()) {
        await waitFor(page, (count) => window.welcomes() > count, { what: 'another welcome', args: [welcomed[n]] });
        await hasLine(page, '#log', new RegExp(`^${['Ben', 'Ann'][n]} while away ${round}$`));
      }
    }
    for (const [n, page] of pages.entries()) {
      const heard = await page.$$eval('#log p', (lines) => lines.map(({ textContent }) => textContent));
      assert.deepEqual(heard.filter((line) => line.startsWith(['Ben ', 'Ann '][n]) && !line.endsWith('here.')), sent.map((text) => `${['Ben', 'Ann'][n]} ${text}`));
      assert.equal(await page.evaluate(() => window.__connections.length), 1);
    }
    await meet(pages);
  } finally {
    proxy.stop();
  }
});

browserTest('a server that is killed and has a key: the call goes on', { bin, server: false, expected: CUT_SOCKETS }, async ({ open }) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'signal-'));
  const args = ['--key-file', path.join(folder, 'keys')];
  const first = await startServer({ bin, args });
  const pages = [await enter(open, first.url, 'Ann'), await enter(open, first.url, 'Ben')];
  await meet(pages);
  for (const page of pages) await page.evaluate(() => { window.tile = document.querySelectorAll('#tiles figure')[1]; });
  await first.stop('SIGKILL');
  const second = await startServer({ bin, args, port: first.port });
  try {
    for (const page of pages) await waitFor(page, () => window.welcomes() === 2, { what: 'a second welcome' });
    await meet(pages);
    for (const page of pages) assert.equal(await page.evaluate(() => window.tile.isConnected), true);
    await say(pages[0], 'Still here?');
    await hasLine(pages[1], '#log', /^Ann Still here\?$/);
  } finally {
    await second.stop();
    await rm(folder, { recursive: true });
  }
});

browserTest('a server that is started anew finds everybody again', { bin, server: false, expected: CUT_SOCKETS }, async ({ open }) => {
  const first = await startServer({ bin });
  const pages = [await enter(open, first.url, 'Ann'), await enter(open, first.url, 'Ben')];
  await meet(pages);
  await first.stop();
  await hasLine(pages[0], '#status', /The call goes on/);
  const second = await startServer({ bin, port: first.port });
  try {
    for (const page of pages) await waitFor(page, () => window.welcomes() === 2, { what: 'a second welcome' });
    await meet(pages);
  } finally {
    await second.stop();
  }
});

browserTest('offers collide, and ICE restarts from either side', { bin }, async ({ server, open }) => {
  const pages = [await enter(open, server.url, 'Ann'), await enter(open, server.url, 'Ben')];
  await meet(pages);
  for (let round = 1; round <= ROUNDS; round++) {
    await Promise.all(pages.map((page) => page.evaluate(() => { window.__connections[0].addTransceiver('audio', { direction: 'recvonly' }); })));
    await Promise.all(pages.map((page) => waitFor(page, (expected) => {
      const { signalingState, localDescription } = window.__connections[0];
      return signalingState === 'stable' && localDescription.sdp.split('\r\nm=audio').length - 1 >= expected;
    }, { what: `round ${round} is negotiated`, args: [1 + round] })));
  }
  for (const side of [0, 1]) await restartIce(pages, side);
  await Promise.all(pages.map((page) => mediaFlows(page, { kinds: ['video'], peers: 1 })));
});

browserTest('who has no camera sees nobody less', { bin, camera: 'denied' }, async ({ server, open }) => {
  const pages = [await enter(open, server.url, 'Ann'), await enter(open, server.url, 'Ben')];
  for (const page of pages) {
    await hasLine(page, '#log', /no camera or microphone/);
    await waitFor(page, () => window.__connections[0]?.connectionState === 'connected', { what: 'they are connected' });
  }
});

for (const order of ['first', 'last']) {
  browserTest(`it meets a page of the client that comes ${order}`, { bin }, async ({ server, open }) => {
    const byClient = await open(server.url + BLANK);
    if (order === 'first') await enterByClient(byClient);
    const byHand = await enter(open, server.url, 'Ann');
    if (order === 'last') await enterByClient(byClient);

    await mediaFlows(byHand, { peers: 1, kinds: ['video'] });
    await mediaFlows(byClient, { peers: 1 });
    await say(byHand, 'Hello');
    await waitFor(byClient, () => window.call.received.includes('Hello'), { what: 'the message' });
    assert.deepEqual(await byClient.evaluate(() => [...window.call.channel.peers.values()].map(({ state, userdata }) => [state, userdata])), [['connected', { name: 'Ann' }]]);
    await byHand.click('#leave');
    await waitFor(byClient, () => window.call.channel.peers.size === 0, { what: 'the client sees it leave' });
  });
}

browserTest('the demo server has it too, and links to the other pages', {}, async ({ server, open }) => {
  const pages = [await open(`${server.url}/raw/`), await open(`${server.url}/raw/`)];
  await waitFor(pages[0], () => document.querySelectorAll('#others a').length > 0);
  await isGood(pages[0], 'raw card');
  for (const page of pages) await join(page, 'Ann');
  await meet(pages);
});

/** Runs in the page: how often it has said that the server is away, be it for a moment only. */
function countLosses() {
  window.losses = 0;
  const status = document.querySelector('#status');
  new MutationObserver(() => { window.losses += /The call goes on/.test(status.textContent); }).observe(status, { childList: true });
}

/** Into the room `room`, from the card. */
async function enter(open, url, name, options) {
  const page = await open(`${url}/#room`, options);
  await join(page, name);
  return page;
}

/** @param {import('puppeteer-core').Page} page */
async function join(page, name) {
  await page.evaluate(() => {
    // Small pictures, so that three pages fit on two cores.
    const { mediaDevices } = navigator;
    const getUserMedia = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = ({ audio, video }) => getUserMedia({ audio, video: video && { width: 160, height: 120, frameRate: 5 } });
    window.welcomes = () => [...document.querySelectorAll('#frames p')].filter(({ textContent }) => textContent.startsWith('S> {"type":"welcome"')).length;
  });
  await page.$eval('#join [name="name"]', (input, value) => { input.value = value; }, name);
  await page.click('#join button');
  await hasLine(page, '#frames', /^S> \{"type":"joined"/);
}

/** Each has a tile of each other, whose picture moves, and hears it. */
async function meet(pages) {
  await Promise.all(pages.map(async (page) => {
    await waitFor(page, (count) => document.querySelectorAll('#tiles .tile').length === count, { what: `${pages.length} tiles`, args: [pages.length] });
    await mediaFlows(page, { peers: pages.length - 1, timeout: 40_000 });
    await waitFor(page, () => [...document.querySelectorAll('#tiles video')].every((video) => video.videoWidth > 0), { what: 'every tile has a picture' });
  }));
}

/** @param {RegExp} line of the list, or the whole text of an element without lines */
function hasLine(page, selector, line) {
  return waitFor(page, (where, source) => {
    const element = document.querySelector(where);
    const lines = element.tagName === 'DIV' ? [...element.children] : [element];
    return lines.some(({ textContent }) => new RegExp(source).test(textContent));
  }, { what: `${selector} says ${line}`, args: [selector, line.source] });
}

function names(page) {
  return page.$$eval('#tiles figcaption', (captions) => captions.map(({ textContent }) => textContent));
}

function say(page, ...texts) {
  return page.evaluate((values) => {
    const form = document.getElementById('say');
    for (const value of values) {
      form.text.value = value;
      form.requestSubmit();
    }
  }, texts);
}

function welcomes(page) {
  return page.evaluate(() => window.welcomes());
}

/** How many counted frames had come since the last `ack`, at each. @returns {Promise<number[]>} */
function unacknowledged(page) {
  return page.$$eval('#frames p', (lines) => {
    const counts = [];
    let count = 0;
    for (const { textContent } of lines) {
      const [, direction, type] = /^(.>) \{"type":"(\w+)"/.exec(textContent);
      if (direction === 'S>' && !['welcome', 'ack', 'pong', 'closing'].includes(type)) count += 1;
      if (type === 'ack' && direction === 'C>') [count] = [0, counts.push(count)];
    }
    return counts;
  });
}
