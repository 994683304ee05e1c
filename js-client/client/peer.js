import { optional } from './errors.js';
import { emit } from './events.js';
import { mediaState } from './media-state.js';

/** @typedef {'connecting' | 'connected' | 'reconnecting' | 'closed'} PeerState */

/**
 * @typedef {object} PeerEvents
 * @property {{ state: PeerState }} state
 */

/**
 * Somebody else in a channel. Two shared channels make two of these, with a userdata each, over one connection.
 */
export class Peer extends /** @type {new () => import('./events.js').TypedEventTarget<PeerEvents>} */ (EventTarget) {
  /** @readonly @type {string} */
  id;
  /** What the peer says about itself: untrusted; null if nothing. @type {any} */
  userdata = null;
  /** What the server says about the peer. @type {string | undefined} */
  identity;
  /** Whether it is the host of a star. @type {boolean | undefined} */
  host;

  /** @internal @type {import('./link.js').Link} */
  link;
  /** @internal @type {import('./channel.js').Channel} */
  channel;
  /** As the server said; empty after the session was lost, until the server introduces the peer again. @internal */
  connection_id = '';
  /** As the server said. @internal */
  should_create_offer = false;

  /**
   * @internal
   * @param {import('./link.js').Link} link
   * @param {import('./channel.js').Channel} channel
   */
  constructor(link, channel) {
    super();
    this.id = link.peerId;
    this.link = link;
    this.channel = channel;
  }

  /** Whether media can flow to and from the peer. @returns {PeerState} */
  get state() {
    return this.link.peers.get(this.channel.name) === this ? this.link.state : 'closed';
  }

  /** What the peer says is on; null if it does not say. */
  get mediaState() {
    return mediaState(this.userdata);
  }

  /** The connection itself, for statistics and for what this library does not do. It may be replaced by a new one. */
  get connection() {
    return this.link.connection;
  }

  /**
   * Resolves when the peer has the whole file, unharmed. Rejects with a SignalingError: `declined`, `cancelled`,
   * `aborted`, `connection_lost`, `corrupted`, `closed`.
   *
   * @param {Blob} file read bit by bit, as fast as the peer takes it
   * @param {Omit<Parameters<typeof import('./files.js').sendFile>[2], 'channel'>} [options]
   * @returns {Promise<void>}
   */
  sendFile(file, options = {}) {
    return optional(this.link.sendFile(this.channel.name, file, options));
  }

  /** @internal @param {unknown} userdata */
  claim(userdata) {
    if (JSON.stringify(userdata) === JSON.stringify(this.userdata)) return;
    this.userdata = userdata;
    emit(this.channel, 'userdata', { peer: this });
    this.tellMediaState();
  }

  /** @internal */
  tellMediaState() {
    const state = this.mediaState;
    if (state) emit(this.channel, 'mediastate', { peer: this, state });
  }
}
