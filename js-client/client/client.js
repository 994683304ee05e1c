import { retryDelay } from './backoff.js';
import { Channel } from './channel.js';
import { ignoring, optional, SignalingError } from './errors.js';
import { emit } from './events.js';
import { MAX_DELAY, MEASURE_EVERY, REINTRODUCTION_DEADLINE } from './limits.js';
import { ENVELOPE, Link } from './link.js';
import { withMediaState } from './media-state.js';
import { followPage } from './page.js';
import { Peer } from './peer.js';
import { aborted } from './requests.js';
import { Timer } from './timer.js';

/**
 * @typedef {import('./channel.js').JoinOptions} JoinOptions
 *
 * @typedef {object} Ticket
 * @property {JoinOptions} options
 * @property {(channel: Channel) => void} resolve
 * @property {(error: SignalingError) => void} reject
 * @property {boolean} [taken] the server has it
 *
 * @typedef {object} CallOptions
 * @property {RTCConfiguration} [configuration] for each RTCPeerConnection, over what the server says: its `iceServers`,
 *   if any, replace those of the server
 *
 * @typedef {object} ClientEvents
 * @property {{ state: import('./signaling-channel.js').State, error: SignalingError | null }} state
 * @property {{ peerId: string, data: any }} message to us alone and in no channel, from another kind of client or from
 *   the server itself (`peerId` is empty)
 */

/** A peer among others: its channels, and one link for each peer that at least one of them introduced. */
export class Client extends /** @type {new () => import('./events.js').TypedEventTarget<ClientEvents>} */ (EventTarget) {
  /** The layer below, for what this class does not do. @readonly */
  signaling;
  /** For each RTCPeerConnection. @internal @type {RTCConfiguration} */
  configuration;
  #options;
  /** @type {Map<string, Channel>} */
  #channels = new Map();
  /** By peer id. @type {Map<string, Link>} */
  #links = new Map();
  #peerId = '';
  /** What we wait for, by pool. @type {Map<string, Ticket>} */
  #tickets = new Map();
  #measuring = new Timer();

  /**
   * @param {import('./signaling-channel.js').SignalingChannel} signaling
   * @param {CallOptions} [options]
   */
  constructor(signaling, options = {}) {
    super();
    this.signaling = signaling;
    this.#options = options;
    this.configuration = options.configuration ?? {};

    /** @param {any} type @param {(this: Client, message: any) => void} handle */
    const on = (type, handle) => signaling.addEventListener(type, ({ message }) => handle.call(this, message));
    on('welcome', this.#welcome);
    on('joined', this.#joined);
    on('addPeer', this.#addPeer);
    on('removePeer', this.#removePeer);
    on('sessionDescription', this.#relayed);
    on('iceCandidate', this.#relayed);
    on('userdata', this.#userdata);
    on('message', this.#message);
    on('iceServers', this.#iceServers);
    on('parted', this.#parted);
    on('error', this.#error);
    on('matched', this.#matched);
    on('matchEnded', this.#matchEnded);
    const over = new AbortController();
    if (this.state !== 'closed') followPage(signaling, () => this.#links.size > 0, over);
    signaling.addEventListener('state', ({ state, error }) => {
      if (state === 'closed') {
        over.abort();
        for (const channel of this.#channels.values()) this.#forget(channel, 'closed', error);
        for (const ticket of this.#tickets.values()) ticket.reject(error ?? new SignalingError('closed'));
      }
      emit(this, 'state', { state, error });
    });
  }

  /** Ours, as the others see it. It changes only when the server has forgotten us. */
  get peerId() {
    return this.signaling.peerId;
  }

  get state() {
    return this.signaling.state;
  }

  /**
   * Rejects with a SignalingError: `channel_full`, `unauthorized`, `unavailable`, `timeout`, `aborted`, ...
   * Listeners that are added right after `await join` miss nothing.
   *
   * @param {string} name
   * @param {JoinOptions} [options]
   * @returns {Promise<Channel>}
   */
  join(name, options = {}) {
    return optional(this.#join(name, options));
  }

  /**
   * Waits in a pool for a stranger, and resolves with the channel in which the two meet.
   *
   * @param {string} pool
   * @param {JoinOptions} [options] `signal` ends the waiting
   * @returns {Promise<Channel>}
   */
  match(pool, options = {}) {
    return optional(this.#match(pool, options));
  }

  /** Leaves everything at once. */
  close() {
    this.signaling.close();
  }

  async [Symbol.asyncDispose]() {
    this.close();
  }

  // ---- For channels

  /** @internal @param {Channel} channel @param {AbortSignal} [signal] */
  async next(channel, signal) {
    const { pool, options } = channel;
    if (pool === undefined) throw new SignalingError('not_matched');
    const next = await this.#match(pool, { ...options, signal }, channel);
    next.slots = channel.slots; // With what was added and replaced here.
    return next;
  }

  /** @internal @param {Channel} channel */
  async leave(channel) {
    if (!this.#forget(channel, 'left')) return;
    await ignoring(this.signaling.request({ type: 'part', channel: channel.name }));
  }

  /** @internal @param {Channel} channel */
  setUserdata(channel) {
    // Who joins again brings the new value along.
    return ignoring(this.signaling.request({ type: 'setUserdata', channel: channel.name, userdata: withMediaState(channel.options) ?? null }));
  }

  /** @internal @param {Channel} channel @param {unknown} data @param {string} [to] */
  async send(channel, data, to) {
    const toAll = to === undefined;
    const peers = [...channel.peers.values()].filter(({ id }) => toAll || id === to);
    if (!toAll && !peers[0]) throw new SignalingError('unknown_peer');
    if (toAll && channel.expected > 0) channel.unheard.push(data);
    await Promise.all(peers.map(({ link }) => link.messages.send(channel.name, data)));
  }

  /** What we send has changed. @internal */
  update() {
    for (const link of this.#links.values()) link.update();
  }

  /** From now on, because somebody wants to know. @internal */
  measure() {
    if (this.state === 'closed') return;
    this.#measuring.set(MEASURE_EVERY, () => this.measure());
    for (const link of this.#links.values()) optional(link.measure());
  }

  // ---- Membership

  /** @param {string} name @param {JoinOptions} options */
  async #join(name, options) {
    if (this.#channels.has(name)) throw new SignalingError('already_joined');
    const channel = this.#open(name, options);
    await this.#enter(channel, options.signal);
    return channel;
  }

  /** @param {string} name @param {JoinOptions} options */
  #open(name, options) {
    const channel = new Channel(name, options, this);
    this.#channels.set(name, channel);
    return channel;
  }

  /** @param {Channel} channel @param {AbortSignal} [signal] */
  async #enter(channel, signal) {
    const returns = channel.joined;
    channel.joined = false;
    for (let attempt = 1; this.#channels.get(channel.name) === channel; attempt++) {
      try {
        await this.signaling.request({ type: 'join', channel: channel.name, userdata: withMediaState(channel.options), seat: channel.seat }, signal);
        channel.joined = true;
        return;
      } catch (/** @type {any} */ error) {
        if (error.code === 'session_lost') continue;
        // Who has been in, and did nothing wrong, tries again while the server is not ready.
        if (!returns || !['unavailable', 'timeout'].includes(error.code)) {
          this.#forget(channel, 'left', error);
          throw error;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, retryDelay(attempt, MAX_DELAY)));
    }
  }

  /**
   * @param {Channel} channel
   * @param {string} reason
   * @param {SignalingError | null} [error]
   */
  #forget(channel, reason, error = null) {
    if (this.#channels.get(channel.name) !== channel) return false;
    this.#channels.delete(channel.name);
    channel.reunion.clear();
    channel.over.abort();
    for (const peer of channel.peers.values()) this.#remove(peer, reason);
    emit(channel, 'close', { error });
    return true;
  }

  // ---- Matchmaking

  /** @param {string} pool @param {JoinOptions} options @param {Channel} [leave] where the last stranger is */
  async #match(pool, options, leave) {
    const { signal } = options;
    if (signal?.aborted) throw aborted(signal);
    if (this.#tickets.has(pool)) throw new SignalingError('already_waiting');
    const over = new AbortController();
    try {
      return await new Promise((/** @type {(channel: Channel) => void} */ resolve, reject) => {
        this.#tickets.set(pool, { options, resolve, reject });
        this.#ask(pool, leave?.name);
        if (leave) this.#forget(leave, 'left');
        signal?.addEventListener('abort', () => {
          this.signaling.request({ type: 'cancelMatch', pool });
          reject(aborted(signal));
        }, over);
      });
    } finally {
      over.abort();
      this.#tickets.delete(pool);
    }
  }

  /** @param {string} pool @param {string} [leave] */
  async #ask(pool, leave) {
    const ticket = this.#tickets.get(pool);
    if (!ticket) return;
    try {
      ticket.taken = false;
      await this.signaling.request({ type: 'match', pool, userdata: withMediaState(ticket.options), leave });
      ticket.taken = true;
    } catch (/** @type {any} */ error) {
      if (error.code === 'session_lost') this.#ask(pool);
      else ticket.reject(error);
    }
  }

  /** @param {import('./wire.js').Matched} matched */
  #matched({ pool, channel: name }) {
    const ticket = this.#tickets.get(pool);
    // Given up at the same moment: nobody shall wait there for us.
    if (!ticket) return this.signaling.request({ type: 'part', channel: name });
    const channel = this.#open(name, ticket.options);
    channel.pool = pool;
    channel.joined = true;
    ticket.resolve(channel);
    // What is on may have changed while we waited.
    if (ticket.options.media) optional(this.setUserdata(channel));
  }

  /** @param {import('./wire.js').MatchEnded} ended */
  #matchEnded({ pool, reason }) {
    // Our socket was away; we are back, at the end of the queue.
    if (reason === 'detached') this.#ask(pool);
    else this.#tickets.get(pool)?.reject(new SignalingError(reason));
  }

  // ---- The server's messages

  /** @param {import('./wire.js').Welcome} welcome */
  #welcome({ peer_id, resumed, ice_servers }) {
    const known = this.#peerId;
    this.#peerId = peer_id;
    if (resumed) {
      for (const link of this.#links.values()) link.signalingUp();
      return;
    }
    this.#iceServers({ ice_servers });
    for (const channel of this.#channels.values()) {
      channel.reunion.clear();
      for (const peer of channel.peers.values()) {
        // For the others we are somebody new, and the one we were is gone with its connections.
        if (known !== peer_id) this.#remove(peer, 'lost');
        peer.connection_id = '';
      }
      if (channel.joined) optional(this.#enter(channel));
    }
    // Who has no answer yet asks again by itself.
    for (const [pool, { taken }] of this.#tickets) if (taken) this.#ask(pool);
  }

  /** @param {import('./wire.js').Joined} joined */
  #joined({ channel: name, peers, seat }) {
    const channel = this.#channels.get(name);
    if (!channel) return;
    channel.seat = seat ?? channel.seat;
    channel.expected = peers;
    channel.reunion.set(REINTRODUCTION_DEADLINE, () => {
      for (const peer of channel.peers.values()) if (!peer.connection_id) this.#remove(peer, 'lost');
    });
  }

  /** @param {import('./wire.js').AddPeer} frame */
  #addPeer({ channel: name, peer_id, should_create_offer, connection_id, userdata, identity, host }) {
    const channel = this.#channels.get(name);
    if (!channel) return;
    const initial = channel.expected > 0;
    const unheard = initial ? channel.unheard : [];
    if (initial && --channel.expected === 0) channel.unheard = [];

    const link = this.#links.get(peer_id) ?? new Link(peer_id, this);
    this.#links.set(peer_id, link);
    const known = channel.peers.get(peer_id);
    const peer = known ?? new Peer(link, channel);
    const renewed = peer.connection_id !== connection_id;
    Object.assign(peer, { connection_id, should_create_offer, identity, host });
    if (known) {
      peer.claim(userdata);
      if (renewed) link.renew();
      return;
    }
    peer.userdata = userdata;
    link.peers.set(name, peer);
    /** @type {Map<string, Peer>} */ (channel.peers).set(peer_id, peer);
    emit(channel, 'peer', { peer, initial });
    peer.tellMediaState();
    for (const data of unheard) optional(link.messages.send(name, data));
    // A listener may have left.
    if (peer.state !== 'closed') link.introduced(peer);
  }

  /** @param {import('./wire.js').RemovePeer} frame */
  #removePeer({ channel, peer_id, reason }) {
    const peer = this.#channels.get(channel)?.peers.get(peer_id);
    if (peer) this.#remove(peer, reason);
  }

  /** @param {import('./link.js').RelayedFrame} frame */
  #relayed(frame) {
    this.#links.get(frame.peer_id)?.receive(frame);
  }

  /** @param {import('./wire.js').Userdata} frame */
  #userdata({ channel, peer_id, userdata }) {
    this.#channels.get(channel)?.peers.get(peer_id)?.claim(userdata);
  }

  /** @param {import('./wire.js').AppMessage & { data: any }} frame */
  #message({ channel: name = '', peer_id: peerId = '', data }) {
    const frame = data?.[ENVELOPE];
    const link = this.#links.get(peerId);
    const channel = this.#channels.get(name);
    if (link && frame) link.messages.receive(frame);
    else if (channel) emit(channel, 'message', { peer: channel.peers.get(peerId) ?? null, peerId, data });
    else emit(this, 'message', { peerId, data });
  }

  /** @param {{ ice_servers: RTCIceServer[] }} message */
  #iceServers({ ice_servers: iceServers }) {
    this.configuration = { iceServers, ...this.#options.configuration };
    for (const link of this.#links.values()) link.setConfiguration();
  }

  /** @param {import('./wire.js').Parted} parted */
  #parted({ channel: name, id }) {
    const channel = this.#channels.get(name);
    if (channel && id === undefined) this.#forget(channel, 'left', new SignalingError('kicked'));
  }

  /** @param {import('./wire.js').ErrorFrame} error */
  #error({ code, peer_id = '', connection_id = '' }) {
    if (code === 'stale_connection') this.#links.get(peer_id)?.stale(connection_id);
  }

  // ---- Peers

  /** @param {Peer} peer @param {string} reason */
  #remove(peer, reason) {
    const { link, channel } = peer;
    link.peers.delete(channel.name);
    /** @type {Map<string, Peer>} */ (channel.peers).delete(peer.id);
    emit(peer, 'state', { state: 'closed' });
    emit(channel, 'peerleave', { peer, reason });
    if (link.peers.size > 0) return link.update();
    this.#links.delete(link.peerId);
    link.close();
  }
}
