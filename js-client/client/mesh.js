import { retryDelay } from './backoff.js';
import { Channel } from './channel.js';
import { Timer } from './clock.js';
import { codeOf, ignoring, optional, SignalingError } from './errors.js';
import { emit } from './events.js';
import { ENVELOPE, Link } from './link.js';
import { Matchmaking } from './matchmaking.js';
import { mediaState } from './media-state.js';
import { Peer } from './peer.js';

/** After the server forgot us, peers have this long to be introduced again. */
const REINTRODUCTION_DEADLINE = 20_000;
const REJOIN_MAX_DELAY = 15_000;
const MEASURE_EVERY = 2_000;

/**
 * @typedef {import('./channel.js').JoinOptions} JoinOptions
 * @typedef {import('./signaling-channel.js').SignalingChannel} SignalingChannel
 *
 * @typedef {object} MeshOptions
 * @property {RTCConfiguration} [configuration] its `iceServers`, if any, replace those of the server
 * @property {typeof RTCPeerConnection} RTCPeerConnection
 * @property {import('./clock.js').Clock} clock
 * @property {(event: string, detail?: unknown) => void} debug
 * @property {(peerId: string, data: unknown) => void} message that belongs to no channel
 */

/** Our channels, and one link for each peer that at least one of them introduced. */
export class Mesh {
  #signaling;
  #options;
  /** @type {import('./link.js').LinkHost} */
  #host;
  /** @type {Map<string, Channel>} */
  #channels = new Map();
  /** @type {Map<string, Link>} */
  #links = new Map();
  /** @type {string | null} */
  #peerId = null;
  #matchmaking;
  #measuring;

  /**
   * @param {SignalingChannel} signaling
   * @param {MeshOptions} options
   */
  constructor(signaling, options) {
    this.#signaling = signaling;
    this.#options = options;
    this.#measuring = new Timer(options.clock);
    this.#host = { ...options, signaling, configuration: { ...options.configuration } };
    this.#matchmaking = new Matchmaking(signaling, (name, pool, joinOptions) => this.#seat(name, pool, joinOptions));

    /** @param {any} type @param {(this: Mesh, message: any) => void} handle */
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
    signaling.addEventListener('state', ({ state, error }) => {
      if (state !== 'closed') return;
      this.#measuring.clear();
      for (const channel of this.#channels.values()) this.#forget(channel, 'closed', error);
      this.#matchmaking.close(error ?? new SignalingError('closed'));
    });
  }

  /** @param {string} name @param {JoinOptions} options */
  async join(name, options) {
    if (this.#channels.has(name)) throw new SignalingError('already_joined');
    const channel = this.#open(name, options);
    try {
      await this.#enter(channel, options.signal);
    } catch (error) {
      this.#forget(channel, 'left');
      throw error;
    }
    return this.#release(channel);
  }

  /** @param {string} pool @param {JoinOptions} options @param {string} [leave] */
  match(pool, options, leave) {
    return this.#matchmaking.match(pool, options, leave);
  }

  /** The stranger after this one. @param {Channel} channel @param {AbortSignal} [signal] */
  async next(channel, signal) {
    const { name, pool, options } = channel;
    if (pool === undefined) throw new SignalingError('not_matched');
    this.#forget(channel, 'left');
    return this.match(pool, { ...options, signal }, name);
  }

  /** @param {Channel} channel */
  async leave(channel) {
    if (this.#forget(channel, 'left')) await ignoring(['session_lost', 'closed'], this.#signaling.part(channel.name));
  }

  /** @param {Channel} channel */
  setUserdata(channel) {
    channel.told = JSON.stringify(channel.claim);
    // Who joins again brings the new value along.
    return ignoring(['session_lost'], this.#signaling.setUserdata(channel.name, channel.claim));
  }

  /** What a LocalMedia sends, or says that it sends, has changed. @param {Channel} channel */
  mediaChanged(channel) {
    this.update();
    if (channel.joined && channel.told !== JSON.stringify(channel.claim)) optional(this.setUserdata(channel));
  }

  /** @param {Channel} channel @param {unknown} data @param {string} [to] */
  async send(channel, data, to) {
    const peers = this.#peers(channel).filter(({ id }) => to === undefined || id === to);
    if (to === undefined) {
      if (channel.expected > 0) channel.unheard.push(data);
    } else if (!peers[0]) {
      throw new SignalingError('unknown_peer');
    }
    await Promise.all(peers.map(({ link }) => link.messages.send(channel.name, data)));
  }

  /** From now on, because somebody wants to know. */
  measure() {
    this.#measuring.set(MEASURE_EVERY, () => this.measure());
    for (const link of this.#links.values()) optional(link.measure());
  }

  get isInCall() {
    return this.#links.size > 0;
  }

  /** Everything we send, to whomever. */
  slots() {
    return [...this.#channels.values()].flatMap(({ slots }) => [...slots]);
  }

  /** What we send has changed. */
  update() {
    for (const link of this.#links.values()) link.update();
  }

  // ---- Membership

  /** @param {string} name @param {JoinOptions} options */
  #open(name, options) {
    const channel = new Channel(name, options, this, this.#options.clock);
    this.#channels.set(name, channel);
    return channel;
  }

  /** @param {Channel} channel */
  #release(channel) {
    this.#options.clock.soon(() => channel.release());
    return channel;
  }

  /** The server has made us a member. @param {string} name @param {string} pool @param {JoinOptions} options */
  #seat(name, pool, options) {
    const channel = this.#open(name, options);
    channel.pool = pool;
    channel.joined = true;
    return this.#release(channel);
  }

  /** @param {Channel} channel @param {AbortSignal} [signal] */
  async #enter(channel, signal) {
    for (;;) {
      try {
        channel.told = JSON.stringify(channel.claim);
        await this.#signaling.join(channel.name, { userdata: channel.claim, signal });
        channel.joined = true;
        return;
      } catch (error) {
        if (codeOf(error) !== 'session_lost') throw error;
      }
    }
  }

  /**
   * Like `join`, but for somebody who has been in and did nothing wrong: tries again while the server is not ready.
   *
   * @param {Channel} channel
   */
  async #reenter(channel) {
    channel.joined = false;
    for (let attempt = 1; this.#channels.get(channel.name) === channel; attempt++) {
      try {
        return await this.#enter(channel);
      } catch (error) {
        if (!['unavailable', 'timeout'].includes(codeOf(error) ?? '')) this.#forget(channel, 'left', error);
      }
      const { clock } = this.#options;
      const delay = retryDelay(attempt, REJOIN_MAX_DELAY, clock.random());
      await new Promise((resolve) => clock.setTimeout(() => resolve(null), delay));
    }
  }

  /**
   * @param {Channel} channel
   * @param {string} reason
   * @param {any} [error]
   */
  #forget(channel, reason, error = null) {
    if (this.#channels.get(channel.name) !== channel) return false;
    this.#channels.delete(channel.name);
    channel.reunion.clear();
    channel.over.abort();
    for (const peer of this.#peers(channel)) this.#remove(peer, reason);
    channel.tell('close', { error });
    return true;
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
      for (const peer of this.#peers(channel)) {
        // For the others we are somebody new, and the one we were is gone with its connections.
        if (known !== peer_id) this.#remove(peer, 'lost');
        peer.live = false;
      }
      if (channel.joined) optional(this.#reenter(channel));
    }
  }

  /** @param {import('./wire.js').Joined} joined */
  #joined({ channel: name, peers }) {
    const channel = this.#channels.get(name);
    if (!channel) return;
    channel.expected = peers;
    channel.reunion.set(REINTRODUCTION_DEADLINE, () => {
      for (const peer of this.#peers(channel)) if (!peer.live) this.#remove(peer, 'lost');
    });
  }

  /** @param {import('./wire.js').AddPeer} frame */
  #addPeer({ channel: name, peer_id, should_create_offer, connection_id, userdata, identity }) {
    const channel = this.#channels.get(name);
    if (!channel) return;
    const initial = channel.expected > 0;
    const unheard = initial ? channel.unheard : [];
    if (initial && --channel.expected === 0) channel.unheard = [];

    const link = this.#links.get(peer_id) ?? new Link(peer_id, this.#host);
    this.#links.set(peer_id, link);
    const known = link.peers.get(name);
    const peer = known ?? new Peer(link, channel);
    const renewed = peer.connectionId !== connection_id;
    Object.assign(peer, { connectionId: connection_id, shouldCreateOffer: should_create_offer, identity, live: true });
    if (known) {
      this.#setUserdata(peer, userdata);
      if (renewed) link.renew();
      return;
    }
    peer.userdata = userdata;
    link.peers.set(name, peer);
    channel.tell('peer', { peer, initial });
    if (peer.mediaState) channel.tell('mediastate', { peer, state: peer.mediaState });
    for (const data of unheard) optional(link.messages.send(name, data));
    link.introduced(peer);
  }

  /** @param {import('./wire.js').RemovePeer} frame */
  #removePeer({ channel, peer_id, reason }) {
    const peer = this.#links.get(peer_id)?.peers.get(channel);
    if (peer) this.#remove(peer, reason);
  }

  /** @param {import('./link.js').RelayedFrame} frame */
  #relayed(frame) {
    this.#links.get(frame.peer_id)?.receive(frame);
  }

  /** @param {import('./wire.js').Userdata} frame */
  #userdata({ channel, peer_id, userdata }) {
    const peer = this.#links.get(peer_id)?.peers.get(channel);
    if (peer) this.#setUserdata(peer, userdata);
  }

  /** @param {Peer} peer @param {unknown} userdata */
  #setUserdata(peer, userdata) {
    const before = [peer.userdata, peer.mediaState].map((value) => JSON.stringify(value));
    peer.userdata = userdata;
    const state = peer.mediaState;
    if (JSON.stringify(userdata) !== before[0]) peer.channel.tell('userdata', { peer });
    if (JSON.stringify(state) !== before[1]) peer.channel.tell('mediastate', { peer, state });
  }

  /** @param {import('./wire.js').AppMessage & { data: any }} frame */
  #message({ channel: name, peer_id: peerId = '', data }) {
    const link = this.#links.get(peerId);
    const frame = data?.[ENVELOPE];
    if (link && frame) return link.messages.receive(frame);
    // To us alone: the wire names no channel, so it goes to one that we share, if there is one.
    const channel = this.#channels.get(name ?? link?.peers.keys().next().value ?? '');
    if (channel) channel.tell('message', { peer: link?.peers.get(channel.name) ?? null, peerId, data });
    else this.#options.message(peerId, data);
  }

  /** @param {{ ice_servers: RTCIceServer[] }} message */
  #iceServers({ ice_servers: iceServers }) {
    this.#host.configuration = { iceServers, ...this.#options.configuration };
    for (const link of this.#links.values()) link.setConfiguration(this.#host.configuration);
  }

  /** @param {import('./wire.js').Parted} parted */
  #parted({ channel: name, id }) {
    const channel = this.#channels.get(name);
    if (channel && id === undefined) this.#forget(channel, 'left', new SignalingError('kicked'));
  }

  /** @param {import('./wire.js').ErrorFrame} error */
  #error(error) {
    this.#options.debug('error', error);
    const { code, peer_id = '', connection_id = '' } = error;
    if (code === 'stale_connection') this.#links.get(peer_id)?.stale(connection_id);
  }

  // ---- Peers

  /** @param {Peer} peer @param {string} reason */
  #remove(peer, reason) {
    const { link, channel } = peer;
    link.peers.delete(channel.name);
    peer.gone = true;
    emit(peer, 'state', { state: 'closed' });
    channel.tell('peerleave', { peer, reason });
    if (link.peers.size > 0) return link.update();
    this.#links.delete(link.peerId);
    link.close();
  }

  /** @param {Channel} channel */
  #peers({ name }) {
    return [...this.#links.values()].flatMap(({ peers }) => peers.get(name) ?? []);
  }
}
