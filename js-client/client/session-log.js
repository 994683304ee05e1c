/**
 * What a session must not lose when its socket drops: the frames it sent until they are acknowledged, and how many it
 * received. Sender and receiver count the same frames from 1, so that no number travels with a message (XEP-0198).
 */
export class SessionLog {
  /** Frames that are not acknowledged, oldest first. @type {string[]} */
  kept = [];
  #acknowledged = 0;
  /** Frames the server may take as received: ours to acknowledge. */
  received = 0;

  /**
   * @param {number} count how many frames of this session the server has received
   * @returns {boolean} false when that cannot be
   */
  acknowledge(count) {
    const fresh = count - this.#acknowledged;
    if (!(fresh >= 0 && fresh <= this.kept.length)) return false;
    this.kept.splice(0, fresh);
    this.#acknowledged = count;
    return true;
  }
}
