/**
 * Ties a signaling channel to the life of its page.
 *
 * @param {import('./signaling-channel.js').SignalingChannel} signaling
 * @param {() => boolean} isInCall
 * @returns {() => void} unties it
 */
export function followPage(signaling, isInCall) {
  const untie = new AbortController();
  const page = globalThis.document ? globalThis : null; // Node and workers have no page
  const wake = () => signaling.wake();
  /** @param {string} type @param {(event: any) => void} listener */
  const on = (type, listener) => page?.addEventListener(type, listener, { signal: untie.signal });

  // A page that is kept for the way back may return within the grace time; one that goes for good says so. Of a page in
  // a call Chromium says that it may be kept, but never keeps it: better no ghost, and a new session if it does return.
  on('pagehide', ({ persisted }) => (persisted ? signaling.suspend({ bye: isInCall() }) : signaling.close()));
  on('pageshow', ({ persisted }) => persisted && wake());
  on('online', wake);
  page?.document.addEventListener('visibilitychange', () => document.hidden || wake(), { signal: untie.signal });
  return () => untie.abort();
}
