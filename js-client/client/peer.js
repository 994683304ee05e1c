/** @typedef {'connecting' | 'connected' | 'reconnecting' | 'closed'} PeerState */

/**
 * @typedef {object} PeerEvents
 * @property {{ state: PeerState }} state
 */

const Base = /** @type {new () => import('./events.js').TypedEventTarget<PeerEvents>} */ (EventTarget);

/**
 * Somebody else in a channel. Two shared channels make two of these, with a userdata each, over one connection.
 */
export class Peer extends Base {
  #introduction;

  /** @param {import('./link.js').Introduction} introduction */
  constructor(introduction) {
    super();
    this.#introduction = introduction;
  }

  get id() {
    return this.#introduction.link.peerId;
  }

  /** What the peer says about itself; null if nothing. @returns {any} */
  get userdata() {
    return this.#introduction.userdata;
  }

  /** What the server says about the peer. @returns {string | undefined} */
  get identity() {
    return this.#introduction.identity;
  }

  /** Whether media can flow to and from the peer. @returns {PeerState} */
  get state() {
    return this.#introduction.gone ? 'closed' : this.#introduction.link.state;
  }

  /** The connection itself, for statistics and for what this library does not do. It may be replaced by a new one. */
  get connection() {
    return this.#introduction.link.connection;
  }
}
