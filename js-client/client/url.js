/**
 * `/signal`, `https://host/signal` and `wss://host/signal` all name a WebSocket.
 *
 * @param {string | URL} url
 */
export function socketUrl(url) {
  const resolved = new URL(url, globalThis.location?.href);
  resolved.protocol = resolved.protocol.replace('http', 'ws');
  resolved.hash = ''; // WebSocket refuses a fragment
  return resolved.href;
}
