/**
 * A reloaded page would meet its own ghost in a room of two until the grace time is over. So a copy of the resume token
 * outlives the page in its sessionStorage, and the next page says `replaces`. It is never used to resume: a duplicated
 * tab has the same copy, and the server ends a session for it only if nobody is attached.
 */

/** Where this page has written itself: those sessions are alive, not ghosts. @type {Set<string>} */
const own = new Set();

export class ReplacesToken {
  #key;

  /** @param {string} url */
  constructor(url) {
    this.#key = `signal-client ${url}`;
  }

  /** The token that an earlier page left behind. @returns {string | undefined} */
  get() {
    return own.has(this.#key) ? undefined : this.#use('getItem') || undefined;
  }

  /** @param {string} token */
  save(token) {
    own.add(this.#key);
    this.#use('setItem', token);
  }

  clear() {
    this.#use('removeItem');
  }

  /** @param {'getItem' | 'setItem' | 'removeItem'} method @param {string} value */
  #use(method, value = '') {
    try {
      return sessionStorage[method](this.#key, value);
    } catch {
      // None in Node, forbidden in a sandboxed frame, or full: a reload will meet its ghost for the grace time.
    }
  }
}
