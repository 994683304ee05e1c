/**
 * Proof that a call works, from the browser's own statistics. A video element that plays proves little: at the first
 * frame it can be black, and `requestVideoFrameCallback` stalls in pages that are not in front.
 */
import { poll } from './page.js';

/** Runs in the page before any script of its own: keeps each RTCPeerConnection in `window.__connections`. */
export function rememberConnections() {
  window.__connections = [];
  window.RTCPeerConnection = new Proxy(window.RTCPeerConnection, {
    construct(target, args, newTarget) {
      const connection = Reflect.construct(target, args, newTarget);
      window.__connections.push(connection);
      return connection;
    },
  });
}

/**
 * One row for each negotiated receiver of each connection that is not closed.
 *
 * @typedef {{key: string, kind: 'audio' | 'video', track: string, bytes: number, frames: number, state: string}} Receiver
 * @param {import('puppeteer-core').Page} page
 * @returns {Promise<Receiver[]>}
 */
export function receivers(page) {
  return page.evaluate(async () => {
    const rows = window.__connections.flatMap((connection, n) => {
      if (connection.connectionState === 'closed') return [];
      const receiving = connection.getTransceivers().filter((t) => /recv/.test(t.currentDirection ?? ''));
      return receiving.map(async ({ mid, receiver }) => {
        const stats = [...(await receiver.getStats()).values()];
        const inbound = stats.filter(({ type }) => type === 'inbound-rtp');
        const sum = (field) => inbound.reduce((total, entry) => total + (entry[field] ?? 0), 0);
        return {
          key: `connection ${n}, mid ${mid}`,
          kind: receiver.track.kind,
          track: receiver.track.id,
          bytes: sum('bytesReceived'),
          frames: sum('framesDecoded'),
          state: connection.connectionState,
        };
      });
    });
    return Promise.all(rows);
  });
}

/**
 * Waits until media comes in from everybody: on every receiver of the page bytes grow, and on those of video decoded
 * frames too, counted from the moment of the call.
 *
 * @param {import('puppeteer-core').Page} page
 * @param {object} [options]
 * @param {number} [options.peers] how many connections there must be, all connected; without it, one at least
 * @param {('audio' | 'video')[]} [options.kinds] what each of them must receive
 * @param {number} [options.timeout]
 * @returns {Promise<true>}
 */
export async function mediaFlows(page, { peers, kinds = ['audio', 'video'], timeout = 20_000 } = {}) {
  const first = new Map();
  await poll(`${kinds.join(' and ')} from ${peers ?? 'all'} peers at ${page.url()}`, timeout, async () => {
    const rows = (await receivers(page)).filter(({ kind }) => kinds.includes(kind));
    for (const row of rows) if (!first.has(row.key)) first.set(row.key, row);
    const growing = (row) => row.state === 'connected' && grows(first.get(row.key), row);
    const sources = new Set(rows.map(({ key }) => key.split(',')[0]));
    const complete = kinds.every((kind) => {
      const having = new Set(rows.filter((row) => row.kind === kind).map(({ key }) => key.split(',')[0]));
      return having.size === sources.size;
    });
    const enough = peers === undefined ? sources.size > 0 : sources.size === peers;
    return { done: enough && complete && rows.every(growing), value: true, seen: rows };
  });
  return true;
}

/**
 * The selected candidate pair of each connected connection.
 *
 * @param {import('puppeteer-core').Page} page
 * @returns {Promise<{local: string, remote: string, protocol: string}[]>}
 */
export function connectedPairs(page) {
  return page.evaluate(async () => {
    const connected = window.__connections.filter(({ connectionState }) => connectionState === 'connected');
    const pairs = connected.map(async (connection) => {
      const stats = await connection.getStats();
      const all = [...stats.values()];
      const chosen = all.find(({ type }) => type === 'transport')?.selectedCandidatePairId;
      // Firefox marks the pair itself and has no transport entry.
      const pair = stats.get(chosen) ?? all.find(({ type, selected }) => type === 'candidate-pair' && selected);
      const [local, remote] = [stats.get(pair?.localCandidateId), stats.get(pair?.remoteCandidateId)];
      return { local: local?.candidateType, remote: remote?.candidateType, protocol: local?.protocol };
    });
    return Promise.all(pairs);
  });
}

/**
 * Waits until the `<video>` that `selector` finds shows a moving picture: it plays, and its frames grow. Those of
 * somebody else's camera are counted by the connection, those of one's own by the element.
 *
 * @param {import('puppeteer-core').Page} page
 * @param {string} selector
 * @param {{timeout?: number}} [options]
 * @returns {Promise<true>}
 */
export async function framesGrow(page, selector, { timeout = 20_000 } = {}) {
  let first;
  return poll(`moving pictures in ${selector} at ${page.url()}`, timeout, async () => {
    const element = await page.evaluate(pictureOf, selector);
    const remote = element && (await receivers(page)).find(({ track }) => track === element.track);
    const frames = remote ? remote.frames : element?.frames;
    first ??= frames;
    return { done: Boolean(element?.playing) && frames > first, value: true, seen: { element, frames, first } };
  });
}

/** Runs in the page. */
function pictureOf(selector) {
  const video = document.querySelector(selector);
  if (!video) return null;
  return {
    playing: !video.paused && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.videoWidth > 0,
    // Firefox has no quality figures for a stream, but a count of its own.
    frames: video.mozPaintedFrames ?? video.getVideoPlaybackQuality().totalVideoFrames,
    track: video.srcObject?.getVideoTracks?.()[0]?.id ?? null,
  };
}

function grows(before, after) {
  return after.bytes > before.bytes && (after.kind === 'audio' || after.frames > before.frames);
}
