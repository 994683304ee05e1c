import { optional, SignalingError } from './errors.js';
import { MAX_UNREAD } from './limits.js';
import { withMediaState } from './media-state.js';
import { Timer } from './timer.js';

/**
 * @typedef {import('./peer.js').Peer} Peer
 *
 * @typedef {object} JoinOptions
 * @property {any} [userdata] what the others shall know: anything JSON can say, up to 1 KiB; an object, with LocalMedia
 * @property {MediaStream | import('./local-media.js').LocalMedia | null} [media] sent to everybody in the channel;
 *   without it we only watch
 * @property {AbortSignal} [signal] gives up joining
 *
 * @typedef {object} ChannelEvents
 * @property {{ peer: Peer, initial: boolean }} peer somebody is there; `initial`: was there before us
 * @property {{ peer: Peer, reason: string }} peerleave
 * @property {{ peer: Peer, source: import('./media-state.js').Source } & import('./link.js').TrackFields} track
 * @property {{ peer: Peer, state: import('./media-state.js').MediaState }} mediastate what the peer says is on: when we
 *   meet, and with each change of its userdata
 * @property {{ peer: Peer }} userdata the peer has changed its userdata
 * @property {{ peer: Peer | null, peerId: string, data: any }} message untrusted: whatever the peer likes to send
 * @property {{ peer: Peer, file: import('./files.js').IncomingFile }} file the peer offers one
 * @property {{ peer: Peer } & import('./quality.js').Quality} quality every 2 s for each peer, once somebody listens
 * @property {{ error: SignalingError | null }} close we are out: left, or by an error
 */

/** What was added by `addTrack`, to whatever channels, by the track that it sends, or sent last. @type {WeakMap<MediaStreamTrack, import('./senders.js').Slot>} */
const slotOf = new WeakMap();

/** A group of peers that `client.join` made us a member of. Not an RTCDataChannel, and not the signaling channel. */
export class Channel extends /** @type {new () => import('./events.js').TypedEventTarget<ChannelEvents>} */ (EventTarget) {
  /** @readonly @type {string} */
  name;
  /** Everybody else, by id. @readonly @type {ReadonlyMap<string, Peer>} */
  peers = new Map();

  /** @internal @type {JoinOptions} */
  options;
  /** What was added here. @internal @type {Set<import('./senders.js').Slot>} */
  slots = new Set();
  /** Where a stranger was found. @internal @type {string | undefined} */
  pool;
  /** @internal */
  joined = false;
  /** Brings us back when the server has started again. @internal @type {string | undefined} */
  seat;
  /** How many of the next `addPeer` are peers that were there before us. @internal */
  expected = 0;
  /** What was sent to all before all were introduced. @internal @type {unknown[]} */
  unheard = [];
  /** After the server forgot us: how long those we still know may take to be introduced again. @internal */
  reunion = new Timer();
  /** Aborted when we are out. @internal */
  over = new AbortController();

  #client;
  /** What LocalMedia has. @type {Set<import('./senders.js').Slot> | undefined} */
  #shared;

  /**
   * @internal
   * @param {string} name
   * @param {JoinOptions} options
   * @param {import('./client.js').Client} client
   */
  constructor(name, options, client) {
    super();
    this.name = name;
    this.options = options;
    this.#client = client;
    const { media } = options;
    if (!media) return;
    if ('slots' in media) {
      this.#shared = media.slots;
      media.addEventListener('change', () => this.#mediaChanged(), this.over);
    } else {
      for (const track of media.getTracks()) this.addTrack(track, media);
    }
  }

  /** @override @type {import('./events.js').TypedEventTarget<ChannelEvents>['addEventListener']} */
  addEventListener(type, listener, options) {
    // Statistics cost the browser something: only who listens pays.
    if (type === 'quality') this.#client.measure();
    super.addEventListener(type, listener, options);
  }

  /** Ours. @returns {any} */
  get userdata() {
    return this.options.userdata ?? null;
  }

  /**
   * Replaces our userdata; the others get `userdata`, newcomers see it in `peer`.
   *
   * @param {unknown} value
   * @returns {Promise<void>}
   */
  setUserdata(value) {
    const options = { ...this.options, userdata: value };
    withMediaState(options); // Throws before anything has changed.
    this.options = options;
    return optional(this.#client.setUserdata(this));
  }

  /**
   * Sends a message to all who are here, or to one: over a data channel, or through the server while none is open. It
   * arrives once and in order. Rejects with a SignalingError: `too_large`, `queue_full`, `unknown_peer`.
   *
   * @param {unknown} data anything JSON can say, up to 64,000 bytes, or an ArrayBuffer or a view of one, up to 48,000
   * @param {{ to?: Peer | string }} [options]
   * @returns {Promise<void>}
   */
  send(data, { to } = {}) {
    return optional(this.#client.send(this, data, typeof to === 'object' ? to.id : to));
  }

  /**
   * The events `message`, for `for await`. Ends with the channel; throws `queue_full` when 1,024 wait to be read.
   *
   * @param {{ signal?: AbortSignal }} [options]
   */
  async *messages({ signal } = {}) {
    /** @type {any[]} */
    const unread = [];
    /** @type {(value?: unknown) => void} */
    let wake = () => {};
    const over = new AbortController();
    const push = (/** @type {Event} */ event) => wake(unread.push(event));
    this.addEventListener('message', push, over);
    this.over.signal.addEventListener('abort', push, over);
    signal?.addEventListener('abort', push, over);
    try {
      while (!signal?.aborted) {
        if (unread.length > MAX_UNREAD) throw new SignalingError('queue_full');
        const event = unread.shift();
        if (event?.type === 'message') yield /** @type {ChannelEvents['message']} */ (event);
        else if (this.over.signal.aborted) return;
        else await new Promise((resolve) => (wake = resolve));
      }
    } finally {
      over.abort();
    }
  }

  /**
   * For a channel from `client.match`: leaves it and finds another stranger, by one message.
   *
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<Channel>}
   */
  next({ signal } = {}) {
    return optional(this.#client.next(this, signal));
  }

  /**
   * Sends a track to all present and future peers of the channel. A track that is also added to another channel goes to
   * a peer of both only once.
   *
   * @param {MediaStreamTrack} track
   * @param {MediaStream} [stream] tracks of one stream arrive in one stream
   */
  addTrack(track, stream = new MediaStream()) {
    const slot = slotOf.get(track) ?? /** @type {import('./senders.js').Slot} */ ({ kind: track.kind, stream });
    slot.track = track; // It may have been replaced by nothing.
    slotOf.set(track, slot);
    this.slots.add(slot);
    this.#client.update();
  }

  /** @param {MediaStreamTrack} track */
  removeTrack(track) {
    const slot = /** @type {import('./senders.js').Slot} */ (slotOf.get(track));
    this.slots.delete(slot);
    this.#client.update();
  }

  /**
   * Another camera, or `null` for camera off: nobody negotiates. The track that was replaced by null still names its
   * place: `replaceTrack(camera, null)`, later `replaceTrack(camera, newCamera)`.
   *
   * @param {MediaStreamTrack} track
   * @param {MediaStreamTrack | null} replacement of the same kind
   */
  replaceTrack(track, replacement) {
    const slot = /** @type {import('./senders.js').Slot} */ (slotOf.get(track));
    if (!this.slots.has(slot)) throw new SignalingError('unknown_track');
    if (replacement && replacement.kind !== slot.kind) throw new TypeError(slot.kind);
    slot.track = replacement;
    if (replacement) {
      slotOf.delete(track);
      slotOf.set(replacement, slot);
    }
    this.#client.update();
  }

  /** Resolves when the server knows, too. @returns {Promise<void>} */
  leave() {
    return optional(this.#client.leave(this));
  }

  async [Symbol.asyncDispose]() {
    await this.leave();
  }

  /** What we send to the peers here. @internal */
  get sent() {
    return [...this.#shared ?? [], ...this.slots];
  }

  /** What is sent, or what is on. */
  #mediaChanged() {
    this.#client.update();
    // Also while we join: what the join says is what was on before. The server takes one after the other.
    optional(this.#client.setUserdata(this));
  }
}
