/** What the JS client does beside the call itself: messages, files, media state, screen sharing, quality. */
import assert from 'node:assert/strict';

import { browserTest, launch, mediaFlows, waitFor } from '../harness.js';

/** A document of the server's origin without a script of its own. */
const BLANK = '/protocol.md';

const CAMERA = { audio: true, video: { width: 160, height: 120, frameRate: 5 } };

browserTest('messages before and after the data channel is open: each once, in order', {}, async ({ server, open }) => {
  const [ann, bob] = [await open(server.url + BLANK), await open(server.url + BLANK)];
  for (const page of [ann, bob]) await join(page);
  // From the moment of joining on, so that the first ones take the way through the server.
  for (const page of [ann, bob]) {
    await page.evaluate(async () => {
      const { channel } = window;
      // What is said before anybody has come is for nobody.
      if (channel.peers.size === 0) await new Promise((resolve) => { channel.addEventListener('peer', resolve, { once: true }); });
      for (let number = 0; number < 100; number++) {
        await channel.send(number % 10 === 9 ? Uint8Array.of(number) : number);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
  }
  for (const page of [ann, bob]) {
    await waitFor(page, () => window.heard.length === 100, { what: '100 messages' });
    assert.deepEqual(await page.evaluate(() => window.heard), Array.from({ length: 100 }, (_, number) => number));
    await waitFor(page, () => window.__connections[0].connectionState === 'connected');
  }
  // Now nothing goes through the server any more.
  await ann.evaluate(() => {
    window.client.signaling.request = () => Promise.reject(new Error('through the server'));
    return window.channel.send('direct', { to: [...window.channel.peers.keys()][0] });
  });
  await waitFor(bob, () => window.heard.at(-1) === 'direct');
});

browserTest('a file of 32 MiB arrives whole, and one is cancelled half-way', {}, async ({ server, open }) => {
  const [ann, bob] = [await open(server.url + BLANK), await open(server.url + BLANK)];
  for (const page of [ann, bob]) await join(page);
  await waitFor(ann, () => window.channel.peers.size === 1);

  // Random in every byte: a chunk that is lost, doubled or misplaced changes the hash.
  const sent = await ann.evaluate(async () => {
    const parts = Array.from({ length: 512 }, () => crypto.getRandomValues(new Uint8Array(65_536)));
    const file = new File([...parts, 'odd end'], 'holiday/../film.mkv', { type: 'video/x-matroska' });
    window.progress = [];
    const [peer] = window.channel.peers.values();
    window.sending = peer.sendFile(file, { onprogress: ({ bytes, size }) => window.progress.push(bytes / size) });
    return [...new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()))];
  });
  await waitFor(bob, () => window.files.length === 1);
  const received = await bob.evaluate(async () => {
    const [file] = window.files;
    const blob = await file.accept().blob();
    const hash = [...new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()))];
    return { name: file.name, type: blob.type, size: blob.size, hash };
  });
  assert.deepEqual(received, { name: 'holiday_.._film.mkv', type: 'video/x-matroska', size: 32 * 2 ** 20 + 7, hash: sent });
  const progress = await ann.evaluate(() => window.sending.then(() => window.progress));
  assert.equal(progress.at(-1), 1);
  assert.ok(progress.length > 10 && progress.every((value, n) => n === 0 || value >= progress[n - 1]), String(progress));

  await ann.evaluate(() => {
    const stop = new AbortController();
    const [peer] = window.channel.peers.values();
    const onprogress = ({ bytes, size }) => bytes > size / 2 && stop.abort();
    window.sending = peer.sendFile(new Blob([new Uint8Array(16 << 20)]), { signal: stop.signal, onprogress });
  });
  await waitFor(bob, () => window.files.length === 2);
  assert.equal(await bob.evaluate(() => window.files[1].accept().blob().catch(({ code }) => code)), 'cancelled');
  assert.equal(await ann.evaluate(() => window.sending.catch(({ code }) => code)), 'aborted');

  await ann.evaluate(() => {
    const [peer] = window.channel.peers.values();
    window.sending = peer.sendFile(new Blob(['unwanted']));
  });
  await waitFor(bob, () => window.files.length === 3);
  await bob.evaluate(() => window.files[2].decline());
  assert.equal(await ann.evaluate(() => window.sending.catch(({ code }) => code)), 'declined');
  // Nothing of it has disturbed the messages.
  await ann.evaluate(() => window.channel.send('after'));
  await waitFor(bob, () => window.heard.at(-1) === 'after');
});

browserTest('mute and camera off are seen by the others, and by a late joiner', {}, async ({ server, open }) => {
  const [ann, bob] = [await open(server.url + BLANK), await open(server.url + BLANK)];
  for (const page of [ann, bob]) await join(page, { media: CAMERA });
  await mediaFlows(bob, { peers: 1 });
  assert.deepEqual(await bob.evaluate(() => window.states.at(-1)), { audio: true, video: true, screen: false });
  const camera = await ann.evaluateHandle(() => window.media.stream.getVideoTracks()[0]);

  await ann.evaluate(() => Promise.all([window.media.setEnabled('audio', false), window.media.setEnabled('video', false)]));
  await waitFor(bob, () => JSON.stringify(window.states.at(-1)) === '{"audio":false,"video":false,"screen":false}');
  assert.equal(await camera.evaluate(({ readyState }) => readyState), 'ended', 'its light is out');
  const offers = await countOffers(ann);
  const late = await open(server.url + BLANK);
  await join(late, { media: CAMERA });
  await waitFor(late, () => window.states.length === 2);
  const off = '{"audio":false,"video":false,"screen":false}';
  assert.equal(await late.evaluate((off) => window.states.filter((state) => JSON.stringify(state) === off).length, off), 1);

  await ann.evaluate(() => window.media.setEnabled('video', true));
  await waitFor(late, () => window.states.at(-1).video);
  for (const page of [bob, late]) await mediaFlows(page, { peers: 2, kinds: ['video'] });
  assert.equal(await offers(), 0, 'who had the camera before gets it back without negotiating');
});

browserTest('a screen is shared beside the camera, and is gone afterwards', {}, async ({ server, open }) => {
  const [ann, bob] = [await open(server.url + BLANK), await open(server.url + BLANK)];
  for (const page of [ann, bob]) await join(page, { media: CAMERA });
  await mediaFlows(bob, { peers: 1 });
  const sources = () => bob.evaluate(() => window.tracks.map(({ source }) => source).sort());
  assert.deepEqual(await sources(), ['camera', 'microphone']);

  for (let round = 1; round <= 2; round++) {
    await ann.evaluate(() => window.media.shareScreen());
    await waitFor(bob, () => window.tracks.filter(({ source }) => source === 'screen').length > 0 && window.states.at(-1).screen);
    await mediaFlows(bob, { peers: 1 });
    assert.deepEqual(await sources(), ['camera', 'microphone', 'screen']);
    const { width } = await bob.evaluate(videoSize, 'screen');
    assert.ok(width > 160, `${width}`);

    // The second time by the browser's own button.
    await ann.evaluate((round) => {
      const [screen] = window.media.screen.getTracks();
      if (round === 1) window.media.stopScreen();
      else screen.dispatchEvent(new Event('ended'));
    }, round);
    await waitFor(bob, () => !window.states.at(-1).screen && window.tracks.find(({ source }) => source === 'screen').track.readyState === 'ended');
    await bob.evaluate(() => window.tracks.splice(window.tracks.findIndex(({ source }) => source === 'screen'), 1));
    await mediaFlows(bob, { peers: 1, kinds: ['audio'] });
  }

  const offers = await countOffers(ann);
  await ann.evaluate(() => window.media.shareScreen({ instead: true }));
  await waitFor(bob, async () => window.states.at(-1).screen);
  await waitFor(bob, async () => (await window.videoSize('camera')).width > 160, { what: 'the screen in the place of the camera' });
  await ann.evaluate(() => window.media.stopScreen());
  await waitFor(bob, async () => (await window.videoSize('camera')).width === 160, { what: 'the camera again' });
  assert.equal(await offers(), 0);
});

browserTest('without a camera one is heard, and sees', { camera: 'missing' }, async ({ server, open }) => {
  const other = await launch('chromium');
  try {
    const [ann, bob] = [await open(server.url + BLANK), await other.open(server.url + BLANK)];
    for (const page of [ann, bob]) await join(page, { media: CAMERA });
    assert.deepEqual(await ann.evaluate(() => window.media.problems), { video: 'NotFoundError' });
    await mediaFlows(ann, { peers: 1 });
    await mediaFlows(bob, { peers: 1, kinds: ['audio'] });
    await waitFor(bob, () => JSON.stringify(window.states.at(-1)) === '{"audio":true,"video":false,"screen":false}');
    other.assertNoProblems();
  } finally {
    await other.close();
  }
});

browserTest('who denies everything sees and hears the others', { camera: 'denied' }, async ({ server, open }) => {
  const other = await launch('chromium');
  try {
    const [ann, bob] = [await open(server.url + BLANK), await other.open(server.url + BLANK)];
    for (const page of [bob, ann]) await join(page, { media: CAMERA });
    assert.deepEqual(await ann.evaluate(() => window.media.problems), { audio: 'NotAllowedError', video: 'NotAllowedError' });
    await mediaFlows(ann, { peers: 1 });
    await ann.evaluate(() => window.channel.send('hello'));
    await waitFor(bob, () => window.heard[0] === 'hello');
    other.assertNoProblems();
  } finally {
    await other.close();
  }
});

browserTest('the quality of a connection is told while somebody listens', {}, async ({ server, open }) => {
  const [ann, bob] = [await open(server.url + BLANK), await open(server.url + BLANK)];
  for (const page of [ann, bob]) await join(page, { media: CAMERA });
  await mediaFlows(bob, { peers: 1 });
  await bob.evaluate(() => window.channel.addEventListener('quality', ({ peer, level, loss, framesPerSecond, kilobitsPerSecond, relayed }) =>
    window.qualities.push({ id: peer.id, level, loss, framesPerSecond, incoming: kilobitsPerSecond.incoming, relayed })));
  await waitFor(bob, () => window.qualities.length >= 3 && window.qualities.at(-1).framesPerSecond > 0);
  const quality = await bob.evaluate(() => window.qualities.at(-1));
  assert.equal(quality.id, await ann.evaluate(() => window.client.peerId));
  assert.ok(['excellent', 'good'].includes(quality.level), JSON.stringify(quality));
  assert.ok(quality.incoming > 5 && quality.relayed === false && quality.loss < 0.05, JSON.stringify(quality));
});

for (const first of ['chromium', 'firefox']) {
  const second = first === 'chromium' ? 'firefox' : 'chromium';
  browserTest(`messages and a file between ${first} and ${second}`, { browser: first }, async ({ server, open }) => {
    const other = await launch(second);
    try {
      const [ann, bob] = [await open(server.url + BLANK), await other.open(server.url + BLANK)];
      for (const page of [ann, bob]) await join(page, { media: CAMERA });
      for (const page of [ann, bob]) await mediaFlows(page, { peers: 1 });
      assert.deepEqual(await bob.evaluate(() => window.tracks.map(({ source }) => source).sort()), ['camera', 'microphone']);
      await ann.evaluate(() => window.channel.send('to you'));
      await waitFor(bob, () => window.heard[0] === 'to you');
      await ann.evaluate(() => {
        const [peer] = window.channel.peers.values();
        window.sending = peer.sendFile(new File([new Uint8Array(3_000_000).fill(7)], 'seven'));
      });
      await waitFor(bob, () => window.files.length === 1);
      const sum = await bob.evaluate(async () => {
        const bytes = new Uint8Array(await (await window.files[0].accept().blob()).arrayBuffer());
        return bytes.reduce((total, byte) => total + byte, 0);
      });
      assert.equal(sum, 21_000_000);
      await ann.evaluate(() => window.sending);
      other.assertNoProblems();
    } finally {
      await other.close();
    }
  });
}

/** Joins a room from inside the page, and remembers what happens there. */
async function join(page, { userdata, media } = {}) {
  await page.evaluate(async (userdata, constraints) => {
    const { connect, LocalMedia } = await import('/client.js');
    if (constraints) window.media = await LocalMedia.open(constraints);
    window.client = await connect(new URL('/signal', location.href));
    window.channel = await window.client.join('room', { userdata, media: window.media });
    Object.assign(window, { heard: [], files: [], tracks: [], states: [], qualities: [] });
    window.channel.addEventListener('message', ({ data }) => window.heard.push(data.byteLength ? new Uint8Array(data)[0] : data));
    window.channel.addEventListener('file', ({ file }) => window.files.push(file));
    window.channel.addEventListener('track', ({ track, source, transceiver }) => window.tracks.push({ track, source, transceiver }));
    window.channel.addEventListener('mediastate', ({ state }) => window.states.push(state));
  }, userdata, media);
  await page.evaluate(`window.videoSize = ${videoSize}`);
}

/** In the page: how large the pictures are that come from a source. */
async function videoSize(source) {
  const { transceiver } = window.tracks.find((track) => track.source === source && track.track.kind === 'video');
  const stats = [...(await transceiver.receiver.getStats()).values()];
  const { frameWidth: width, frameHeight: height } = stats.find(({ type }) => type === 'inbound-rtp') ?? {};
  return { width, height };
}

/** From now on. @returns {Promise<() => Promise<number>>} how many the page has made so far */
async function countOffers(page) {
  await page.evaluate(() => {
    window.offers = 0;
    for (const connection of window.__connections) {
      connection.addEventListener('signalingstatechange', () => {
        if (connection.signalingState === 'have-local-offer') window.offers++;
      });
    }
  });
  return () => page.evaluate(() => window.offers);
}
