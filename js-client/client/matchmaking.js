import { SignalingError } from './errors.js';
import { withMediaState } from './media-state.js';
import { aborted } from './requests.js';

/**
 * @typedef {import('./channel.js').JoinOptions} JoinOptions
 * @typedef {import('./channel.js').Channel} Channel
 *
 * @typedef {object} Ticket
 * @property {JoinOptions} options
 * @property {(channel: Channel) => void} resolve
 * @property {(error: SignalingError) => void} reject
 * @property {boolean} taken the server has it
 */

/** The pools in which we wait for a stranger. */
export class Matchmaking {
  #signaling;
  /** By pool. @type {Map<string, Ticket>} */
  #tickets = new Map();

  /**
   * @param {import('./signaling-channel.js').SignalingChannel} signaling
   * @param {(channel: string, pool: string, options: JoinOptions) => Channel} seat the server has made us a member
   */
  constructor(signaling, seat) {
    this.#signaling = signaling;
    signaling.addEventListener('matched', ({ message: { pool, channel } }) => {
      const ticket = this.#tickets.get(pool);
      // Given up at the same moment: nobody shall wait there for us.
      if (ticket) ticket.resolve(seat(channel, pool, ticket.options));
      else signaling.request({ type: 'part', channel });
    });
    signaling.addEventListener('matchEnded', ({ message: { pool, reason } }) => {
      // Our socket was away; we are back, at the end of the queue.
      if (reason === 'detached') this.#ask(pool);
      else this.#tickets.get(pool)?.reject(new SignalingError(reason));
    });
    signaling.addEventListener('welcome', ({ message }) => {
      // Who has no answer yet asks again by itself.
      for (const [pool, { taken }] of this.#tickets) if (taken && !message.resumed) this.#ask(pool);
    });
  }

  /**
   * @param {string} pool
   * @param {JoinOptions} options
   * @param {string} [leave] where the last stranger is
   * @returns {Promise<Channel>}
   */
  async match(pool, options, leave) {
    const { signal } = options;
    if (signal?.aborted) throw aborted(signal);
    if (this.#tickets.has(pool)) throw new SignalingError('already_waiting');
    const over = new AbortController();
    try {
      return await new Promise((resolve, reject) => {
        this.#tickets.set(pool, { options, resolve, reject, taken: false });
        this.#ask(pool, leave);
        signal?.addEventListener('abort', () => {
          this.#signaling.request({ type: 'cancelMatch', pool });
          reject(aborted(signal));
        }, { signal: over.signal });
      });
    } finally {
      over.abort();
      this.#tickets.delete(pool);
    }
  }

  /** @param {SignalingError} error */
  close(error) {
    for (const { reject } of this.#tickets.values()) reject(error);
  }

  /** @param {string} pool @param {string} [leave] */
  async #ask(pool, leave) {
    const ticket = this.#tickets.get(pool);
    if (!ticket) return;
    ticket.taken = false;
    try {
      await this.#signaling.request({ type: 'match', pool, userdata: withMediaState(ticket.options), leave });
      ticket.taken = true;
    } catch (error) {
      if (/** @type {SignalingError} */ (error).code === 'session_lost') this.#ask(pool);
      else ticket.reject(/** @type {SignalingError} */ (error));
    }
  }
}
