/**
 * Milliseconds. A talk is natural up to 150 ms one way (ITU-T G.114), of which the buffers of the browsers take half;
 * from 400 ms there and back, two who talk interrupt each other.
 */
const EXCELLENT_ROUND_TRIP = 150;
const POOR_ROUND_TRIP = 400;
/**
 * Browsers raise their bitrate only while less than 2 % is lost. One packet of twenty is more than audio can conceal,
 * and late pictures where each has to be sent again.
 */
const EXCELLENT_LOSS = 0.02;
const POOR_LOSS = 0.05;

/**
 * @typedef {object} Quality
 * @property {'excellent' | 'good' | 'poor' | 'lost'} level by round-trip time or loss, whichever is worse (over 150 ms
 *   or 2 %: good; over 400 ms or 5 %: poor). `lost`: not connected; the rest is then what was known last.
 * @property {number | null} roundTripTime whole milliseconds; null before its first measurement, or below 1 ms
 * @property {number} loss 0 to 1, the part of the media that did not arrive since the last measurement: what we
 *   received or what the peer reports, whichever is worse. 0 without media.
 * @property {number | null} framesPerSecond of the video that comes in, the fastest of several; null while none does
 * @property {{ incoming: number, outgoing: number }} kilobitsPerSecond media and data since the last measurement; 0 in
 *   the first one of a connection
 * @property {boolean | null} relayed through a TURN server, ours or the peer's; null while no path was found
 */

/** Measures one RTCPeerConnection: each time, what happened since the time before. */
export class QualityMeter {
  #connection;
  /** @type {ReadonlyMap<string, any>} */
  #before = new Map();
  #at = NaN;

  /** @param {Pick<RTCPeerConnection, 'connectionState' | 'getStats'>} connection */
  constructor(connection) {
    this.#connection = connection;
  }

  /** @returns {Promise<Quality>} */
  async measure() {
    const report = await this.#connection.getStats();
    const before = this.#before;
    // What the peer said of a stream that has ended stays in the report for ever.
    const fresh = [...report.values()].filter(({ id, timestamp }) => timestamp !== before.get(id)?.timestamp);
    const most = (/** @type {string} */ type, /** @type {string} */ field) =>
      fresh.reduce((top, entry) => (entry.type === type && entry[field] > top ? entry[field] : top), 0);
    // Entry by entry, because streams and pairs come and go. `packetsLost` shrinks when a packet was only late.
    const grown = (/** @type {string} */ type, /** @type {string} */ field) => fresh.reduce((sum, entry) =>
      sum + Math.max(0, (entry.type === type && entry[field] - (before.get(entry.id)?.[field] ?? 0)) || 0), 0);

    // Not by `nominated`: in Chromium pairs of the past are that too. Firefox had no transport for long.
    const pair = report.get(fresh.find((entry) => entry.selectedCandidatePairId)?.selectedCandidatePairId) ??
      fresh.find(({ selected }) => selected);
    const at = most('candidate-pair', 'timestamp');
    const rate = (/** @type {string} */ field) =>
      Math.round(grown('candidate-pair', field) * 8 / (at - this.#at)) || 0;
    const lost = grown('inbound-rtp', 'packetsLost');
    const loss = Math.max(most('remote-inbound-rtp', 'fractionLost'),
      lost && lost / (lost + grown('inbound-rtp', 'packetsReceived')));
    // Firefox measures the pair every ten seconds or so, and says 0 before the first time.
    const seconds = most('remote-inbound-rtp', 'roundTripTime') || pair?.currentRoundTripTime;
    const roundTripTime = Math.round(seconds * 1_000);
    const exceeds = (/** @type {number} */ time, /** @type {number} */ part) => roundTripTime > time || loss > part;
    /** @type {Quality} */
    const quality = {
      level: this.#connection.connectionState !== 'connected' ? 'lost'
        : exceeds(POOR_ROUND_TRIP, POOR_LOSS) ? 'poor'
          : exceeds(EXCELLENT_ROUND_TRIP, EXCELLENT_LOSS) ? 'good' : 'excellent',
      roundTripTime: roundTripTime || null,
      loss,
      framesPerSecond: most('inbound-rtp', 'framesPerSecond') || null,
      kilobitsPerSecond: { incoming: rate('bytesReceived'), outgoing: rate('bytesSent') },
      relayed: pair ? [pair.localCandidateId, pair.remoteCandidateId]
        .some((id) => report.get(id)?.candidateType === 'relay') : null,
    };
    this.#before = report;
    this.#at = at;
    return quality;
  }
}
