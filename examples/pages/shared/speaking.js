// Who speaks: the level travels with the sound itself, nobody has to decode it again.

const INTERVAL_MS = 100;
/** It outlasts the pauses between words. */
const PAUSE_MS = 600;
const SPEECH = 0.01;

/**
 * @param {() => Iterable<{ id: string, connection: RTCPeerConnection | null }>} peers
 * @param {(id: string, on: boolean) => void} mark called when somebody begins or stops speaking
 * @param {AbortSignal} signal
 */
export function watchSpeakers(peers, mark, signal) {
  /** When each of those who speak was last heard. @type {Map<string, number>} */
  const heard = new Map();
  const timer = setInterval(() => {
    const now = performance.now();
    for (const { id, connection } of peers()) {
      if (level(connection) <= SPEECH) continue;
      if (!heard.has(id)) mark(id, true);
      heard.set(id, now);
    }
    for (const [id, last] of heard) {
      if (now - last < PAUSE_MS) continue;
      heard.delete(id);
      mark(id, false);
    }
  }, INTERVAL_MS);
  signal.addEventListener('abort', () => clearInterval(timer));
}

/** @param {RTCPeerConnection | null} connection */
function level(connection) {
  const receivers = connection?.getReceivers().filter(({ track }) => track.kind === 'audio') ?? [];
  return Math.max(0, ...receivers.map((receiver) => receiver.getSynchronizationSources()[0]?.audioLevel ?? 0));
}
