import { systemClock, Timer } from './clock.js';
import { optional, SignalingError } from './errors.js';
import { emit } from './events.js';
import { Mesh } from './mesh.js';
import { followPage } from './page.js';
import { SignalingChannel } from './signaling-channel.js';

const CONNECT_TIMEOUT = 20_000;

/**
 * @typedef {import('./signaling-channel.js').SignalingOptions & {
 *   configuration?: RTCConfiguration,
 *   timeout?: number,
 *   RTCPeerConnection?: typeof RTCPeerConnection,
 * }} ConnectOptions
 * `configuration`: for each RTCPeerConnection, over what the server says; `timeout`: for the first connection, in
 * milliseconds (20 s)
 *
 * @typedef {object} ClientEvents
 * @property {{ state: import('./signaling-channel.js').State, error: SignalingError | null }} state
 * @property {{ peerId: string, data: any }} message to us, from somebody who shares no channel that introduces, or from
 *   the server itself (`peerId` is empty)
 * @property {{ pool: string, waiting: number }} waiting so many wait in that pool, we among them
 */

/**
 * Connects to a signaling server.
 *
 * @param {import('./signaling-channel.js').Url} url
 * @param {ConnectOptions} [options]
 * @returns {Promise<Client>}
 */
export async function connect(url, options = {}) {
  const { clock = systemClock, timeout = CONNECT_TIMEOUT } = options;
  const signaling = new SignalingChannel(url, options);
  const client = new Client(signaling, options);
  const deadline = new Timer(clock);
  deadline.set(timeout, () => signaling.close(new SignalingError('timeout', 'the server does not answer')));
  try {
    await signaling.ready;
  } finally {
    deadline.clear();
  }
  return client;
}

const Base = /** @type {new () => import('./events.js').TypedEventTarget<ClientEvents>} */ (EventTarget);

/** A peer among others: its session with the server, and the connections to whom it meets. */
export class Client extends Base {
  /** The layer below, for what this class does not do. @readonly */
  signaling;
  #mesh;

  /**
   * @param {SignalingChannel} signaling
   * @param {ConnectOptions} [options]
   */
  constructor(signaling, options = {}) {
    super();
    const { RTCPeerConnection = globalThis.RTCPeerConnection, configuration, clock = systemClock, debug = () => {} } = options;
    this.signaling = signaling;
    if (!RTCPeerConnection) throw new TypeError('no RTCPeerConnection here; SignalingChannel works without');
    const message = (/** @type {string} */ peerId, /** @type {unknown} */ data) => emit(this, 'message', { peerId, data });
    this.#mesh = new Mesh(signaling, { RTCPeerConnection, configuration, clock, debug, message });
    signaling.addEventListener('waiting', ({ message: { pool, waiting } }) => emit(this, 'waiting', { pool, waiting }));
    const leavePage = followPage(signaling, () => this.#mesh.isInCall);
    signaling.addEventListener('state', ({ state, error }) => {
      if (state === 'closed') leavePage();
      emit(this, 'state', { state, error });
    });
  }

  /** Ours, as the others see it. It changes only when the server has forgotten us. */
  get peerId() {
    return this.signaling.peerId ?? '';
  }

  get state() {
    return this.signaling.state;
  }

  /**
   * Rejects with a SignalingError: `channel_full`, `unauthorized`, `unavailable`, `timeout`, `aborted`, ...
   * Listeners that are added right after `await join` miss nothing.
   *
   * @param {string} name
   * @param {import('./channel.js').JoinOptions} [options]
   * @returns {Promise<import('./channel.js').Channel>}
   */
  join(name, options = {}) {
    return optional(this.#mesh.join(name, options));
  }

  /**
   * Waits in a pool for a stranger, and resolves with the channel in which the two meet.
   *
   * @param {string} pool
   * @param {import('./channel.js').JoinOptions} [options] `signal` ends the waiting
   * @returns {Promise<import('./channel.js').Channel>}
   */
  match(pool, options = {}) {
    return optional(this.#mesh.match(pool, options));
  }

  /** Leaves everything at once. */
  close() {
    this.signaling.close();
  }

  async [Symbol.asyncDispose]() {
    this.close();
  }
}
