/** What the JS client does beside the call itself: messages, files, media state, screen sharing, quality. */
import assert from 'node:assert/strict';

import { browserTest, mediaFlows, waitFor } from '../harness.js';

/** A document of the server's origin without a script of its own. */
const BLANK = '/protocol.md';

browserTest('messages before and after the data channel is open: each once, in order', {}, async ({ server, open }) => {
  const [ann, bob] = [await open(server.url + BLANK), await open(server.url + BLANK)];
  for (const page of [ann, bob]) await join(page);
  // From the moment of joining on, so that the first ones take the way through the server.
  for (const page of [ann, bob]) {
    await page.evaluate(async () => {
      for (let number = 0; number < 100; number++) {
        await window.channel.send(number % 10 === 9 ? Uint8Array.of(number) : number);
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
    window.client.signaling.send = () => Promise.reject(new Error('through the server'));
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
}
