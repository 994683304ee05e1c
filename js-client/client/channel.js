import { optional, SignalingError } from './errors.js';

/**
 * @typedef {import('./peer.js').Peer} Peer
 *
 * @typedef {object} ChannelEvents
 * @property {{ peer: Peer, initial: boolean }} peer somebody is there; `initial`: was there before us
 * @property {{ peer: Peer, reason: string }} peerleave
 * @property {{ peer: Peer } & import('./link.js').TrackFields} track
 * @property {{ peer: Peer }} userdata the peer has changed its userdata
 * @property {{ peer: Peer | null, peerId: string, data: any }} message through the server
 * @property {{ error: SignalingError | null }} close we are out: left, or by an error
 */

const Base = /** @type {new () => import('./events.js').TypedEventTarget<ChannelEvents>} */ (EventTarget);

/** A group of peers that `client.join` made us a member of. Not an RTCDataChannel, and not the signaling channel. */
export class Channel extends Base {
  #membership;
  #mesh;
  /** Everybody else, by id. @readonly @type {ReadonlyMap<string, Peer>} */
  peers;

  /**
   * @param {import('./membership.js').Membership} membership
   * @param {import('./mesh.js').Mesh} mesh
   * @param {ReadonlyMap<string, Peer>} peers
   */
  constructor(membership, mesh, peers) {
    super();
    this.#membership = membership;
    this.#mesh = mesh;
    this.peers = peers;
  }

  get name() {
    return this.#membership.name;
  }

  /** Ours. @returns {any} */
  get userdata() {
    return this.#membership.userdata ?? null;
  }

  /**
   * Replaces our userdata; the others get `userdata`, newcomers see it in `peer`.
   *
   * @param {unknown} value
   * @returns {Promise<void>}
   */
  setUserdata(value) {
    this.#membership.userdata = value;
    return optional(this.#mesh.setUserdata(this.#membership));
  }

  /**
   * Sends a message through the server, to all or to one. For much or fast data use a data channel of the connection.
   *
   * @param {unknown} data anything JSON can say
   * @param {{ to?: Peer | string }} [options]
   * @returns {Promise<void>}
   */
  send(data, { to } = {}) {
    if (to === undefined) return this.#mesh.signaling.send({ channel: this.name }, data);
    return this.#mesh.signaling.send({ peerId: typeof to === 'string' ? to : to.id }, data);
  }

  /**
   * Sends a track to all present and future peers of the channel. A track that is also added to another channel goes to
   * a peer of both only once.
   *
   * @param {MediaStreamTrack} track
   * @param {MediaStream} [stream] tracks of one stream arrive in one stream
   */
  addTrack(track, stream) {
    const { slots } = this.#membership;
    if (find(slots, track)) return;
    const kind = /** @type {'audio' | 'video'} */ (track.kind);
    const beside = stream ?? [...slots][0]?.stream ?? new MediaStream();
    slots.add(find(this.#mesh.slots(), track) ?? { kind, track, last: track, stream: beside });
    this.#mesh.update();
  }

  /** @param {MediaStreamTrack} track */
  removeTrack(track) {
    const slot = find(this.#membership.slots, track);
    if (slot) this.#membership.slots.delete(slot);
    this.#mesh.update();
  }

  /**
   * Another camera, or `null` for camera off: nobody negotiates. The track that was replaced by null still names its
   * place: `replaceTrack(camera, null)`, later `replaceTrack(camera, newCamera)`.
   *
   * @param {MediaStreamTrack} track
   * @param {MediaStreamTrack | null} replacement of the same kind
   */
  replaceTrack(track, replacement) {
    const slot = find(this.#membership.slots, track);
    if (!slot) throw new SignalingError('unknown_track', 'this channel does not send that track');
    if (replacement && replacement.kind !== slot.kind) throw new TypeError(`expected a track of kind ${slot.kind}`);
    slot.track = replacement;
    slot.last = replacement ?? slot.last;
    this.#mesh.update();
  }

  /** Resolves when the server knows, too. @returns {Promise<void>} */
  leave() {
    return optional(this.#mesh.leave(this.#membership));
  }

  async [Symbol.asyncDispose]() {
    await this.leave();
  }
}

/** @param {Iterable<import('./senders.js').Slot>} slots @param {MediaStreamTrack} track */
function find(slots, track) {
  return [...slots].find(({ last }) => last === track);
}
