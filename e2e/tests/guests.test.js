/** The published clients of other signaling servers, unchanged, on pages of another origin. */
import assert from 'node:assert/strict';

import { elsewhereTest } from '../elsewhere.js';
import { mediaFlows, waitFor } from '../harness.js';
import { startProxy } from '../proxy.js';

/** What the browser says of a socket that is cut, and PeerJS of what it has to tell. */
const CUT = [/WebSocket connection to .* failed/, /PeerJS: .*/, /ERR_CONNECTION/];

elsewhereTest('PeerJS: data, and a call with camera and microphone', {}, async (stage) => {
  const [ann, ben] = await peers(stage, ['ann', 'ben']);
  await ben.evaluate(() => {
    window.heard = [];
    window.peer.on('connection', (connection) => connection.on('data', (data) => {
      window.heard.push([connection.peer, connection.metadata, data]);
      connection.send({ answer: data.question * 2 });
    }));
    window.peer.on('call', async (call) => {
      call.answer(await navigator.mediaDevices.getUserMedia({ audio: true, video: true }));
      window.call = call;
    });
  });
  const answer = await ann.evaluate(() => new Promise((resolve) => {
    const connection = window.peer.connect('ben', { metadata: { topic: 'tea' }, serialization: 'json' });
    connection.on('open', () => connection.send({ question: 21 }));
    connection.on('data', resolve);
  }));
  assert.deepEqual(answer, { answer: 42 });
  assert.deepEqual(await ben.evaluate(() => window.heard), [['ann', { topic: 'tea' }, { question: 21 }]]);

  await ann.evaluate(async () => {
    const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    window.call = window.peer.call('ben', media);
    await new Promise((resolve) => window.call.on('stream', resolve));
  });
  for (const page of [ann, ben]) await mediaFlows(page);
  await ann.evaluate(() => window.call.close());
  await waitFor(ben, () => !window.call.open);
});

elsewhereTest('PeerJS: an id that is taken, one that nobody has, and one of the server', { expected: CUT }, async (stage) => {
  const [ann] = await peers(stage, ['ann']);
  const taken = await stage.page();
  assert.equal(await taken.evaluate(failure, stage.server.port, 'ann'), 'unavailable-id');

  const id = await taken.evaluate(start, stage.server.port);
  assert.match(id, /^[0-9a-f-]{36}$/);
  const unavailable = await taken.evaluate(() => new Promise((resolve) => {
    window.peer.on('error', ({ type, message }) => resolve([type, message]));
    window.peer.connect('nobody');
  }));
  assert.deepEqual(unavailable, ['peer-unavailable', 'Could not connect to peer nobody']);
  // It is usable still.
  assert.equal(await taken.evaluate(asks, 'ann'), 'connected');
  await ann.evaluate(() => window.peer.destroy());
});

elsewhereTest('PeerJS: it comes back after its socket was cut, and so do its calls', { expected: CUT }, async (stage) => {
  const proxy = await startProxy(stage.server.port);
  try {
    const port = Number(new URL(proxy.url).port);
    const [ann, ben] = await peers(stage, ['ann', 'ben'], port);
    for (const page of [ann, ben]) {
      await page.evaluate(() => {
        window.opened = 0;
        window.peer.on('open', () => { window.opened += 1; });
        window.peer.on('disconnected', () => window.peer.reconnect());
      });
    }
    for (let round = 1; round <= 3; round += 1) {
      assert.equal(proxy.cut(), 2);
      for (const page of [ann, ben]) await waitFor(page, (wanted) => window.opened === wanted && window.peer.open, { args: [round] });
      assert.deepEqual([await ann.evaluate(() => window.peer.id), await ben.evaluate(() => window.peer.id)], ['ann', 'ben']);
      assert.equal(await ann.evaluate(asks, 'ben'), 'connected');
    }
  } finally {
    proxy.stop();
  }
});

elsewhereTest('y-webrtc: two documents become the same, and a third that comes late', {}, async (stage) => {
  const ann = await writes(stage, 'Ann');
  const ben = await writes(stage, 'Ben');
  for (const page of [ann, ben]) await has(page, ['Ann', 'Ben']);
  const cem = await writes(stage, 'Cem');
  for (const page of [ann, ben, cem]) await has(page, ['Ann', 'Ben', 'Cem']);
  // Over connections of WebRTC, not over the server.
  for (const page of [ann, ben, cem]) {
    await waitFor(page, () => window.provider.room.webrtcConns.size === 2 && [...window.provider.room.webrtcConns.values()].every(({ connected }) => connected));
  }
  await ben.evaluate(() => window.doc.getMap('names').set('Ben', 'again'));
  await waitFor(cem, () => window.doc.getMap('names').get('Ben') === 'again');
  await ann.evaluate(() => window.provider.destroy());
  await cem.evaluate(() => window.doc.getMap('names').set('Cem', 'too'));
  await waitFor(ben, () => window.doc.getMap('names').get('Cem') === 'too');
});

elsewhereTest('rooms over a raw WebSocket: a call of two, and the next one when the first has gone', {}, async ({ server, page }) => {
  const pages = [];
  for (let number = 0; number < 2; number += 1) {
    const next = await page();
    await next.evaluate(room, `${server.url.replace('http', 'ws')}/rooms`);
    pages.push(next);
  }
  for (const one of pages) await mediaFlows(one, { peers: 1 });
  const [ann, ben] = pages;
  await ann.close();
  await waitFor(ben, () => window.seen.at(-1) === 'user-disconnected');
  const cem = await page();
  await cem.evaluate(room, `${server.url.replace('http', 'ws')}/rooms`);
  for (const one of [ben, cem]) await mediaFlows(one, { peers: 1 });
});

/** Runs in the page, which is as somebody writes it on an afternoon: it is for two. */
async function room(url) {
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const socket = new WebSocket(url);
  const say = (message) => socket.send(JSON.stringify(message));
  window.seen = [];
  let connection;
  const connect = () => {
    connection = new RTCPeerConnection({ iceServers: [] });
    connection.onicecandidate = ({ candidate }) => candidate && say({ type: 'ice-candidate', candidate });
    media.getTracks().forEach((track) => connection.addTrack(track, media));
  };
  const act = {
    async 'user-joined'() {
      connect();
      await connection.setLocalDescription(await connection.createOffer());
      say({ type: 'offer', offer: connection.localDescription });
    },
    async offer({ offer }) {
      connect();
      await connection.setRemoteDescription(offer);
      await connection.setLocalDescription(await connection.createAnswer());
      say({ type: 'answer', answer: connection.localDescription });
    },
    answer: ({ answer }) => connection.setRemoteDescription(answer),
    'ice-candidate': ({ candidate }) => connection.addIceCandidate(candidate),
    'user-disconnected': () => connection.close(),
  };
  socket.onmessage = async ({ data }) => {
    const message = JSON.parse(data);
    await act[message.type](message);
    window.seen.push(message.type);
  };
  socket.onopen = () => say({ type: 'join-room', roomId: 'tea' });
}

/** Pages with a PeerJS peer of these ids each. */
async function peers(stage, ids, port = stage.server.port) {
  const pages = [];
  for (const id of ids) {
    const page = await stage.page();
    assert.equal(await page.evaluate(start, port, id), id);
    pages.push(page);
  }
  return pages;
}

/** Runs in the page. The id that the peer has got. */
function start(port, id) {
  window.peer = new window.Peer(id, { host: '127.0.0.1', port, config: { iceServers: [] } });
  return new Promise((resolve, reject) => {
    window.peer.on('open', resolve);
    window.peer.on('error', reject);
  });
}

/** Runs in the page. Why there is no peer of this id. */
function failure(port, id) {
  const peer = new window.Peer(id, { host: '127.0.0.1', port, config: { iceServers: [] } });
  return new Promise((resolve) => peer.on('error', ({ type }) => resolve(type)));
}

/** Runs in the page. */
function asks(id) {
  return new Promise((resolve) => {
    const connection = window.peer.connect(id);
    connection.on('open', () => resolve('connected'));
    connection.on('error', ({ type }) => resolve(type));
  });
}

async function writes(stage, name) {
  const page = await stage.page();
  await page.evaluate((url, name) => {
    const { Y, WebrtcProvider } = window;
    window.doc = new Y.Doc();
    window.doc.getMap('names').set(name, 'is here');
    window.provider = new WebrtcProvider('tea', window.doc, { signaling: [url], password: 'secret', peerOpts: { config: { iceServers: [] } } });
  }, `${stage.server.url.replace('http', 'ws')}/y-webrtc`, name);
  return page;
}

async function has(page, names) {
  await waitFor(page, (names) => names.every((name) => window.doc.getMap('names').has(name)), { args: [names] });
}
