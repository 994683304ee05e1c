// From an introduction to a connection (section 8 of /protocol.md). This page is in one channel only, so each peer has
// one introduction and one connection.

/** So many candidates are kept for a description that has not come. */
const MOST_EARLY = 1_024;

export class Peer {
  #options;
  #connectionId = '';
  #attempt = 0;
  /** @type {RTCPeerConnection} */ #connection;
  /** Whether we may offer: the other side of the first offer waits for it. */ #mayOffer = false;
  #makesOffer = false;
  #ignoresOffer = false;
  /** Candidates that came before any description. @type {any[]} */ #early = [];
  #queue = Promise.resolve();

  /**
   * @param {any} introduction the `addPeer`
   * @param {{ self: string, iceServers: RTCIceServer[], media: MediaStream, relay(message: object): void,
   *   ontrack(event: RTCTrackEvent): void }} options
   */
  constructor(introduction, options) {
    this.#options = { ...options, id: introduction.peer_id, offersFirst: introduction.should_create_offer };
    this.introduce(introduction);
    this.#connect(0, introduction.should_create_offer);
  }

  /** An `addPeer` for a peer that is there: the server has restarted, or we have joined once more. */
  introduce({ connection_id, should_create_offer }) {
    this.#connectionId = connection_id;
    const connection = this.#connection;
    // An offer that was on its way is lost with the session of before.
    if (connection?.signalingState === 'have-local-offer') this.#describeOurs(connection);
    else if (connection && connection.connectionState !== 'connected' && should_create_offer) connection.restartIce();
  }

  /** Takes a `sessionDescription` or `iceCandidate`, one after the other. @param {any} message */
  handle(message) {
    this.#queue = this.#queue.then(() => this.#handle(message)).catch((error) => console.warn(error));
  }

  /** For the next ICE restart, and the next connection. @param {RTCIceServer[]} iceServers */
  useServers(iceServers) {
    this.#options.iceServers = iceServers;
    this.#connection.setConfiguration({ iceServers });
  }

  close() {
    this.#connection.close();
  }

  /** @param {number} attempt @param {boolean} offers */
  #connect(attempt, offers) {
    const { iceServers, media, ontrack } = this.#options;
    this.#connection?.close();
    const connection = this.#connection = new RTCPeerConnection({ iceServers });
    [this.#attempt, this.#mayOffer, this.#makesOffer, this.#ignoresOffer, this.#early] = [attempt, offers, false, false, []];
    connection.ontrack = ontrack;
    connection.onnegotiationneeded = () => this.#mayOffer && this.#offer(connection);
    connection.onicecandidate = ({ candidate }) => candidate && this.#relay('relayICECandidate', { ice_candidate: candidate });
    // Not the end: who was told to offer looks for another path.
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === 'failed' && this.#options.offersFirst) connection.restartIce();
    };
    for (const track of media.getTracks()) connection.addTrack(track, media);
    // Who has nothing to send offers to receive.
    const kinds = ['audio', 'video'].filter((kind) => !media.getTracks().some((track) => track.kind === kind));
    if (offers) for (const kind of kinds) connection.addTransceiver(kind, { direction: 'recvonly' });
  }

  async #offer(connection) {
    try {
      this.#makesOffer = true;
      await connection.setLocalDescription();
      this.#describeOurs(connection);
    } catch (error) {
      console.warn(error); // the connection is closed, or not stable any more: then it comes again
    } finally {
      this.#makesOffer = false;
    }
  }

  async #handle({ connection_id = this.#connectionId, attempt = 0, session_description, ice_candidate }) {
    // What belongs to another introduction, or to a connection that is given up, comes too late.
    if (connection_id !== this.#connectionId || attempt < this.#attempt) return;
    if (attempt > this.#attempt) this.#connect(attempt, false);
    if (session_description) await this.#describe(session_description);
    else if (ice_candidate) await this.#add(ice_candidate);
  }

  // Perfect negotiation (webrtc-pc): when offers collide, the peer with the smaller id takes its own back.
  async #describe(description) {
    const connection = this.#connection;
    const isOffer = description.type === 'offer';
    const collides = isOffer && (this.#makesOffer || connection.signalingState !== 'stable');
    this.#ignoresOffer = collides && this.#options.self > this.#options.id;
    if (this.#ignoresOffer || (!isOffer && connection.signalingState !== 'have-local-offer')) return;
    await connection.setRemoteDescription(description);
    this.#mayOffer = true;
    for (const candidate of this.#early.splice(0)) await this.#add(candidate);
    if (!isOffer) return;
    await connection.setLocalDescription();
    this.#describeOurs(connection);
  }

  async #add(candidate) {
    const { remoteDescription } = this.#connection;
    if (!remoteDescription) {
      if (this.#early.length < MOST_EARLY) this.#early.push(candidate);
      return;
    }
    // One of an earlier generation, which an ICE restart has ended.
    const { usernameFragment } = candidate;
    if (usernameFragment && !remoteDescription.sdp.includes(`a=ice-ufrag:${usernameFragment}\r\n`)) return;
    await this.#connection.addIceCandidate(candidate).catch((error) => this.#ignoresOffer || console.warn(error));
  }

  #describeOurs({ localDescription }) {
    this.#relay('relaySessionDescription', { session_description: localDescription });
  }

  #relay(type, what) {
    const { id, relay } = this.#options;
    relay({ type, peer_id: id, ...what, connection_id: this.#connectionId, attempt: this.#attempt || undefined });
  }
}
