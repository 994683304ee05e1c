/** The JS client between real browsers: what no page of the demo does. */
import assert from 'node:assert/strict';

import { browserTest, count, launch, mediaFlows, startServer, waitFor } from '../harness.js';

/** A document of the server's origin without a script of its own. */
const BLANK = '/protocol.md';

browserTest('both sides add tracks in the same tick: always connected', {}, async ({ server, open }) => {
  const pages = [await open(server.url + BLANK), await open(server.url + BLANK)];
  for (const page of pages) await enter(page, ['glare'], { media: false });
  await Promise.all(pages.map((page) => isConnected(page)));
  for (const page of pages) await page.evaluate(countOffers);
  const offersSince = async () => {
    const counts = await Promise.all(pages.map((page) => page.evaluate(() => window.offers.splice(0).length)));
    return counts[0] + counts[1];
  };

  for (let round = 0; round < count('GLARE_ROUNDS', 5); round++) {
    // One clock for both pages: the machine's.
    const at = Date.now() + 200;
    await Promise.all(pages.map((page) => page.evaluate(addTrackAt, at)));
    const settle = (videos) => Promise.all(pages.map((page) =>
      waitFor(page, isSettled, { args: [videos], what: `round ${round} settles with ${videos} tracks each` })));
    await settle(1);
    // One from each side; the track of the one that yields goes along with its answer.
    assert.ok(await offersSince() <= 2);
    for (const page of pages) await page.evaluate(() => window.channels.glare.removeTrack(window.extra));
    await settle(0);
    // From each side one to stop sending, and one to stop the transceiver when the other has stopped too.
    assert.ok(await offersSince() <= 4);
  }
  // No round has cost a connection.
  for (const page of pages) assert.equal(await page.evaluate(() => window.__connections.length), 1);
});

browserTest('parting one of two shared channels does not cut the call', {}, async ({ server, open }) => {
  const [ann, bob] = [await open(server.url + BLANK), await open(server.url + BLANK)];
  await enter(ann, ['first', 'second'], { media: true });
  await enter(bob, ['second', 'first'], { media: true });
  await Promise.all([mediaFlows(ann, { peers: 1 }), mediaFlows(bob, { peers: 1 })]);

  await bob.evaluate(() => window.channels.first.leave());
  await waitFor(ann, () => window.channels.first.peers.size === 0 && window.channels.second.peers.size === 1);
  await Promise.all([mediaFlows(ann, { peers: 1 }), mediaFlows(bob, { peers: 1 })]);
  for (const page of [ann, bob]) assert.equal(await page.evaluate(() => window.__connections.length), 1);

  await bob.evaluate(() => window.channels.second.leave());
  await waitFor(ann, () => window.__connections.every((connection) => connection.connectionState === 'closed'));
});

browserTest('a call outlives the server: the socket is lost, the pictures go on', { server: false, expected: [/ERR_CONNECTION_REFUSED/] }, async ({ open }) => {
  let server = await startServer();
  try {
    const pages = [await open(server.url + BLANK), await open(server.url + BLANK)];
    for (const page of pages) await enter(page, ['room'], { media: true });
    await Promise.all(pages.map((page) => mediaFlows(page, { peers: 1 })));
    const { port } = server;
    await server.stop('SIGKILL');
    for (const page of pages) await waitFor(page, () => window.client.state === 'reconnecting');
    await Promise.all(pages.map((page) => mediaFlows(page, { peers: 1 })));

    server = await startServer({ port });
    for (const page of pages) {
      await waitFor(page, () => window.client.state === 'connected' && window.channels.room.peers.size === 1, { timeout: 60_000 });
    }
    await Promise.all(pages.map((page) => mediaFlows(page, { peers: 1 })));
  } finally {
    await server.stop();
  }
});

browserTest('two Firefox pages are in a call', { browser: 'firefox' }, async ({ server, open }) => {
  const pages = [await open(server.url + BLANK), await open(server.url + BLANK)];
  for (const page of pages) await enter(page, ['room'], { media: true });
  await Promise.all(pages.map((page) => mediaFlows(page, { peers: 1 })));
});

for (const first of ['chromium', 'firefox']) {
  const second = first === 'chromium' ? 'firefox' : 'chromium';
  browserTest(`${second} joins ${first}`, { browser: first }, async ({ server, open }) => {
    const other = await launch(second);
    try {
      const pages = [await open(server.url + BLANK), await other.open(server.url + BLANK)];
      for (const page of pages) await enter(page, ['room'], { media: true });
      await Promise.all(pages.map((page) => mediaFlows(page, { peers: 1 })));
      other.assertNoProblems();
    } finally {
      await other.close();
    }
  });
}

/** Joins channels from inside the page. */
async function enter(page, names, { media }) {
  await page.evaluate(async (names, media) => {
    const { connect } = await import('/client.js');
    const constraints = { audio: true, video: { width: 160, height: 120, frameRate: 10 } };
    const stream = media ? await navigator.mediaDevices.getUserMedia(constraints) : undefined;
    window.client = await connect(new URL('/signal', location.href));
    window.channels = {};
    for (const name of names) window.channels[name] = await window.client.join(name, { media: stream });
  }, names, media);
}

function isConnected(page) {
  return waitFor(page, () => window.__connections.length === 1 && window.__connections[0].connectionState === 'connected');
}

/** In the page: adds a track of its own at this moment. */
function addTrackAt(at) {
  const canvas = document.createElement('canvas');
  canvas.getContext('2d').fillRect(0, 0, 1, 1);
  const stream = canvas.captureStream(5);
  [window.extra] = stream.getVideoTracks();
  return new Promise((resolve) => {
    setTimeout(() => resolve(window.channels.glare.addTrack(window.extra, stream)), at - Date.now());
  });
}

/** In the page: `window.offers` gets one entry for each offer that is sent. */
function countOffers() {
  window.offers = [];
  const { signaling } = window.client;
  const { relay } = signaling;
  signaling.relay = (message) => {
    if (message.session_description?.type === 'offer') window.offers.push(message);
    relay.call(signaling, message);
  };
}

/** In the page: nothing is being negotiated or about to be, and so many videos come and go. */
function isSettled(videos) {
  const [connection] = window.__connections;
  const transceivers = connection.getTransceivers().filter((t) => t.receiver.track.kind === 'video');
  const directions = transceivers.map((t) => t.currentDirection);
  const flowing = directions.filter((direction) => direction === 'sendrecv').length;
  const halves = directions.filter((direction) => direction === 'sendonly').length;
  const received = directions.filter((direction) => direction === 'recvonly').length;
  const isStopping = transceivers.some((t) => t.direction === 'stopped');
  const isStable = connection.signalingState === 'stable' && connection.connectionState === 'connected' && !isStopping;
  return isStable && flowing + halves === videos && flowing + received === videos;
}
