/** Pages that are in a call through the JS client alone, and what they saw of it. */
import assert from 'node:assert/strict';

import { mediaFlows } from './media.js';
import { waitFor } from './page.js';

/** A document of the demo server's origin without a script of its own. */
export const BLANK = '/protocol.md';

/** How much longer the picture may stand still when something happens than when nothing does. */
export const GAP_MS = 1_000;

/**
 * Connects to the server and joins the channel `room`, from inside the page. `window.call` is then what the page sees.
 *
 * @param {import('puppeteer-core').Page} page
 * @param {object} [options] for `connect`
 */
export async function enter(page, options = {}) {
  await page.evaluate(async (options) => {
    const { connect } = await import('/client.js');
    const media = await navigator.mediaDevices.getUserMedia({ video: { width: 160, height: 120, frameRate: 5 } });
    const client = await connect(new URL('/signal', location.href), options);
    const call = window.call = {
      client, media, channel: null, welcomes: [], connectionIds: [], negotiated: [], errors: [], tiles: [], peerStates: [],
      received: [], iceServers: [],
    };
    client.signaling.addEventListener('welcome', ({ message }) => call.welcomes.push(message));
    client.signaling.addEventListener('addPeer', ({ message }) => call.connectionIds.push(message.connection_id));
    client.signaling.addEventListener('error', ({ message }) => call.errors.push(message.code));
    client.signaling.addEventListener('iceServers', ({ message }) => call.iceServers.push(message.ice_servers));
    const { relay } = client.signaling;
    client.signaling.relay = (message) => {
      if (message.session_description) call.negotiated.push(message.connection_id);
      return relay.call(client.signaling, message);
    };
  }, options);
  await join(page);
}

/** For a page whose client is connected. */
export function join(page) {
  return page.evaluate(async () => {
    const { call } = window;
    call.channel = await call.client.join('room', { media: call.media });
    for (const type of ['peer', 'peerleave']) {
      call.channel.addEventListener(type, ({ peer }) => call.tiles.push([type, peer.id]));
    }
    call.channel.addEventListener('peer', ({ peer }) => {
      peer.addEventListener('state', ({ state }) => call.peerStates.push(state));
    });
    call.channel.addEventListener('message', ({ data }) => call.received.push(data));
  });
}

/** Two pages in a call of which nothing is missing any more. `options` are those of `connect`. */
export async function callOfTwo(open, url, { openSecond = open, options = {} } = {}) {
  const pages = [await open(url + BLANK), await openSecond(url + BLANK)];
  for (const page of pages) await enter(page, options);
  await allConnected(pages);
  await Promise.all(pages.map(videoFlows));
  return pages;
}

export function videoFlows(page) {
  return mediaFlows(page, { peers: 1, kinds: ['video'] });
}

/** @param {import('puppeteer-core').Page[]} pages */
export function allConnected(pages) {
  return Promise.all(pages.map((page) => waitFor(page, () => {
    const peers = [...window.call.channel.peers.values()];
    return window.call.client.state === 'connected' && peers.length === 1 && peers[0].state === 'connected';
  }, { what: 'client and peer are connected' })));
}

/**
 * Waits until each page was welcomed more often than `before` says, and is connected to server and peer.
 *
 * @param {import('puppeteer-core').Page[]} pages
 * @param {number[]} before from `welcomes`
 */
export async function welcomedAgain(pages, before) {
  await Promise.all(pages.map((page, n) => waitFor(page, (count) => window.call.welcomes.length > count, {
    what: `welcome number ${before[n] + 1} of page ${n}`, args: [before[n]],
  })));
  await allConnected(pages);
}

/** How often each page was welcomed after the first time. */
export function welcomes(pages) {
  return Promise.all(pages.map((page) => page.evaluate(() => window.call.welcomes.length)));
}

/** @returns {Promise<string[]>} */
export function peerIds(pages) {
  return Promise.all(pages.map((page) => page.evaluate(() => window.call.client.peerId)));
}

/** Who looks at the page has seen one peer come, and nothing else: no tile went or came, no connection was replaced. */
export async function assertUndisturbed(pages) {
  for (const page of pages) {
    const seen = await page.evaluate(() => ({
      tiles: window.call.tiles.map(([type]) => type),
      connections: window.__connections.length,
      isStillUsed: [...window.call.channel.peers.values()][0]?.connection === window.__connections[0],
    }));
    assert.deepEqual(seen, { tiles: ['peer'], connections: 1, isStillUsed: true });
  }
}

/**
 * The longest time, in ms, in which any page decoded no frame of a video that it receives, while `work` was under way.
 *
 * @param {import('puppeteer-core').Page[]} pages
 * @param {() => Promise<unknown>} work
 */
export async function longestGap(pages, work) {
  await Promise.all(pages.map((page) => page.evaluate(startSampling)));
  await work();
  const seen = await Promise.all(pages.map((page) => page.evaluate(() => window.stopSampling())));
  for (const { frames } of seen) assert.ok(frames > 0, 'the gap is one between frames');
  return Math.max(...seen.map(({ longest }) => longest));
}

/** In the page. Each figure comes with the time at which the browser took it, so a busy page sees no gap that is none. */
function startSampling() {
  const latest = new Map();
  const result = { longest: 0, frames: 0 };
  let running = true;
  const sample = async (receiver) => {
    const inbound = [...(await receiver.getStats()).values()].find(({ type }) => type === 'inbound-rtp');
    if (!inbound) return;
    const { framesDecoded: frames, timestamp: at } = inbound;
    const before = latest.get(receiver);
    if (before) {
      result.longest = Math.max(result.longest, at - before.at);
      result.frames += frames - before.frames;
    }
    if (!before || frames > before.frames) latest.set(receiver, { frames, at });
  };
  const loop = async () => {
    while (running) {
      const open = window.__connections.filter(({ connectionState }) => connectionState !== 'closed');
      const receivers = open.flatMap((connection) => connection.getReceivers());
      await Promise.all(receivers.filter(({ track }) => track.kind === 'video').map(sample));
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
    return result;
  };
  const over = loop();
  window.stopSampling = () => {
    running = false;
    return over;
  };
}

/** Both pages send numbered messages through the server from now on. */
export async function startChatting(pages) {
  await Promise.all(pages.map((page) => page.evaluate(() => {
    const sent = [];
    const timer = setInterval(() => sent.push(window.call.channel.send(sent.length)), 40);
    window.stopChatting = async () => {
      clearInterval(timer);
      await Promise.all(sent);
      return sent.length;
    };
  })));
}

/** Stops that, and finds that each message has arrived once and in its place. */
export async function assertAllArrived(pages) {
  const sent = await Promise.all(pages.map((page) => page.evaluate(() => window.stopChatting())));
  for (const [n, page] of pages.entries()) {
    const expected = Array.from({ length: sent[1 - n] }, (_, position) => position);
    assert.notEqual(expected.length, 0);
    await waitFor(page, (count) => window.call.received.length >= count, {
      what: `${expected.length} messages`, args: [expected.length],
    });
    assert.deepEqual(await page.evaluate(() => window.call.received), expected);
  }
}

/** The ICE user names of both sides, as this page knows them. */
export function iceNames(page) {
  return page.evaluate(() => {
    const { localDescription, remoteDescription } = window.__connections[0];
    return [localDescription, remoteDescription].map(({ sdp }) => /^a=ice-ufrag:(.*)$/m.exec(sdp)[1].trim());
  });
}

/** Restarts ICE from one side and waits until both have new user names. @param {number} side */
export async function restartIce(pages, side) {
  const before = await iceNames(pages[0]);
  await pages[side].evaluate(() => window.__connections[0].restartIce());
  await Promise.all(pages.map((page) => waitFor(page, (old) => {
    const { localDescription, remoteDescription, signalingState } = window.__connections[0];
    const isOld = old.some((name) =>
      [localDescription, remoteDescription].some(({ sdp }) => sdp.includes(`a=ice-ufrag:${name}\r`)));
    return signalingState === 'stable' && !isOld;
  }, { what: 'both sides have new ICE user names', args: [before] })));
}

/** Adds a second picture from inside the page: a canvas that changes. */
export function addCanvas(page) {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d');
    setInterval(() => context.fillRect(Math.random() * 100, Math.random() * 100, 10, 10), 100);
    const stream = canvas.captureStream(5);
    window.call.channel.addTrack(stream.getVideoTracks()[0], stream);
  });
}

/** Waits until each page receives so many videos, all of which move. */
export function videosMove(pages, count) {
  return Promise.all(pages.map((page) => page.evaluate(() => { window.firstFrames = new Map(); }).then(() =>
    waitFor(page, async (wanted) => {
      const receivers = window.__connections.at(-1).getTransceivers()
        .filter((t) => t.receiver.track.kind === 'video' && /recv/.test(t.currentDirection ?? ''))
        .map((t) => t.receiver);
      const moves = await Promise.all(receivers.map(async (receiver) => {
        const inbound = [...(await receiver.getStats()).values()].find(({ type }) => type === 'inbound-rtp');
        const frames = inbound?.framesDecoded ?? 0;
        if (!window.firstFrames.has(receiver)) window.firstFrames.set(receiver, frames);
        return frames > window.firstFrames.get(receiver);
      }));
      return moves.length === wanted && moves.every(Boolean);
    }, { what: `${count} videos move`, args: [count] }))));
}
