const EARLY_CANDIDATES = 256;

/**
 * @typedef {object} NegotiationOwner
 * @property {() => Promise<void>} attach the remote description is there, and not yet answered: add our tracks
 * @property {(description: RTCSessionDescription) => void} sendDescription
 * @property {(description: RTCSessionDescriptionInit) => void} startOver with a new RTCPeerConnection, and this offer
 * @property {(error: unknown) => void} broken the RTCPeerConnection is of no use any more
 * @property {() => void} negotiated both descriptions are there
 */

/**
 * Perfect negotiation as in webrtc-pc ("Perfect negotiation example") over one RTCPeerConnection, with three changes.
 *
 * - Only one side makes the first offer. When both do, each rolls back or ignores in its very first gathering, and
 *   Chromium then sometimes gathers nothing for ever. From the first remote description on, both sides may offer.
 * - The owner calls one method after the other, never two at once. So an offer of ours that is still being made is seen
 *   as `have-local-offer` later, and the flags `makingOffer` and `isSettingRemoteAnswerPending` are not needed.
 * - Candidates are told apart by their ufrag, so that those of an ignored or replaced offer harm nobody. So the flag
 *   `ignoreOffer` is not needed either.
 */
export class Negotiation {
  #connection;
  #polite;
  #owner;
  /** Candidates that overtook the first description. @type {RTCIceCandidateInit[]} */
  #early = [];
  #mayOffer = false;

  /**
   * @param {RTCPeerConnection} connection
   * @param {{ polite: boolean, owner: NegotiationOwner }} options
   */
  constructor(connection, { polite, owner }) {
    this.#connection = connection;
    this.#polite = polite;
    this.#owner = owner;
  }

  /** Whether this side may offer, because it is the first offerer or because the first remote description is there. */
  get mayOffer() {
    return this.#mayOffer;
  }

  allowOffers() {
    this.#mayOffer = true;
  }

  /** What `negotiationneeded` asks for. It comes again when the state is stable. */
  async offer() {
    if (!this.#mayOffer || this.#connection.signalingState !== 'stable') return;
    await this.#describe();
  }

  /** What the other side may not have got: the offer that waits for an answer, or the answer. With all candidates. */
  repeat() {
    const { signalingState, localDescription } = this.#connection;
    if (signalingState === 'have-local-offer' || localDescription?.type === 'answer') this.#send();
  }

  /** @param {RTCSessionDescriptionInit} description */
  async applyDescription(description) {
    const connection = this.#connection;
    if (this.#closed) return this.#owner.broken('somebody closed the connection');
    const known = connection.remoteDescription;
    const stranger = known !== null && fingerprint(known) !== fingerprint(description);
    if (description.type === 'offer') {
      const collision = connection.signalingState !== 'stable';
      if (collision && !this.#polite) return; // Ours stands; the other side takes its own back.
      // Two first offers: a new connection instead of a rollback, for the reason above. And another certificate
      // means that the other side has a new RTCPeerConnection; ours cannot go on with that.
      if (stranger || (collision && known === null)) return this.#owner.startOver(description);
    } else {
      // Or the answer to an offer that was taken back.
      if (description.type !== 'answer' || connection.signalingState !== 'have-local-offer') return;
      if (stranger) return this.#owner.broken('the answer is from another connection');
    }

    await connection.setRemoteDescription(description);
    if (this.#closed) return;
    this.#mayOffer = true;
    for (const candidate of this.#early.splice(0)) this.addCandidate(candidate);
    if (description.type === 'offer') {
      await this.#owner.attach();
      await this.#describe();
    }
    this.#owner.negotiated();
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  addCandidate(candidate) {
    if (!candidate) return; // Gathering is over, which changes nothing.
    const remote = this.#connection.remoteDescription;
    if (!remote) {
      if (this.#early.length < EARLY_CANDIDATES) this.#early.push(candidate);
      return;
    }
    const { usernameFragment } = candidate;
    if (usernameFragment && !remote.sdp.includes(`a=ice-ufrag:${usernameFragment}\r\n`)) return;
    // One bad candidate is no reason to lose the others, and not every browser takes the empty last one.
    this.#connection.addIceCandidate(candidate).catch(() => {});
  }

  /** The browser knows whether an offer or an answer is due. */
  async #describe() {
    await this.#connection.setLocalDescription();
    if (!this.#closed) this.#send();
  }

  #send() {
    const { localDescription } = this.#connection;
    if (localDescription) this.#owner.sendDescription(localDescription);
  }

  get #closed() {
    return this.#connection.signalingState === 'closed';
  }
}

/** Each RTCPeerConnection has a certificate of its own. @param {RTCSessionDescriptionInit} description */
function fingerprint({ sdp = '' }) {
  return /^a=fingerprint:(.*)/m.exec(sdp)?.[1];
}
