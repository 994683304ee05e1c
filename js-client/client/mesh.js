import { retryDelay } from './backoff.js';
import { optional, SignalingError } from './errors.js';
import { emit } from './events.js';
import { Link } from './link.js';
import { Membership } from './membership.js';
import { Peer } from './peer.js';

/** After the server forgot us, peers have this long to be introduced again. */
const REINTRODUCTION_DEADLINE = 20_000;
const REJOIN_MAX_DELAY = 15_000;

/**
 * @typedef {import('./signaling-channel.js').SignalingChannel} SignalingChannel
 * @typedef {import('./link.js').Introduction} Introduction
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
  /** @readonly */
  signaling;
  #options;
  /** @type {import('./link.js').LinkHost} */
  #host;
  /** @type {Map<string, Membership>} */
  #memberships = new Map();
  /** @type {Map<string, Link>} */
  #links = new Map();
  /** @type {string | null} */
  #peerId = null;

  /**
   * @param {SignalingChannel} signaling
   * @param {MeshOptions} options
   */
  constructor(signaling, options) {
    this.signaling = signaling;
    this.#options = options;
    this.#host = {
      ...options,
      signaling,
      configuration: { ...options.configuration },
      track: (link, fields) => this.#track(link, fields),
    };
    signaling.addEventListener('welcome', ({ message }) => this.#welcome(message));
    signaling.addEventListener('joined', ({ message }) => this.#joined(message));
    signaling.addEventListener('addPeer', ({ message }) => this.#addPeer(message));
    signaling.addEventListener('removePeer', ({ message }) => this.#removePeer(message));
    signaling.addEventListener('sessionDescription', ({ message }) => this.#links.get(message.peer_id)?.receive(message));
    signaling.addEventListener('iceCandidate', ({ message }) => this.#links.get(message.peer_id)?.receive(message));
    signaling.addEventListener('userdata', ({ message }) => this.#userdata(message));
    signaling.addEventListener('message', ({ message }) => this.#message(message));
    signaling.addEventListener('iceServers', ({ message }) => this.#setIceServers(message.ice_servers));
    signaling.addEventListener('parted', ({ message }) => this.#parted(message));
    signaling.addEventListener('error', ({ message }) => this.#error(message));
    signaling.addEventListener('state', ({ state, error }) => state === 'closed' && this.#close(error));
  }

  /**
   * @param {string} name
   * @param {{ userdata?: unknown, media?: MediaStream | null, signal?: AbortSignal }} options
   */
  async join(name, { userdata, media, signal }) {
    if (this.#memberships.has(name)) throw new SignalingError('already_joined', `already in ${name}`);
    const membership = new Membership(name, userdata, this, this.#options.clock);
    for (const track of media?.getTracks() ?? []) membership.channel.addTrack(track, media ?? undefined);
    this.#memberships.set(name, membership);
    try {
      await this.#enter(membership, signal);
    } catch (error) {
      this.#memberships.delete(name);
      this.#removeAll(membership, 'left');
      throw error;
    }
    this.#options.clock.soon(() => membership.release());
    return membership.channel;
  }

  /** @param {Membership} membership */
  async leave(membership) {
    if (!this.#forget(membership, 'left', null)) return;
    await ignoring(['session_lost', 'closed'], this.signaling.part(membership.name));
  }

  /** @param {Membership} membership */
  async setUserdata({ name, userdata }) {
    // Who joins again brings the new value along.
    await ignoring(['session_lost'], this.signaling.setUserdata(name, userdata));
  }

  get isInCall() {
    return this.#links.size > 0;
  }

  /** Everything we send, to whomever. */
  slots() {
    return [...this.#memberships.values()].flatMap(({ slots }) => [...slots]);
  }

  /** What we send has changed. */
  update() {
    for (const link of this.#links.values()) link.update();
  }

  // ---- Membership

  /** @param {Membership} membership @param {AbortSignal} [signal] */
  async #enter(membership, signal) {
    for (;;) {
      try {
        await this.signaling.join(membership.name, { userdata: membership.userdata, signal });
        membership.joined = true;
        return;
      } catch (error) {
        if (codeOf(error) !== 'session_lost') throw error;
      }
    }
  }

  /**
   * Like `join`, but for somebody who has been in and did nothing wrong: tries again while the server is not ready.
   *
   * @param {Membership} membership
   */
  async #reenter(membership) {
    membership.joined = false;
    for (let attempt = 0; this.#memberships.get(membership.name) === membership; attempt++) {
      try {
        return await this.#enter(membership);
      } catch (error) {
        const passing = ['unavailable', 'timeout'].includes(codeOf(error) ?? '');
        if (!passing) return void this.#forget(membership, 'left', /** @type {SignalingError} */ (error));
      }
      const { clock } = this.#options;
      const delay = retryDelay(attempt + 1, REJOIN_MAX_DELAY, clock.random());
      await new Promise((resolve) => clock.setTimeout(() => resolve(null), delay));
    }
  }

  /**
   * @param {Membership} membership
   * @param {string} reason
   * @param {SignalingError | null} error
   */
  #forget(membership, reason, error) {
    if (this.#memberships.get(membership.name) !== membership) return false;
    this.#memberships.delete(membership.name);
    membership.reunion.clear();
    this.#removeAll(membership, reason);
    membership.emit('close', { error });
    return true;
  }

  /** @param {Membership} membership @param {string} reason */
  #removeAll(membership, reason) {
    for (const introduction of this.#introductions(membership)) this.#remove(introduction, reason);
  }

  /** @param {SignalingError | null} error */
  #close(error) {
    for (const membership of [...this.#memberships.values()]) this.#forget(membership, 'closed', error);
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
    this.#setIceServers(ice_servers);
    for (const membership of this.#memberships.values()) {
      membership.reunion.clear();
      // For the others we are somebody new, and the one we were is gone with its connections.
      if (known !== peer_id) this.#removeAll(membership, 'lost');
      for (const introduction of this.#introductions(membership)) introduction.live = false;
      if (membership.joined) optional(this.#reenter(membership));
    }
  }

  /** @param {import('./wire.js').Joined} joined */
  #joined({ channel, peers }) {
    const membership = this.#memberships.get(channel);
    if (!membership) return;
    membership.expected = peers;
    membership.reunion.set(REINTRODUCTION_DEADLINE, () => {
      for (const introduction of this.#introductions(membership)) {
        if (!introduction.live) this.#remove(introduction, 'lost');
      }
    });
  }

  /** @param {import('./wire.js').AddPeer} frame */
  #addPeer({ channel, peer_id, should_create_offer, connection_id, userdata, identity }) {
    const membership = this.#memberships.get(channel);
    if (!membership) return;
    const initial = membership.expected > 0;
    if (initial) membership.expected--;

    const link = this.#links.get(peer_id) ?? new Link(peer_id, this.#host);
    this.#links.set(peer_id, link);
    const terms = { connectionId: connection_id, shouldCreateOffer: should_create_offer, userdata, identity, live: true };
    const known = link.introductions.get(channel);
    if (known) {
      const renewed = known.connectionId !== connection_id;
      const changed = JSON.stringify(known.userdata) !== JSON.stringify(userdata);
      Object.assign(known, terms);
      if (changed) membership.emit('userdata', { peer: known.peer });
      if (renewed) link.renew();
      return;
    }
    const introduction = /** @type {Introduction} */ ({ ...terms, link, membership, gone: false });
    introduction.peer = new Peer(introduction);
    link.introductions.set(channel, introduction);
    membership.addPeer(introduction.peer, initial);
    for (const fields of link.tracks) membership.emit('track', { peer: introduction.peer, ...fields });
    link.update();
  }

  /** @param {import('./wire.js').RemovePeer} frame */
  #removePeer({ channel, peer_id, reason }) {
    const introduction = this.#links.get(peer_id)?.introductions.get(channel);
    if (introduction) this.#remove(introduction, reason);
  }

  /** @param {import('./wire.js').Userdata} frame */
  #userdata({ channel, peer_id, userdata }) {
    const introduction = this.#links.get(peer_id)?.introductions.get(channel);
    if (!introduction) return;
    introduction.userdata = userdata;
    introduction.membership.emit('userdata', { peer: introduction.peer });
  }

  /** @param {import('./wire.js').AppMessage} frame */
  #message({ channel, peer_id, data }) {
    // To us alone: the wire names no channel, so it goes to one that we share, if there is one.
    const shared = this.#links.get(peer_id ?? '')?.introductions.keys().next().value;
    const membership = this.#memberships.get(channel ?? shared ?? '');
    if (membership) membership.message(peer_id ?? '', data);
    else this.#options.message(peer_id ?? '', data);
  }

  /** @param {RTCIceServer[]} iceServers */
  #setIceServers(iceServers) {
    this.#host.configuration = { iceServers, ...this.#options.configuration };
    for (const link of this.#links.values()) link.setConfiguration(this.#host.configuration);
  }

  /** @param {import('./wire.js').Parted} parted */
  #parted({ channel, id }) {
    const membership = this.#memberships.get(channel);
    if (membership && id === undefined) this.#forget(membership, 'left', new SignalingError('kicked'));
  }

  /** @param {import('./wire.js').ErrorFrame} error */
  #error(error) {
    this.#options.debug('error', error);
    const { code, peer_id, connection_id } = error;
    if (code === 'stale_connection') this.#links.get(peer_id ?? '')?.stale(connection_id ?? '');
  }

  // ---- Links

  /** @param {Introduction} introduction @param {string} reason */
  #remove(introduction, reason) {
    const { link, membership, peer } = introduction;
    link.introductions.delete(membership.name);
    introduction.gone = true;
    emit(peer, 'state', { state: 'closed' });
    membership.removePeer(peer, reason);
    if (link.introductions.size > 0) return link.update();
    this.#links.delete(link.peerId);
    link.close();
  }

  /** @param {Link} link @param {import('./link.js').TrackFields} fields */
  #track(link, fields) {
    for (const { membership, peer } of link.introductions.values()) membership.emit('track', { peer, ...fields });
  }

  /** @param {Membership} membership */
  #introductions({ name }) {
    return [...this.#links.values()].flatMap(({ introductions }) => introductions.get(name) ?? []);
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof SignalingError ? error.code : undefined;
}

/** @param {string[]} codes @param {Promise<void>} promise */
async function ignoring(codes, promise) {
  try {
    await promise;
  } catch (error) {
    if (!codes.includes(codeOf(error) ?? '')) throw error;
  }
}
