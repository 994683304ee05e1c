import { Channel } from './channel.js';
import { Timer } from './clock.js';
import { emit } from './events.js';

/** One of our channels, as the mesh sees it; `channel` is what the application sees. */
export class Membership {
  /** @readonly */
  name;
  /** @readonly */
  channel;
  /** @type {unknown} */
  userdata;
  /** What we send to the peers of this channel. @type {Set<import('./senders.js').Slot>} */
  slots = new Set();
  joined = false;
  /** How many of the next `addPeer` are peers that were there before us. */
  expected = 0;
  /** After the server forgot us: how long those we still know may take to be introduced again. @readonly */
  reunion;

  /** @type {Map<string, import('./peer.js').Peer>} */
  #peers = new Map();
  /** Until the application had its chance to add listeners, after `await join`. @type {(() => void)[] | null} */
  #held = [];

  /**
   * @param {string} name
   * @param {unknown} userdata
   * @param {import('./mesh.js').Mesh} mesh
   * @param {import('./clock.js').Clock} clock
   */
  constructor(name, userdata, mesh, clock) {
    this.name = name;
    this.userdata = userdata;
    this.reunion = new Timer(clock);
    this.channel = new Channel(this, mesh, this.#peers);
  }

  /** Lets the held events go. */
  release() {
    const held = this.#held ?? [];
    this.#held = null;
    for (const action of held) action();
  }

  /** @param {import('./peer.js').Peer} peer @param {boolean} initial */
  addPeer(peer, initial) {
    this.#deliver(() => {
      this.#peers.set(peer.id, peer);
      emit(this.channel, 'peer', { peer, initial });
    });
  }

  /** @param {import('./peer.js').Peer} peer @param {string} reason */
  removePeer(peer, reason) {
    this.#deliver(() => {
      this.#peers.delete(peer.id);
      emit(this.channel, 'peerleave', { peer, reason });
    });
  }

  /** @param {string} peerId @param {unknown} data */
  message(peerId, data) {
    this.#deliver(() => emit(this.channel, 'message', { peer: this.#peers.get(peerId) ?? null, peerId, data }));
  }

  /** @param {string} type @param {object} fields */
  emit(type, fields) {
    this.#deliver(() => emit(this.channel, type, fields));
  }

  /** @param {() => void} action */
  #deliver(action) {
    if (this.#held) this.#held.push(action);
    else action();
  }
}
