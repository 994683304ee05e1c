/**
 * One outgoing track of ours, for every peer of the channels it was added to. It stays when its track is replaced by
 * nothing (camera off), so that the next track takes the same place on the wire.
 *
 * @typedef {object} Slot
 * @property {'audio' | 'video'} kind
 * @property {MediaStreamTrack | null} track
 * @property {MediaStreamTrack} last the name by which the owner still knows the slot when `track` is null
 * @property {MediaStream} stream
 */

/**
 * The slots of one RTCPeerConnection: which of its transceivers sends which.
 *
 * Streams decide what is used again. Chromium forgets `setStreams` at the next negotiation, so a sender keeps the
 * stream that it was made for. A transceiver that nobody uses any more is stopped: its m-line is free for the next
 * one, and the other side sees its track end.
 */
export class Senders {
  #connection;
  /** @type {Map<Slot, RTCRtpTransceiver>} */
  #transceivers = new Map();
  /** @type {WeakMap<RTCRtpTransceiver, MediaStream>} */
  #streams = new WeakMap();

  /** @param {RTCPeerConnection} connection */
  constructor(connection) {
    this.#connection = connection;
  }

  /**
   * What the first offer asks for: audio, then video, also when there is nothing to send, so that somebody without a
   * camera sees the others. The answerer sends over the same two.
   *
   * @param {Iterable<Slot>} slots
   */
  async open(slots) {
    for (const kind of ['audio', 'video']) {
      const slot = [...slots].find((slot) => slot.kind === kind);
      if (slot) this.#assign(slot, this.#addTransceiver(slot));
      else this.#connection.addTransceiver(kind, { direction: 'recvonly' });
    }
    await this.sync(slots);
  }

  /**
   * Makes the connection send these slots and no others.
   *
   * @param {Iterable<Slot>} slots
   */
  async sync(slots) {
    const wanted = new Set(slots);
    for (const [slot, transceiver] of this.#transceivers) {
      const stopped = transceiver.currentDirection === 'stopped'; // By the other side, which had no use for it.
      if (wanted.has(slot) && !stopped) continue;
      this.#transceivers.delete(slot);
      if (!stopped) this.#connection.removeTrack(transceiver.sender);
    }
    this.#stopIdle();
    for (const slot of wanted) {
      const sender = this.#transceivers.get(slot)?.sender;
      if (!sender) await this.#add(slot);
      else if (sender.track !== slot.track) await sender.replaceTrack(slot.track);
    }
  }

  /** What we made or used for sending, and nobody sends on now. What never sent waits for the other side's tracks. */
  #stopIdle() {
    const taken = [...this.#transceivers.values()];
    for (const transceiver of this.#connection.getTransceivers()) {
      const { currentDirection, direction } = transceiver;
      const idle = currentDirection === 'sendonly' || currentDirection === 'inactive';
      if (idle && direction !== 'stopped' && this.#streams.has(transceiver) && !taken.includes(transceiver)) {
        transceiver.stop();
      }
    }
  }

  /** @param {Slot} slot */
  async #add(slot) {
    const { track, stream } = slot;
    const transceivers = this.#connection.getTransceivers();
    const taken = [...this.#transceivers.values()];
    const free = transceivers.find((transceiver) =>
      this.#streams.get(transceiver) === stream && transceiver.receiver.track.kind === slot.kind &&
      transceiver.direction !== 'stopped' && !taken.includes(transceiver));
    if (free) {
      this.#assign(slot, free);
      await free.sender.replaceTrack(track);
      free.direction = 'sendrecv';
    } else if (track && taken.every(({ sender }) => sender.track)) {
      // Takes a transceiver that never sent, as the answerer's are. And after glare, what addTrack made joins the
      // m-line of the winning offer. But an empty slot that was never negotiated would look free to it.
      const sender = this.#connection.addTrack(track, stream);
      const transceiver = this.#connection.getTransceivers().find((transceiver) => transceiver.sender === sender);
      if (transceiver) this.#assign(slot, transceiver);
    } else {
      this.#assign(slot, this.#addTransceiver(slot));
    }
  }

  /** @param {Slot} slot */
  #addTransceiver({ kind, track, stream }) {
    return this.#connection.addTransceiver(track ?? kind, { direction: 'sendrecv', streams: [stream] });
  }

  /** @param {Slot} slot @param {RTCRtpTransceiver} transceiver */
  #assign(slot, transceiver) {
    this.#transceivers.set(slot, transceiver);
    this.#streams.set(transceiver, slot.stream);
  }
}
