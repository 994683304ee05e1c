/**
 * Everything the library rejects with, and why a connection ended for good.
 *
 * `code` is one of the server's codes (docs/protocol.md: `channel_full`, `unauthorized`, `unknown_peer`, ...) or one of
 * the client's own, all of which are in the readme: `timeout`, `aborted`, `closed`, `session_lost`, `queue_full`, ...
 */
export class SignalingError extends Error {
  /**
   * @param {string} code
   * @param {string} [message]
   */
  constructor(code, message = code) {
    super(message);
    this.name = 'SignalingError';
    /** @readonly */
    this.code = code;
  }
}

/**
 * A promise that the caller may leave alone: whoever awaits it sees the rejection, nobody gets `unhandledrejection`.
 *
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export function optional(promise) {
  promise.catch(() => {});
  return promise;
}

const MOOT = ['session_lost', 'closed', 'unknown_peer'];

/** Whoever is gone, or begins anew, needs no answer. @param {Promise<void>} request */
export async function ignoring(request) {
  try {
    await request;
  } catch (/** @type {any} */ error) {
    if (!MOOT.includes(error.code)) throw error;
  }
}
