/**
 * A reloaded page would meet its own ghost in a room of two until the grace time is over. So a copy of the resume token
 * outlives the page in its sessionStorage, and the next page says `replaces`. It is never used to resume: a duplicated
 * tab has the same copy, and the server ends a session for it only if nobody is attached.
 */

/** What this page has looked up or written itself: those sessions are alive, not ghosts. @type {Set<string>} */
const own = new Set();

/** @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} TokenStorage */

export class ReplacesToken {
  #storage;
  #key;

  /**
   * @param {TokenStorage | null | undefined} storage default: the page's sessionStorage
   * @param {string} key
   */
  constructor(storage, key) {
    this.#storage = storage === undefined ? pageStorage() : storage;
    this.#key = `signal-client ${key}`;
  }

  /** The token that an earlier page left behind, once. @returns {string | undefined} */
  take() {
    if (own.has(this.#key)) return undefined;
    own.add(this.#key);
    return this.#storage?.getItem(this.#key) ?? undefined;
  }

  /** @param {string} token */
  save(token) {
    try {
      this.#storage?.setItem(this.#key, token);
    } catch {
      // Full: a reload will meet its ghost for the grace time.
    }
  }

  clear() {
    this.#storage?.removeItem(this.#key);
  }
}

function pageStorage() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null; // Forbidden: a sandboxed frame, or cookies blocked.
  }
}
