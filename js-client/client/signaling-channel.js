import { retryDelay } from './backoff.js';
import { ENDED, FINAL } from './close-codes.js';
import { optional, SignalingError } from './errors.js';
import { emit } from './events.js';
import {
  ACK_AFTER, ACK_AFTER_FRAMES, MAX_DELAY, MAX_DELAY_IN_GRACE, MAX_MESSAGE, MAX_UNACKNOWLEDGED, PENALTY, SILENCE_FACTOR,
  STABLE_AFTER,
} from './limits.js';
import { ReconnectingSocket } from './reconnecting-socket.js';
import { ReplacesToken } from './replaces.js';
import { aborted, Requests } from './requests.js';
import { Timer } from './timer.js';
import { socketUrl } from './url.js';

/** Frames of the socket, not of the session: never counted, kept or replayed. */
const UNCOUNTED = new Set(['hello', 'welcome', 'ack', 'ping', 'pong', 'bye', 'closing']);

/** Frames that become events of the same name. Types that are not listed are from a newer server, and ignored. */
const EVENTS = new Set([
  'joined', 'parted', 'addPeer', 'removePeer', 'sessionDescription', 'iceCandidate', 'userdata', 'message', 'iceServers',
  'waiting', 'matched', 'matchEnded', 'closing', 'error',
]);

/** @type {{ [type: string]: 'part' | 'cancelMatch' }} */
const UNDO = { join: 'part', match: 'cancelMatch' };

/**
 * @typedef {'connecting' | 'connected' | 'reconnecting' | 'closed'} State
 * @typedef {string | URL | (() => string | URL | Promise<string | URL>)} Url
 * @typedef {string | (() => string | Promise<string>)} Token
 */

/**
 * @typedef {object} SignalingOptions
 * @property {Token} [token] for the server's policy; a function is asked for each socket
 * @property {AbortSignal} [signal] closes the channel
 * @property {{ maxDelay?: number }} [reconnect] `maxDelay`: longest wait between two attempts, in milliseconds (15 s)
 * @property {import('./reconnecting-socket.js').SocketConstructor} [WebSocket] for Node, tests and proxies
 * @property {(event: string, detail?: unknown) => void} [debug]
 */

/**
 * @template M
 * @typedef {{ message: M }} Frame
 */

/**
 * @typedef {object} SignalingEvents
 * @property {{ state: State, error: SignalingError | null }} state
 * @property {Frame<import('./wire.js').Welcome>} welcome a socket is up; `message.resumed: false` says: as somebody new
 * @property {Frame<import('./wire.js').Joined>} joined
 * @property {Frame<import('./wire.js').Parted>} parted
 * @property {Frame<import('./wire.js').AddPeer>} addPeer
 * @property {Frame<import('./wire.js').RemovePeer>} removePeer
 * @property {Frame<import('./wire.js').Description>} sessionDescription
 * @property {Frame<import('./wire.js').Candidate>} iceCandidate
 * @property {Frame<import('./wire.js').Userdata>} userdata
 * @property {Frame<import('./wire.js').AppMessage>} message
 * @property {Frame<import('./wire.js').IceServers>} iceServers
 * @property {Frame<import('./wire.js').Waiting>} waiting
 * @property {Frame<import('./wire.js').Matched>} matched `joined` and `addPeer` follow, as after a join
 * @property {Frame<import('./wire.js').MatchEnded>} matchEnded
 * @property {Frame<import('./wire.js').Closing>} closing
 * @property {Frame<import('./wire.js').ErrorFrame>} error an error that answers no request
 */

/**
 * The signaling channel of webrtc-pc: one session with the server over as many WebSockets as it takes. What is sent
 * while no socket is up is kept and sent later; what the server sent is never lost or doubled, unless an event
 * `welcome` says `resumed: false`.
 */
export class SignalingChannel extends /** @type {new () => import('./events.js').TypedEventTarget<SignalingEvents>} */ (EventTarget) {
  /** To be read only, like the next one. @type {State} */
  state = 'connecting';
  /** Of this session; empty before the first welcome. */
  peerId = '';
  /** When the state became that. */
  #since = 0;
  /** Resolves with the first welcome. @type {Promise<void>} */
  ready;

  #options;
  /** @internal @type {(event: string, detail?: unknown) => void} */
  debug;
  #url;
  #socket;
  /**
   * What a session must not lose when its socket drops: the frames it sent until they are acknowledged, oldest first,
   * and how many it received. Both sides count the same frames from 1, so that no number travels with a message
   * (XEP-0198).
   *
   * @type {string[]}
   */
  #kept = [];
  #acknowledged = 0;
  #received = 0;
  #replaces;
  /** Without it the next session is a new one. @type {import('./wire.js').Welcome['resume'] | undefined} */
  #resume;
  #attempt = 0;
  /** What the server asked for before the next attempt, or has earned by closing. */
  #reconnectAfter = 0;
  /** Why the server does not welcome us, in its words. @type {string | undefined} */
  #refusal;

  #requests = new Requests();
  #unacknowledged = 0;
  /** While connected: when to acknowledge. While not: when to try again. */
  #timer = new Timer();

  /**
   * Connects at once.
   *
   * @param {Url} url absolute or relative, ws(s) or http(s); a function is asked for each socket
   * @param {SignalingOptions} [options]
   */
  constructor(url, options = {}) {
    super();
    const { signal, WebSocket = globalThis.WebSocket } = options;
    if (!WebSocket) throw new TypeError('no WebSocket');
    this.#options = options;
    this.debug = options.debug ?? (() => {});
    this.#url = url;
    this.#replaces = new ReplacesToken(typeof url === 'function' ? '' : socketUrl(url));
    this.ready = optional(new Promise((resolve, reject) => {
      this.addEventListener('state', ({ state, error }) => {
        if (state === 'connected') resolve();
        else reject(error ?? new SignalingError('closed'));
      });
    }));
    this.#socket = new ReconnectingSocket(
      {
        prepare: () => this.#prepare(),
        receive: (text) => this.#receive(text),
        down: (code, reason) => this.#down(code, reason),
      },
      WebSocket,
    );
    this.#socket.open();
    const abort = () => this.close(aborted(/** @type {AbortSignal} */ (signal)));
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
  }

  /**
   * Sends a message that has an answer, and resolves with that. What the server may still grant after it was given up
   * (`signal`, or 20 s) is taken back.
   *
   * @param {import('./wire.js').Request} request
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  request({ type, ...fields }, signal) {
    const { channel, pool } = fields;
    const undo = UNDO[type];
    return optional(this.#requests.open(
      (id) => this.#queue({ type, ...fields, id }),
      signal,
      () => undo && this.request({ type: undo, channel, pool }),
    ));
  }

  /** Sends a message that has no answer. @param {import('./wire.js').Relay} message */
  relay(message) {
    // Negotiations that miss a message hang; a new session starts them again.
    if (this.#queue(message) === 'queue_full') this.#restart();
  }

  /** Something changed (online, visible again): asks the server now, or reconnects now. */
  wake() {
    if (this.state !== 'closed') this.#socket.wake();
  }

  /**
   * Gives up the socket for a page that is put aside; `wake` resumes the session, or starts a new one after `bye`.
   *
   * @param {{ bye?: boolean }} [options]
   */
  suspend({ bye = false } = {}) {
    if (bye) this.#endSession();
    this.#socket.close();
    this.#detach();
  }

  /**
   * Says `bye`: the session ends without grace.
   *
   * @param {SignalingError | null} [error] why, if not on purpose
   */
  close(error = null) {
    if (this.state === 'closed') return;
    this.#send('{"type":"bye"}');
    this.#socket.close();
    this.#timer.clear();
    // Without a socket nobody hears the bye: then the next page has a ghost to clear away.
    if (this.state === 'connected') this.#replaces.clear();
    this.#setState('closed', error);
    this.#requests.rejectAll(error ?? new SignalingError('closed'));
  }

  // ---- The session

  async #prepare() {
    const url = await called(this.#url);
    const token = await called(this.#options.token);
    const resume = this.#resume && { token: this.#resume.token, received: this.#received };
    const hello = { type: 'hello', version: 1, token, resume, replaces: this.#replaces.get() };
    return { url: socketUrl(url), hello: JSON.stringify(hello) };
  }

  /** @param {import('./wire.js').Welcome} welcome */
  #welcome(welcome) {
    if (!welcome.resumed) {
      if (this.#resume) this.#loseSession();
    } else if (!this.#acknowledgedBy(welcome.received)) {
      // The server counts differently: neither side can tell what is missing.
      return this.#restart();
    }
    this.#timer.clear();
    this.#unacknowledged = this.#reconnectAfter = 0;
    this.#refusal = undefined;
    this.peerId = welcome.peer_id;
    this.#resume = welcome.resume;
    this.#replaces.save(welcome.resume.token);
    this.#socket.welcomed(welcome.heartbeat_ms * SILENCE_FACTOR);
    for (const frame of this.#kept) this.#socket.send(frame);
    this.#setState('connected');
    emit(this, 'welcome', { message: welcome });
  }

  /** @param {number} code @param {string} reason */
  #down(code, reason) {
    this.debug('down', { code, reason, attempt: this.#attempt });
    const final = FINAL[code];
    if (final) return this.close(new SignalingError(final, this.#refusal));
    if (ENDED.includes(code)) {
      this.#loseSession();
      this.#reconnectAfter = PENALTY;
    }
    this.#detach();
    const grace = this.#resume?.grace_ms ?? 0;
    const inGrace = performance.now() - this.#since < grace;
    const cap = inGrace ? Math.min(MAX_DELAY_IN_GRACE, grace / 6) : this.#options.reconnect?.maxDelay ?? MAX_DELAY;
    this.#timer.set(this.#reconnectAfter + retryDelay(this.#attempt++, cap), () => this.wake());
    this.#reconnectAfter = 0;
  }

  /** The socket is gone, the session may live on. */
  #detach() {
    this.#timer.clear();
    if (this.state !== 'connected') return;
    if (performance.now() - this.#since >= STABLE_AFTER) this.#attempt = 0;
    this.#setState('reconnecting');
  }

  #restart() {
    this.#endSession();
    this.#socket.drop();
  }

  #endSession() {
    this.#send('{"type":"bye"}');
    this.#loseSession();
  }

  /** What was under way belonged to the old session: it is not sent again, and those who wait are told. */
  #loseSession() {
    this.#resume = undefined;
    this.#kept = [];
    this.#acknowledged = this.#received = 0;
    this.#requests.rejectAll(new SignalingError('session_lost'));
  }

  /** @param {State} state @param {SignalingError | null} [error] */
  #setState(state, error = null) {
    this.state = state;
    this.#since = performance.now();
    emit(this, 'state', { state, error });
  }

  // ---- Frames in

  /** @param {string} text */
  #receive(text) {
    /** @type {any} */
    let frame = {};
    try {
      frame = JSON.parse(text) ?? frame;
    } catch {
      // A newer server, perhaps: it counts all the same.
    }
    const { type, id } = frame;
    if (type === 'welcome') return this.#welcome(frame);
    if (this.state !== 'connected') return void (this.#refusal = frame.message);

    if (!UNCOUNTED.has(type)) this.#count();
    if (type === 'ack') this.#acknowledgedBy(frame.received);
    if (type === 'closing') this.#reconnectAfter = frame.reconnect_after_ms;
    this.#requests.settle(frame);
    if (EVENTS.has(type) && (type !== 'error' || id === undefined)) emit(this, type, { message: frame });
  }

  #count() {
    this.#received++;
    this.#unacknowledged++;
    if (this.#unacknowledged === ACK_AFTER_FRAMES) this.#acknowledge();
    else if (this.#unacknowledged === 1) this.#timer.set(ACK_AFTER, () => this.#acknowledge());
  }

  /** @param {number} count what the server has received @returns {boolean} false when that cannot be */
  #acknowledgedBy(count) {
    const fresh = count - this.#acknowledged;
    const isPossible = fresh >= 0 && fresh <= this.#kept.length;
    if (isPossible) {
      this.#kept.splice(0, fresh);
      this.#acknowledged = count;
    }
    return isPossible;
  }

  #acknowledge() {
    this.#unacknowledged = 0;
    this.#timer.clear();
    this.#send(JSON.stringify({ type: 'ack', received: this.#received }));
  }

  // ---- Frames out

  /** @param {string} frame */
  #send(frame) {
    if (this.state === 'connected') this.#socket.send(frame);
  }

  /** @param {object} frame @returns {string | undefined} the code of the error, if it is not taken */
  #queue(frame) {
    if (this.state === 'closed') return 'closed';
    if (this.#kept.length >= MAX_UNACKNOWLEDGED) return 'queue_full';
    const text = JSON.stringify(frame);
    // The server's answer would name no request, or end the session.
    if (new Blob([text]).size > MAX_MESSAGE) return 'too_large';
    this.#kept.push(text);
    this.#send(text);
  }
}

/** @template T @param {T | (() => T | Promise<T>)} value @returns {T | Promise<T>} */
function called(value) {
  return typeof value === 'function' ? /** @type {() => T} */ (value)() : value;
}
