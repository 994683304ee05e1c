import { ignoring, optional, SignalingError } from './errors.js';
import { emit } from './events.js';
import { receiveFile, sendFile } from './files.js';
import {
  ANSWERER_PATIENCE, DISCONNECTED_PATIENCE, FIRST_CONNECT, GATHERING_DEADLINE, MAX_INBOX, MAX_RECOVERIES, RECOVERY_INTERVAL,
  RECOVERY_INTERVAL_MAX,
} from './limits.js';
import { sourceOf } from './media-state.js';
import { Messages } from './messages.js';
import { QualityMeter } from './quality.js';
import { sync } from './senders.js';
import { Timer } from './timer.js';

const FILE_PROTOCOL = 'signal-file';
/** Marks what this client sends through the server while no data channel is open. */
export const ENVELOPE = 'signal-client';

/**
 * @typedef {import('./peer.js').Peer} Peer
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
  /** @type {RTCPeerConnection} */
  connection;

  #client;
  #attempt = 0;
  /** ICE restarts and new connections since it was connected. */
  #recoveries = 0;
  #watchdog = new Timer();
  #recovery = new Timer();
  #staleId = '';
  #meter = new QualityMeter();

  // Of the one RTCPeerConnection:

  /** One after the other, in the order in which they came. @type {(() => unknown)[]} */
  #inbox = [];
  /**
   * Because the first offer is ours, or a description of the other side is there. The first introduction settles whose
   * it is, and later ones do not change that.
   *
   * @type {boolean | undefined}
   */
  #mayOffer;
  #gathered = false;
  /** Candidates that overtook the first description. @type {RTCIceCandidateInit[]} */
  #early = [];
  /** @type {Map<RTCRtpTransceiver, TrackFields>} */
  #tracks = new Map();

  /**
   * @param {string} peerId
   * @param {import('./client.js').Client} client
   */
  constructor(peerId, client) {
    this.peerId = peerId;
    this.#client = client;
    this.messages = new Messages({
      deliver: (channel, data) => this.#tell(channel, 'message', { peerId, data }),
      relay: (frame) => ignoring(client.signaling.request({ type: 'send', peer_id: peerId, data: { [ENVELOPE]: frame } })),
      debug: client.signaling.debug,
    });
    this.connection = this.#create();
  }

  /** @param {Peer} peer known in one more channel, or for the first time */
  introduced(peer) {
    for (const fields of this.#tracks.values()) {
      if (fields.transceiver.currentDirection?.includes('recv') ?? true) tellTrack(peer, fields);
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
    if (this.#mayOffer === undefined) this.#begin(this.#decider?.should_create_offer);
    else this.#enqueue(() => this.#mayOffer && this.#sync());
  }

  /** The server has introduced the peer again, after our session or the server itself was lost. */
  renew() {
    const { connectionState, signalingState } = this.connection;
    // Also of a connection that works: the offer of a new track, or its answer, was lost with the session.
    if (signalingState === 'have-local-offer') this.#sendDescription();
    else if (connectionState !== 'connected') this.#recoverIn(0);
  }

  /** Tells every channel how good the connection is, once there was one. */
  async measure() {
    if (this.state === 'connecting') return;
    const quality = await this.#meter.measure(this.connection);
    for (const name of this.peers.keys()) this.#tell(name, 'quality', quality);
  }

  signalingUp() {
    // Recovery stood still while there was nobody to relay it.
    this.#follow(0);
  }

  /**
   * The server refused a message because its introduction had just ended. Another one lives: say it again.
   *
   * @param {string} connectionId
   */
  stale(connectionId) {
    if (connectionId === this.#staleId) return;
    this.#staleId = connectionId; // One description carries all the candidates that were refused with it.
    this.#sendDescription();
  }

  setConfiguration() {
    const { iceServers } = this.#client.configuration;
    try {
      this.connection.setConfiguration({ ...this.connection.getConfiguration(), iceServers });
    } catch {
      // The application may have closed it.
    }
  }

  /** @param {RelayedFrame} frame */
  receive(frame) {
    const { attempt = 0, connection_id } = frame;
    if (connection_id && !this.#introductions.some((peer) => peer.connection_id === connection_id)) return;
    if (attempt > this.#attempt) this.#replace(attempt);
    if (attempt < this.#attempt || this.#inbox.length >= MAX_INBOX) return;
    this.#enqueue(() => frame.type === 'iceCandidate'
      ? this.#addCandidate(frame.ice_candidate)
      : this.#apply(frame.session_description));
  }

  close() {
    this.#inbox = []; // What waits for a closed connection may wait for ever.
    this.#watchdog.clear();
    this.#recovery.clear();
    this.connection.close();
  }

  // ---- The RTCPeerConnection

  #create() {
    const connection = new RTCPeerConnection(this.#client.configuration);
    this.#gathered = false;
    this.#early = [];
    this.#tracks.clear();
    this.messages.attach(connection);
    // If it is not the moment: the event comes again when the state is stable.
    connection.onnegotiationneeded = () => this.#enqueue(() =>
      this.#mayOffer && connection.signalingState === 'stable' && this.#describe(connection));
    connection.onicecandidate = ({ candidate }) => {
      if (!candidate) return; // The end of candidates is a candidate too: an empty one.
      this.#gathered = true;
      this.#relay({ type: 'relayICECandidate', ice_candidate: candidate });
    };
    connection.ontrack = ({ track, streams, transceiver }) => {
      const fields = { track, streams, transceiver };
      this.#tracks.set(transceiver, fields);
      for (const peer of this.peers.values()) tellTrack(peer, fields);
    };
    connection.ondatachannel = ({ channel }) => this.#receiveFile(channel);
    connection.onconnectionstatechange = () => this.#follow(DISCONNECTED_PATIENCE);
    return connection;
  }

  /**
   * The first offer asks for audio, then video, also when there is nothing to send, so that somebody without a camera
   * sees the others. Both sides send over these two.
   *
   * @param {boolean} [offers] whether it is ours
   */
  #begin(offers = false) {
    this.#mayOffer = offers;
    this.#recoverIn(FIRST_CONNECT);
    if (!offers) return;
    for (const kind of ['audio', 'video']) this.connection.addTransceiver(kind, { direction: 'recvonly' });
    this.update();
  }

  /** @param {number} attempt @param {boolean} [offers] */
  #replace(attempt, offers) {
    this.close();
    this.#attempt = attempt;
    this.connection = this.#create();
    this.#begin(offers);
  }

  /** A new connection in place of one that does not work; whoever needs it offers, whatever its role. */
  #rebuild() {
    if (this.#recoveries++ < MAX_RECOVERIES) this.#replace(this.#attempt + 1, true);
  }

  // ---- Negotiation

  // Perfect negotiation as in webrtc-pc ("Perfect negotiation example"), with three changes.
  //
  // - Only one side makes the first offer. When both do, each rolls back or ignores in its very first gathering, and
  //   Chromium then sometimes gathers nothing for ever. From the first remote description on, both sides may offer.
  // - One thing is done after the other, never two at once. So an offer of ours that is still being made is seen as
  //   `have-local-offer` later, and the flags `makingOffer` and `isSettingRemoteAnswerPending` are not needed.
  // - Candidates are told apart by their ufrag, so that those of an ignored or replaced offer harm nobody. So the flag
  //   `ignoreOffer` is not needed either.

  /** @param {() => unknown} task */
  async #enqueue(task) {
    const inbox = this.#inbox;
    if (inbox.push(task) > 1) return;
    for (; inbox === this.#inbox && inbox[0]; inbox.shift()) {
      try {
        await inbox[0]();
      } catch (error) {
        if (inbox !== this.#inbox) return;
        this.#client.signaling.debug('broken', error);
        this.#rebuild();
      }
    }
  }

  /** @param {RTCSessionDescriptionInit} description @returns {Promise<void>} */
  async #apply(description) {
    const { connection } = this;
    const { remoteDescription, signalingState } = connection;
    const isOffering = signalingState === 'have-local-offer';
    // Another certificate means that the other side has a new RTCPeerConnection; ours cannot go on with that.
    const isStranger = remoteDescription && certificate(remoteDescription) !== certificate(description);
    if (description.type === 'offer') {
      // Ours stands; the other side takes its own back.
      if (isOffering && this.#client.peerId > this.peerId) return;
      // Two first offers: a new connection instead of a rollback, for the reason above.
      if (isStranger || (isOffering && !remoteDescription)) {
        const inbox = this.#inbox;
        this.#replace(this.#attempt);
        this.#inbox = inbox;
        return this.#apply(description);
      }
    } else {
      // Or the answer to an offer that was taken back.
      if (description.type !== 'answer' || !isOffering) return;
      if (isStranger) return this.#rebuild();
    }

    await connection.setRemoteDescription(description);
    if (connection.signalingState === 'closed') return;
    this.#mayOffer = true;
    for (const candidate of this.#early.splice(0)) this.#addCandidate(candidate);
    if (description.type === 'offer') {
      await this.#sync();
      await this.#describe(connection);
    }
    this.#watchdog.set(GATHERING_DEADLINE, () => {
      if (!this.#gathered && this.connection.iceConnectionState === 'new') this.#rebuild();
    });
    this.update();
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  #addCandidate(candidate) {
    if (!candidate) return; // Gathering is over, which changes nothing.
    const { remoteDescription } = this.connection;
    if (!remoteDescription) {
      if (this.#early.length < MAX_INBOX) this.#early.push(candidate);
    } else if (remoteDescription.sdp.includes(`a=ice-ufrag:${candidate.usernameFragment ?? ''}`)) {
      // One bad candidate is no reason to lose the others, and not every browser takes the empty last one.
      optional(this.connection.addIceCandidate(candidate));
    }
  }

  /** The browser knows whether an offer or an answer is due. @param {RTCPeerConnection} connection */
  async #describe(connection) {
    await connection.setLocalDescription();
    this.#sendDescription();
  }

  /** Also again, with all candidates, when the other side may not have got it. */
  #sendDescription() {
    const { localDescription } = this.connection;
    if (localDescription) this.#relay({ type: 'relaySessionDescription', session_description: localDescription });
  }

  #sync() {
    return sync(this.connection, [...this.peers.values()].flatMap(({ channel }) => channel.sent));
  }

  // ---- Recovery: nothing here closes for good, that is up to the server's `removePeer`

  /** @param {number} patience with a connection that may find back by itself */
  #follow(patience) {
    const { connectionState } = this.connection;
    if (connectionState === 'connected') {
      this.#recoveries = 0;
      this.#recovery.clear();
      this.#setState('connected');
      return;
    }
    if (this.state === 'connected') this.#setState('reconnecting');
    if (this.#recoveries > 0) return;
    if (connectionState === 'failed') this.#recoverIn(0);
    if (connectionState === 'disconnected') this.#recoverIn(patience);
  }

  /** @param {number} delay */
  #recoverIn(delay) {
    const patience = this.#decider?.should_create_offer ? 0 : ANSWERER_PATIENCE;
    this.#recovery.set(delay + patience, () => this.#recover());
  }

  /** An ICE restart and a new connection by turns. */
  #recover() {
    this.#recoverIn(Math.min(RECOVERY_INTERVAL * (1 + this.#recoveries), RECOVERY_INTERVAL_MAX));
    if (this.#client.signaling.state !== 'connected' || !this.#decider) return;
    const { signalingState, remoteDescription } = this.connection;
    const isRestartable = signalingState === 'stable' && remoteDescription;
    if (isRestartable && (this.#recoveries % 2 === 0 || this.#recoveries >= MAX_RECOVERIES)) {
      this.#recoveries++;
      this.connection.restartIce();
    } else {
      this.#rebuild();
    }
  }

  // ---- For the application

  /** @param {string} channel @param {string} type @param {object} fields @returns {Peer | undefined} undefined: not known there */
  #tell(channel, type, fields) {
    const peer = this.peers.get(channel);
    if (peer) emit(peer.channel, type, { peer, ...fields });
    return peer;
  }

  /** @param {RTCDataChannel} dataChannel */
  #receiveFile(dataChannel) {
    if (dataChannel.protocol !== FILE_PROTOCOL) return;
    receiveFile(dataChannel, (channel, file) => this.#tell(channel, 'file', { file }));
  }

  /** @param {import('./peer.js').PeerState} state */
  #setState(state) {
    if (state === this.state) return;
    this.state = state;
    for (const peer of this.peers.values()) emit(peer, 'state', { state });
  }

  // ---- Introductions

  /** From the smallest `<epoch>.<position>` on. Positions are too big for a number: the shorter one is smaller. */
  get #introductions() {
    return [...this.peers.values()].filter((peer) => peer.connection_id).sort(({ connection_id: a }, { connection_id: b }) =>
      a.length - b.length || (a < b ? -1 : 1));
  }

  /** Of several channels the one that introduced us first, because both sides agree on which that is. */
  get #decider() {
    return this.#introductions[0];
  }

  /** @param {any} content */
  #relay(content) {
    const decider = this.#decider;
    // Without an introduction the server would refuse; `renew` repeats what matters.
    if (!decider) return;
    const { connection_id } = decider;
    this.#client.signaling.relay({ ...content, peer_id: this.peerId, connection_id, attempt: this.#attempt });
  }
}

/** Each RTCPeerConnection has one of its own. @param {RTCSessionDescriptionInit} description */
function certificate({ sdp = '' }) {
  return /a=fingerprint.*/.exec(sdp)?.[0];
}

/** @param {Peer} peer @param {TrackFields} fields */
function tellTrack(peer, fields) {
  emit(peer.channel, 'track', { peer, source: sourceOf(fields, peer.userdata), ...fields });
}
