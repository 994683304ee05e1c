/**
 * Everything the library rejects with, and why a connection ended for good.
 *
 * `code` is one of the server's codes (docs/protocol.md: `channel_full`, `unauthorized`, `unknown_peer`, ...) or one of
 * the client's own: `timeout`, `aborted`, `closed`, `session_lost`, `queue_full`, `already_joined`, `replaced`, `kicked`.
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

/** @param {unknown} error */
export function codeOf(error) {
  return error instanceof SignalingError ? error.code : undefined;
}

/** @param {string[]} codes @param {Promise<void>} promise */
export async function ignoring(codes, promise) {
  try {
    await promise;
  } catch (error) {
    if (!codes.includes(codeOf(error) ?? '')) throw error;
  }
}
