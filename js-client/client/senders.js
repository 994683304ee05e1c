/**
 * One outgoing track of ours, for every peer of the channels it was added to. It stays when its track is replaced by
 * nothing (camera off), so that the next track takes the same place on the wire.
 *
 * @typedef {object} Slot
 * @property {'audio' | 'video'} kind
 * @property {MediaStreamTrack | null} track
 * @property {MediaStream} stream
 */

/** What each transceiver sends, or sent last. @type {WeakMap<RTCRtpTransceiver, Slot>} */
const assigned = new WeakMap();

/**
 * Makes the connection send these slots and no others.
 *
 * Streams decide what is used again. Chromium forgets `setStreams` at the next negotiation, so a sender keeps the
 * stream that it was made for. A transceiver that nobody uses any more is stopped: its m-line is free for the next
 * one, and the other side sees its track end.
 *
 * @param {RTCPeerConnection} connection
 * @param {Iterable<Slot>} slots
 */
export async function sync(connection, slots) {
  const wanted = new Set(slots);
  /** @param {(slot: Slot | undefined, transceiver: RTCRtpTransceiver) => unknown} matches */
  const usable = (matches) => connection.getTransceivers().filter((transceiver) =>
    transceiver.direction !== 'stopped' && matches(assigned.get(transceiver), transceiver));

  for (const transceiver of usable((slot) => slot && !wanted.has(slot))) {
    // Also of one that is stopped: until that is negotiated, its track could not be added again.
    await transceiver.sender.replaceTrack(null);
    if (['sendonly', 'inactive'].includes(transceiver.currentDirection ?? '')) transceiver.stop();
    else transceiver.direction = 'recvonly';
  }
  for (const slot of wanted) {
    const { kind, track, stream } = slot;
    let transceiver = usable((other) => other === slot)[0] ?? usable((other) =>
      other && !wanted.has(other) && other.stream === stream && other.kind === kind)[0];
    if (!transceiver && track) {
      // Takes a transceiver that never sent, as the first two are. And after glare, what addTrack made joins the m-line
      // of the winning offer.
      const added = connection.addTrack(track, stream);
      [transceiver] = usable((_, { sender }) => sender === added);
    }
    if (!transceiver) continue; // Nothing to send yet.
    assigned.set(transceiver, slot);
    transceiver.direction = 'sendrecv';
    if (transceiver.sender.track !== track) await transceiver.sender.replaceTrack(track);
  }
}
