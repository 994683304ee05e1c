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
 * @property {number} loss 0 to 1, the part of the media that should have come since the last measurement and did not;
 *   0 without media, and in the first one of a connection
 * @property {number | null} framesPerSecond of the video that comes in, the last of several; null while none does
 * @property {{ incoming: number, outgoing: number }} kilobitsPerSecond media and data since the last measurement; 0 in
 *   the first one of a connection
 * @property {boolean | null} relayed through a TURN server, ours or the peer's; null while no path was found
 */

/** Measures the RTCPeerConnections with one peer: each time, what happened since the time before. */
export class QualityMeter {
  /** @type {any} */
  #before = {};

  /** @param {Pick<RTCPeerConnection, 'connectionState' | 'getStats'>} connection @returns {Promise<Quality>} */
  async measure(connection) {
    const report = await connection.getStats();
    let packetsLost = 0;
    let packetsReceived = 0;
    let framesPerSecond = 0;
    /** @type {any} */
    let pair;
    for (const entry of report.values()) {
      // Not by `nominated`: in Chromium pairs of the past are that too.
      pair ??= report.get(entry.selectedCandidatePairId);
      if (entry.type === 'inbound-rtp') {
        packetsLost += entry.packetsLost;
        packetsReceived += entry.packetsReceived;
        framesPerSecond = entry.framesPerSecond || framesPerSecond;
      }
    }
    const before = this.#before;
    this.#before = { ...pair, packetsLost, packetsReceived };
    const grown = (/** @type {string} */ field) => this.#before[field] - before[field];
    // Nothing at first. Below 0 when packets were only late, and when streams or the pair have changed.
    const ratio = (/** @type {number} */ part, /** @type {number} */ whole) => Math.max(0, part / whole) || 0;
    const rate = (/** @type {string} */ field) => Math.round(ratio(grown(field) * 8, grown('timestamp')));
    const lost = grown('packetsLost');
    const loss = ratio(lost, lost + grown('packetsReceived'));
    // Firefox says 0 before it has measured it.
    const roundTripTime = Math.round(pair?.currentRoundTripTime * 1_000) || 0;
    const exceeds = (/** @type {number} */ time, /** @type {number} */ part) => roundTripTime > time || loss > part;
    return {
      level: connection.connectionState !== 'connected' ? 'lost'
        : exceeds(POOR_ROUND_TRIP, POOR_LOSS) ? 'poor'
          : exceeds(EXCELLENT_ROUND_TRIP, EXCELLENT_LOSS) ? 'good' : 'excellent',
      roundTripTime: roundTripTime || null,
      loss,
      framesPerSecond: framesPerSecond || null,
      kilobitsPerSecond: { incoming: rate('bytesReceived'), outgoing: rate('bytesSent') },
      relayed: pair ? [pair.localCandidateId, pair.remoteCandidateId]
        .some((id) => report.get(id)?.candidateType === 'relay') : null,
    };
  }
}
