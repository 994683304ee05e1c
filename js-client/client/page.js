/**
 * Ties a signaling channel to the life of its page. Node and workers have none.
 *
 * @param {import('./signaling-channel.js').SignalingChannel} signaling
 * @param {() => boolean} isInCall
 * @param {AbortController} over unties it
 */
export function followPage(signaling, isInCall, over) {
  if (!globalThis.document) return;
  // A page that is kept for the way back may return within the grace time; one that goes for good says so. Of a page in
  // a call Chromium says that it may be kept, but never keeps it: better no ghost, and a new session if it does return.
  addEventListener('pagehide', ({ persisted }) => {
    if (persisted) signaling.suspend({ bye: isInCall() });
    else signaling.close();
  }, over);
  const wake = () => signaling.wake();
  addEventListener('pageshow', wake, over);
  addEventListener('online', wake, over);
  addEventListener('visibilitychange', () => document.hidden || wake(), over);
}
