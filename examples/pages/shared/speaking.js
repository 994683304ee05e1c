// Marks the tiles of those who speak: the level travels with the sound itself, nobody has to decode it again.

const INTERVAL_MS = 100;
/** The mark outlasts the pauses between words. */
const PAUSE_MS = 600;
const SPEECH = 0.01;

/**
 * @param {ReadonlyMap<string, { connection: RTCPeerConnection | null }>} peers
 * @param {import('./tiles.js').Tiles} tiles
 * @param {AbortSignal} signal
 */
export function watchSpeakers(peers, tiles, signal) {
  /** When each was last heard. @type {WeakMap<object, number>} */
  const heard = new WeakMap();
  const timer = setInterval(() => {
    const now = performance.now();
    for (const [id, peer] of peers) {
      if (level(peer.connection) > SPEECH) heard.set(peer, now);
      tiles.get(id)?.element.toggleAttribute('data-speaking', now - (heard.get(peer) ?? -Infinity) < PAUSE_MS);
    }
  }, INTERVAL_MS);
  signal.addEventListener('abort', () => clearInterval(timer));
}

/** @param {RTCPeerConnection | null} connection */
function level(connection) {
  const receivers = connection?.getReceivers().filter(({ track }) => track.kind === 'audio') ?? [];
  return Math.max(0, ...receivers.map((receiver) => receiver.getSynchronizationSources()[0]?.audioLevel ?? 0));
}
