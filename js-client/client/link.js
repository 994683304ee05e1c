import { ignoring, SignalingError } from './errors.js';
import { emit } from './events.js';
import { receiveFile, sendFile } from './files.js';
import { sourceOf } from './media-state.js';
import { Messages } from './messages.js';
import { Negotiation } from './negotiation.js';
import { QualityMeter } from './quality.js';
import { Senders } from './senders.js';
import { Timer } from './timer.js';

/** Chromium can end up with no candidate at all (see negotiation.js); nothing but a new connection helps. */
const GATHERING_DEADLINE = 3_000;
/** Wi-Fi to mobile takes a moment, and ICE often finds back by itself. */
const DISCONNECTED_PATIENCE = 4_000;
/** Who offers acts first; the other side follows if nothing came, instead of both at once. */
const ANSWERER_PATIENCE = 8_000;
const FIRST_CONNECT = 20_000;
const RECOVERY_INTERVAL = 15_000;
const RECOVERY_INTERVAL_MAX = 60_000;
/** New connections in a row without one that connects. */
const MAX_REBUILDS = 3;
const MAX_INBOX = 1_024;
/** Files that one peer offers or sends us at the same time. */
const MAX_FILES = 16;
const FILE_PROTOCOL = 'signal-file';
/** Marks what this client sends through the server while no data channel is open. */
export const ENVELOPE = 'signal-client';

/**
 * @typedef {import('./peer.js').Peer} Peer
 *
 * @typedef {object} LinkHost
 * @property {import('./signaling-channel.js').SignalingChannel} signaling
 * @property {RTCConfiguration} configuration
 * @property {typeof RTCPeerConnection} RTCPeerConnection
 * @property {(event: string, detail?: unknown) => void} debug
 *
 * @typedef {{ track: MediaStreamTrack, streams: readonly MediaStream[], transceiver: RTCRtpTransceiver }} TrackFields
 * @typedef {import('./wire.js').Description | import('./wire.js').Candidate} RelayedFrame
 */

/**
 * What connects us with one remote peer, whatever the number of shared channels: one RTCPeerConnection at a time.
 * `attempt` counts them; both sides drop what belongs to a lower attempt, and follow a higher one.
 */
export class Link {
  /** @readonly */
  peerId;
  /** The same one, as each channel introduced it, by channel name. @type {Map<string, Peer>} */
  peers = new Map();
  /** @readonly */
  messages;
  /** @type {import('./peer.js').PeerState} */
  state = 'connecting';

  #host;
  /** The RTCPeerConnection, and what belongs to it. */
  #current;
  #attempt = 0;
  #rebuilds = 0;
  #recoveries = 0;
  #owesRecovery = false;
  #files = 0;
  #everConnected = false;
  #gathered = false;
  /** Whose is the first offer: settled with the first introduction, and not changed by later ones. @type {boolean | null} */
  #offers = null;
  #staleId = '';
  /** @type {Map<RTCRtpTransceiver, TrackFields>} */
  #tracks = new Map();
  #watchdog = new Timer();
  #recovery = new Timer();

  /** One after the other, in the order in which they came. @type {(() => unknown)[]} */
  #inbox = [];
  #busy = false;
  /** Raised with each RTCPeerConnection: what waits for a closed one may wait for ever. */
  #turn = 0;

  /**
   * @param {string} peerId
   * @param {LinkHost} host
   */
  constructor(peerId, host) {
    this.peerId = peerId;
    this.#host = host;
    this.messages = new Messages({
      deliver: (channel, data) => this.#tell(channel, 'message', { peerId, data }),
      relay: (frame) => ignoring(host.signaling.request({ type: 'send', peer_id: peerId, data: { [ENVELOPE]: frame } })),
      debug: host.debug,
    });
    this.#current = this.#create();
  }

  get connection() {
    return this.#current.connection;
  }

  /** @param {Peer} peer known in one more channel, or for the first time */
  introduced(peer) {
    for (const fields of this.#tracks.values()) {
      if (/recv/.test(fields.transceiver.currentDirection ?? '')) tellTrack(peer, fields);
    }
    this.messages.introduced();
    this.update();
  }

  /** @param {string} channel @param {Blob} file @param {object} options */
  async sendFile(channel, file, options) {
    if (!this.peers.has(channel)) throw new SignalingError('closed');
    const dataChannel = this.connection.createDataChannel('file', { protocol: FILE_PROTOCOL });
    return sendFile(dataChannel, file, { ...options, channel });
  }

  /** After a change of introductions or of what we send. */
  update() {
    this.#offers ??= this.#decider?.shouldCreateOffer ?? null;
    if (this.#offers && !this.#current.negotiation.mayOffer) this.#open();
    else this.#enqueue(() => this.#current.negotiation.mayOffer && this.#current.senders.sync(this.#slots()));
  }

  /** The server has introduced the peer again, after our session or the server itself was lost. */
  renew() {
    const { connectionState, signalingState } = this.connection;
    // Also of a connection that works: the offer of a new track, or its answer, was lost with the session.
    if (signalingState === 'have-local-offer') this.#current.negotiation.repeat();
    else if (connectionState !== 'connected' && this.#decider?.shouldCreateOffer) this.#recover();
  }

  /** Tells every channel how good the connection is, once there was one. */
  async measure() {
    if (!this.#everConnected) return;
    const quality = await this.#current.meter.measure();
    for (const name of this.peers.keys()) this.#tell(name, 'quality', quality);
  }

  signalingUp() {
    // Recovery stood still while there was nobody to relay it.
    if (this.#owesRecovery) this.#recover();
  }

  /**
   * The server refused a message because its introduction had just ended. Another one lives: say it again.
   *
   * @param {string} connectionId
   */
  stale(connectionId) {
    if (connectionId === this.#staleId || connectionId === this.#decider?.connectionId) return;
    this.#staleId = connectionId; // One description carries all the candidates that were refused with it.
    this.#current.negotiation.repeat();
  }

  /** @param {RTCConfiguration} configuration */
  setConfiguration({ iceServers }) {
    try {
      this.connection.setConfiguration({ ...this.connection.getConfiguration(), iceServers });
    } catch (error) {
      this.#host.debug('setConfiguration', error);
    }
  }

  /** @param {RelayedFrame} frame */
  receive(frame) {
    const { connection_id: id } = frame;
    const known = !id || [...this.peers.values()].some(({ connectionId, live }) => live && connectionId === id);
    if (known && this.#inbox.length < MAX_INBOX) this.#enqueue(() => this.#handle(frame));
  }

  close() {
    this.#dispose();
    this.#setState('closed');
  }

  // ---- One message after the other

  /** @param {() => unknown} task */
  #enqueue(task) {
    this.#inbox.push(task);
    if (!this.#busy) this.#drain();
  }

  async #drain() {
    const turn = this.#turn;
    this.#busy = true;
    while (turn === this.#turn) {
      const task = this.#inbox.shift();
      if (!task) return void (this.#busy = false);
      try {
        await task();
      } catch (error) {
        if (turn === this.#turn) this.#broken(error);
      }
    }
  }

  /** @param {RelayedFrame} frame @returns {unknown} */
  #handle(frame) {
    const { attempt = 0 } = frame;
    if (attempt < this.#attempt) return;
    if (attempt > this.#attempt) return this.#replace(attempt, () => this.#handle(frame));
    if (frame.type === 'iceCandidate') return this.#current.negotiation.addCandidate(frame.ice_candidate);
    return this.#current.negotiation.applyDescription(frame.session_description);
  }

  // ---- The RTCPeerConnection

  #create() {
    const { RTCPeerConnection, configuration, signaling } = this.#host;
    const connection = new RTCPeerConnection(configuration);
    const senders = new Senders(connection);
    this.messages.attach(connection);
    const negotiation = new Negotiation(connection, {
      polite: (signaling.peerId ?? '') < this.peerId,
      owner: {
        attach: () => senders.sync(this.#slots()),
        sendDescription: (description) => this.#send((to) =>
          signaling.relay({ type: 'relaySessionDescription', ...to, session_description: description })),
        startOver: (offer) => this.#startOver(offer),
        broken: (error) => this.#broken(error),
        negotiated: () => {
          this.#watchdog.set(GATHERING_DEADLINE, () => this.#checkGathering());
          this.update();
        },
      },
    });
    const current = { connection, negotiation, senders, meter: new QualityMeter(connection) };
    connection.onnegotiationneeded = () => this.#enqueue(() => current === this.#current && negotiation.offer());
    connection.onicecandidate = ({ candidate }) => {
      if (!candidate) return; // The end of candidates is a candidate too: an empty one.
      this.#gathered = true;
      this.#send((to) => signaling.relay({ type: 'relayICECandidate', ...to, ice_candidate: candidate.toJSON() }));
    };
    connection.ontrack = ({ track, streams, transceiver }) => {
      const fields = { track, streams, transceiver };
      this.#tracks.set(transceiver, fields);
      for (const peer of this.peers.values()) tellTrack(peer, fields);
    };
    connection.ondatachannel = ({ channel }) => channel.protocol === FILE_PROTOCOL && this.#receiveFile(channel);
    connection.onconnectionstatechange = () => this.#follow(connection.connectionState);

    this.#gathered = false;
    this.#tracks.clear();
    this.#recovery.set(FIRST_CONNECT + ANSWERER_PATIENCE, () => this.#recover());
    return current;
  }

  /** The first offer is ours. */
  #open() {
    const current = this.#current;
    current.negotiation.allowOffers();
    this.#recovery.set(FIRST_CONNECT, () => this.#recover());
    this.#enqueue(() => current === this.#current && current.senders.open(this.#slots()));
  }

  /**
   * @param {number} attempt
   * @param {() => unknown} [first] what the new connection has to do before what is in the inbox
   */
  #replace(attempt, first) {
    this.#dispose();
    if (first) this.#inbox.unshift(first);
    this.#attempt = attempt;
    this.#offers = false;
    this.#current = this.#create();
    this.#drain();
  }

  #dispose() {
    const { connection } = this;
    this.#turn++;
    this.#busy = false;
    this.#watchdog.clear();
    this.#recovery.clear();
    connection.onnegotiationneeded = connection.onicecandidate = null;
    connection.ontrack = connection.ondatachannel = connection.onconnectionstatechange = null;
    connection.close();
  }

  /** @param {RTCSessionDescriptionInit} offer */
  #startOver(offer) {
    this.#host.debug('start over', this.peerId);
    this.#replace(this.#attempt, () => this.#current.negotiation.applyDescription(offer));
  }

  /** @param {unknown} error */
  #broken(error) {
    this.#host.debug('broken', { peerId: this.peerId, error });
    this.#rebuild();
  }

  /** A new connection in place of one that does not work; whoever needs it offers, whatever its role. */
  #rebuild() {
    if (this.#rebuilds >= MAX_REBUILDS) return;
    this.#rebuilds++;
    this.#host.debug('rebuild', { peerId: this.peerId, attempt: this.#attempt + 1 });
    this.#replace(this.#attempt + 1);
    this.#open();
  }

  #checkGathering() {
    if (!this.#gathered && this.connection.iceConnectionState === 'new') this.#rebuild();
  }

  // ---- Recovery: nothing here closes for good, that is up to the server's `removePeer`

  /** @param {RTCPeerConnectionState} state */
  #follow(state) {
    if (state === 'connected') {
      this.#everConnected = true;
      this.#owesRecovery = false;
      this.#recoveries = this.#rebuilds = 0;
      this.#recovery.clear();
    } else if (this.#recoveries === 0 && (state === 'disconnected' || state === 'failed')) {
      const patience = state === 'failed' ? 0 : DISCONNECTED_PATIENCE;
      this.#recovery.set(patience + this.#patience, () => this.#recover());
    }
    this.#setState(state === 'connected' ? 'connected' : this.#everConnected ? 'reconnecting' : 'connecting');
  }

  /** An ICE restart and a new connection by turns. */
  #recover() {
    this.#owesRecovery = this.#host.signaling.state !== 'connected' || !this.#decider;
    if (this.#owesRecovery) return;
    const { signalingState, remoteDescription } = this.connection;
    const restartable = signalingState === 'stable' && remoteDescription !== null;
    const rebuild = this.#rebuilds < MAX_REBUILDS && (!restartable || this.#recoveries % 2 === 1);
    if (!rebuild && !this.#everConnected && !restartable) return; // Whoever that is, it does not negotiate.
    const interval = RECOVERY_INTERVAL * 2 ** Math.max(0, this.#recoveries++ - 2);
    if (rebuild) this.#rebuild();
    else if (restartable) this.connection.restartIce();
    else this.#current.negotiation.repeat();
    this.#recovery.set(Math.min(interval, RECOVERY_INTERVAL_MAX), () => this.#recover());
  }

  get #patience() {
    return this.#decider?.shouldCreateOffer ? 0 : ANSWERER_PATIENCE;
  }

  // ---- For the application

  /** @param {string} channel @param {string} type @param {object} fields @returns {boolean} whether the peer is known there */
  #tell(channel, type, fields) {
    const peer = this.peers.get(channel);
    if (peer) emit(peer.channel, type, { peer, ...fields });
    return peer !== undefined;
  }

  /** @param {RTCDataChannel} dataChannel */
  #receiveFile(dataChannel) {
    if (++this.#files > MAX_FILES) dataChannel.close();
    dataChannel.addEventListener('close', () => this.#files--);
    receiveFile(dataChannel, (channel, file) => this.#tell(channel, 'file', { file }));
  }

  /** @param {import('./peer.js').PeerState} state */
  #setState(state) {
    if (state === this.state) return;
    this.state = state;
    for (const peer of this.peers.values()) emit(peer, 'state', { state });
  }

  // ---- Introductions

  /** Of several channels the one that introduced us first, because both sides agree on which that is. */
  get #decider() {
    /** @type {Peer | undefined} */
    let first;
    for (const peer of this.peers.values()) {
      if (peer.live && (!first || precedes(peer.connectionId, first.connectionId))) first = peer;
    }
    return first;
  }

  /** @param {(to: { peer_id: string, connection_id: string, attempt: number }) => void} relay */
  #send(relay) {
    const decider = this.#decider;
    // Without an introduction the server would refuse; `renew` repeats what matters.
    if (decider) relay({ peer_id: this.peerId, connection_id: decider.connectionId, attempt: this.#attempt });
  }

  #slots() {
    return new Set([...this.peers.values()].flatMap(({ channel }) => [...channel.slots]));
  }
}

/**
 * Whether one connection id (`<epoch>.<position>`) has the smaller position. Positions are u64: too big for a number.
 *
 * @param {string} a
 * @param {string} b
 */
export function precedes(a, b) {
  const [position, other] = [a, b].map((id) => BigInt(id.slice(id.lastIndexOf('.') + 1)));
  return /** @type {bigint} */ (position) < /** @type {bigint} */ (other);
}

/** @param {Peer} peer @param {TrackFields} fields */
function tellTrack(peer, fields) {
  emit(peer.channel, 'track', { peer, source: sourceOf(fields, peer.userdata), ...fields });
}
