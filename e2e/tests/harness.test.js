/** Checks the harness itself: what it calls a working call works, and what it must notice it notices. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import test, { after, before } from 'node:test';

import { browserTest, connectedPairs, framesGrow, launch, mediaFlows, missing, screenshot, waitFor } from '../harness.js';
import { poll } from '../page.js';

const PAGES = {
  '/call': `<link rel="icon" href="data:,">
    <video id="own" autoplay muted playsinline></video><video id="remote" autoplay muted playsinline></video>
    <script type="module">${callWithinThePage.toString()}; await callWithinThePage();</script>`,
  '/quiet': '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">',
  '/throws': '<link rel="icon" href="data:,"><script>setTimeout(() => { throw new Error("boom"); })</script>',
  '/rejects': '<link rel="icon" href="data:,"><script>Promise.reject(new Error("boom"))</script>',
  '/logs': '<link rel="icon" href="data:,"><script>console.error("boom")</script>',
};

let origin;
const site = createServer((request, response) => {
  response.setHeader('content-type', 'text/html; charset=utf-8').end(PAGES[request.url] ?? '');
});
before(async () => {
  await once(site.listen(0, '127.0.0.1'), 'listening');
  origin = `http://127.0.0.1:${site.address().port}`;
});
after(() => {
  site.close();
  site.closeAllConnections();
});

for (const browser of ['chromium', 'shell', 'firefox']) {
  browserTest(`a call is seen to work in ${browser}`, { browser, server: false }, async ({ open }) => {
    const page = await open(`${origin}/call`);
    await waitFor(page, () => window.called);
    await mediaFlows(page, { peers: 2 });
    await framesGrow(page, '#own');
    await framesGrow(page, '#remote');

    const pairs = await connectedPairs(page);
    assert.equal(pairs.length, 2);
    for (const pair of pairs) assert.deepEqual([pair.local, pair.protocol], ['host', 'udp']);
    assert.match(await screenshot(page, `harness ${browser}`), new RegExp(`harness-${browser}\\.png$`));
  });

  browserTest(`a call without media is not taken for one in ${browser}`, { browser, server: false }, async ({ open }) => {
    const page = await open(`${origin}/call`);
    await waitFor(page, () => window.called);
    await mediaFlows(page, { peers: 2 });
    await page.evaluate(() => window.__connections[0].getSenders().forEach((sender) => sender.replaceTrack(null)));
    // What was on its way still arrives: the picture stands still soon, not at once.
    await waitFor(page, pictureStandsStill);
    await assert.rejects(mediaFlows(page, { peers: 2, timeout: 1_500 }), /waited 1500 ms for: audio and video/);
    await assert.rejects(mediaFlows(page, { peers: 3, timeout: 0 }), /from 3 peers/);
  });

  browserTest(`pages of ${browser} share nothing and have the width asked for`, { browser, server: false }, async ({ open }) => {
    const desk = await open(`${origin}/quiet`);
    const phone = await open(`${origin}/quiet`, { viewport: 'phone' });
    await desk.evaluate(() => localStorage.setItem('name', 'Ann'));
    assert.equal(await phone.evaluate(() => localStorage.getItem('name')), null);
    assert.deepEqual(await Promise.all([desk, phone].map((page) => page.evaluate(() => innerWidth))), [1280, 390]);
  });

  test(`${browser} reports pages that throw, reject and log errors`, { skip: missing(browser), timeout: 60_000 }, async () => {
    const launched = await launch(browser);
    try {
      await launched.open(`${origin}/quiet`);
      launched.assertNoProblems();
      for (const [n, path] of ['/throws', '/rejects', '/logs'].entries()) {
        await launched.open(origin + path);
        await poll(`${path} is reported`, 10_000, async () => ({ done: launched.problems().length > n }));
        assert.throws(() => launched.assertNoProblems(), new RegExp(`${path}: .*boom`));
      }
    } finally {
      await launched.close();
    }
  });
}

browserTest('a problem that belongs to the test is not reported', { server: false, expected: [/boom/] }, async ({ open }) => {
  const page = await open(`${origin}/throws`);
  await Promise.all([
    new Promise((resolve) => page.once('pageerror', resolve)),
    page.reload(),
  ]);
});

for (const [camera, seen] of [
  ['fake', ['video', 'audio']],
  ['missing', ['NotFoundError', 'audio']],
  ['denied', ['NotAllowedError', 'NotAllowedError']],
]) {
  browserTest(`a camera that is ${camera}`, { camera, server: false }, async ({ open }) => {
    const page = await open(`${origin}/quiet`);
    const ask = (constraints) => page.evaluate((wanted) => navigator.mediaDevices.getUserMedia(wanted).then(
      (stream) => stream.getTracks()[0].kind,
      (error) => error.name,
    ), constraints);
    assert.deepEqual([await ask({ video: true }), await ask({ audio: true })], seen);
  });
}

/** Runs in the page: whether a receiver has decoded nothing since it was last asked. */
async function pictureStandsStill() {
  const [, answerer] = window.__connections;
  const stats = [...(await answerer.getStats()).values()];
  const { framesDecoded } = stats.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
  const still = window.framesBefore === framesDecoded;
  window.framesBefore = framesDecoded;
  await new Promise((resolve) => { setTimeout(resolve, 300); });
  return still;
}

/** Runs in the page: it calls itself, with picture and sound both ways. */
async function callWithinThePage() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const [caller, callee] = [new RTCPeerConnection(), new RTCPeerConnection()];
  caller.onicecandidate = ({ candidate }) => candidate && callee.addIceCandidate(candidate);
  callee.onicecandidate = ({ candidate }) => candidate && caller.addIceCandidate(candidate);
  callee.ontrack = ({ streams }) => { document.querySelector('#remote').srcObject = streams[0]; };
  document.querySelector('#own').srcObject = stream;
  for (const track of stream.getTracks()) caller.addTrack(track, stream);
  for (const track of stream.getTracks()) callee.addTrack(track.clone(), stream);

  await caller.setLocalDescription();
  await callee.setRemoteDescription(caller.localDescription);
  await callee.setLocalDescription();
  await caller.setRemoteDescription(callee.localDescription);
  window.called = true;
}
