import { retryDelay } from './backoff.js';
import { systemClock, Timer } from './clock.js';
import { closeReaction } from './close-codes.js';
import { optional, SignalingError } from './errors.js';
import { emit } from './events.js';
import { ReconnectingSocket } from './reconnecting-socket.js';
import { ReplacesToken } from './replaces.js';
import { aborted, Requests } from './requests.js';
import { MAX_UNACKNOWLEDGED, SessionLog } from './session-log.js';
import { socketUrl } from './url.js';

const VERSION = 1;
const ACK_AFTER_FRAMES = 32;
const ACK_AFTER = 1_000;
const MAX_DELAY = 15_000;
/** The server speaks every `heartbeat_ms`; a quarter more of silence is suspicious. */
const SILENCE_FACTOR = 1.25;

const BYE = '{"type":"bye"}';

/** Frames of the socket, not of the session: never counted, kept or replayed. */
const UNCOUNTED = new Set(['hello', 'welcome', 'ack', 'ping', 'pong', 'bye', 'closing']);

/** Frames that become events of the same name. Types that are not listed are from a newer server, and ignored. */
const EVENTS = new Set([
  'joined', 'parted', 'addPeer', 'removePeer', 'sessionDescription', 'iceCandidate', 'userdata', 'message', 'iceServers',
  'waiting', 'matched', 'matchEnded', 'closing', 'error',
]);

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
 * @property {import('./replaces.js').TokenStorage | null} [storage] where a copy of the token survives a reload (sessionStorage)
 * @property {(event: string, detail?: unknown) => void} [debug]
 * @property {import('./clock.js').Clock} [clock]
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

/** @typedef {{ connectionId?: string, attempt?: number }} Belonging which connection a relayed message belongs to */

const Base = /** @type {new () => import('./events.js').TypedEventTarget<SignalingEvents>} */ (EventTarget);

/**
 * The signaling channel of webrtc-pc: one session with the server over as many WebSockets as it takes. What is sent
 * while no socket is up is kept and sent later; what the server sent is never lost or doubled, unless an event
 * `welcome` says `resumed: false`.
 */
export class SignalingChannel extends Base {
  /** @type {State} */
  #state = 'connecting';
  /** @type {string | null} */
  #peerId = null;
  /** Resolves with the first welcome. @type {Promise<void>} */
  ready;
  /** @type {{ resolve: () => void, reject: (error: Error) => void }} */
  #opening;

  #options;
  #clock;
  #url;
  #socket;
  #log = new SessionLog();
  #replaces;
  /** @type {import('./wire.js').Welcome['resume'] | null} */
  #resume = null;
  #resuming = false;
  #welcomed = false;
  #downSince = 0;
  #reconnectAfter = 0;
  #lastError = '';

  #requests;
  #unacknowledged = 0;
  #ackTimer;

  /**
   * Connects at once.
   *
   * @param {Url} url absolute or relative, ws(s) or http(s); a function is asked for each socket
   * @param {SignalingOptions} [options]
   */
  constructor(url, options = {}) {
    super();
    const { signal, clock = systemClock, WebSocket = globalThis.WebSocket } = options;
    if (!WebSocket) throw new TypeError('no WebSocket here: pass one as options.WebSocket');
    this.#options = options;
    this.#clock = clock;
    this.#url = url;
    this.#ackTimer = new Timer(clock);
    this.#requests = new Requests(clock);
    this.#replaces = new ReplacesToken(options.storage, typeof url === 'function' ? '' : socketUrl(url));
    this.#opening = { resolve() {}, reject() {} };
    this.ready = optional(new Promise((resolve, reject) => (this.#opening = { resolve, reject })));
    this.#socket = new ReconnectingSocket(
      {
        prepare: () => this.#prepare(),
        receive: (text) => this.#receive(text),
        down: (code, reason, attempt) => this.#down(code, reason, attempt),
      },
      WebSocket,
      clock,
    );
    this.#socket.open();
    const abort = () => this.close(aborted(/** @type {AbortSignal} */ (signal)));
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  }

  get state() {
    return this.#state;
  }

  /** The peer id of this session; null before the first welcome. */
  get peerId() {
    return this.#peerId;
  }

  /**
   * Resolves with the number of peers that are there; their `addPeer` events follow.
   *
   * @param {string} channel
   * @param {{ userdata?: unknown, signal?: AbortSignal }} [options]
   * @returns {Promise<number>}
   */
  join(channel, { userdata, signal } = {}) {
    const joining = this.#request({ type: 'join', channel, userdata }, signal);
    return optional(this.#takenBack(joining, () => this.part(channel)).then(({ peers }) => peers));
  }

  /** @param {string} channel @returns {Promise<void>} */
  part(channel) {
    return this.#request({ type: 'part', channel });
  }

  /**
   * Asks for company from a pool. Resolves with the first answer; what comes of waiting are events.
   *
   * @param {string} pool
   * @param {{ userdata?: unknown, leave?: string, signal?: AbortSignal }} [options] `leave`: a channel to part when matched
   * @returns {Promise<import('./wire.js').Waiting | import('./wire.js').Matched>}
   */
  match(pool, { userdata, leave, signal } = {}) {
    const matching = this.#request({ type: 'match', pool, userdata, leave }, signal);
    return this.#takenBack(matching, () => this.cancelMatch(pool));
  }

  /** @param {string} pool @returns {Promise<void>} */
  cancelMatch(pool) {
    return this.#request({ type: 'cancelMatch', pool });
  }

  /** @param {string} channel @param {unknown} userdata @returns {Promise<void>} */
  setUserdata(channel, userdata) {
    return this.#request({ type: 'setUserdata', channel, userdata });
  }

  /**
   * @param {{ peerId: string } | { channel: string }} to
   * @param {unknown} data anything JSON can say
   * @returns {Promise<void>}
   */
  send(to, data) {
    const address = 'peerId' in to ? { peer_id: to.peerId } : { channel: to.channel };
    return this.#request({ type: 'send', ...address, data });
  }

  /** @param {string} peerId @param {RTCSessionDescriptionInit} description @param {Belonging} [belonging] */
  relaySessionDescription(peerId, description, { connectionId, attempt } = {}) {
    const { type, sdp } = description;
    const frame = { peer_id: peerId, session_description: { type, sdp }, connection_id: connectionId, attempt };
    this.#relay({ type: 'relaySessionDescription', ...frame });
  }

  /** @param {string} peerId @param {RTCIceCandidateInit} candidate @param {Belonging} [belonging] */
  relayICECandidate(peerId, candidate, { connectionId, attempt } = {}) {
    const frame = { peer_id: peerId, ice_candidate: candidate, connection_id: connectionId, attempt };
    this.#relay({ type: 'relayICECandidate', ...frame });
  }

  /** Something changed (online, visible again): asks the server now, or reconnects now. */
  wake() {
    if (this.#state !== 'closed') this.#socket.wake();
  }

  /**
   * Gives up the socket for a page that is put aside; `wake` resumes the session, or starts a new one after `bye`.
   *
   * @param {{ bye?: boolean }} [options]
   */
  suspend({ bye = false } = {}) {
    if (this.#state === 'closed') return;
    if (bye) this.#endSession();
    this.#socket.close();
    this.#detach();
    this.#setState(this.#state === 'connecting' ? 'connecting' : 'reconnecting');
  }

  /**
   * Says `bye`: the session ends without grace.
   *
   * @param {SignalingError} [error] why, if not on purpose
   */
  close(error) {
    if (this.#state === 'closed') return;
    this.#socket.send(BYE);
    this.#stop(error ?? null);
  }

  async [Symbol.asyncDispose]() {
    this.close();
  }

  // ---- The session

  async #prepare() {
    const { token } = this.#options;
    const [url, given] = await Promise.all([
      typeof this.#url === 'function' ? this.#url() : this.#url,
      typeof token === 'function' ? token() : token,
    ]);
    const resume = this.#resume && { token: this.#resume.token, received: this.#log.received };
    this.#resuming = resume !== null;
    const hello = {
      type: 'hello',
      version: VERSION,
      token: given,
      resume: resume ?? undefined,
      replaces: resume ? undefined : this.#replaces.take(),
    };
    return { url: socketUrl(url), hello: JSON.stringify(hello) };
  }

  /** @param {import('./wire.js').Welcome} welcome */
  #welcome(welcome) {
    if (!welcome.resumed) {
      if (this.#resuming) this.#loseSession();
    } else if (!this.#log.acknowledge(welcome.received)) {
      // The server counts differently: neither side can tell what is missing.
      this.#loseSession();
      return this.#socket.drop();
    }
    this.#welcomed = true;
    this.#unacknowledged = this.#reconnectAfter = 0;
    this.#peerId = welcome.peer_id;
    this.#resume = welcome.resume;
    this.#replaces.save(welcome.resume.token);
    this.#socket.welcomed(welcome.heartbeat_ms * SILENCE_FACTOR);
    for (const frame of this.#log.kept) this.#socket.send(frame);
    this.#setState('connected');
    emit(this, 'welcome', { message: welcome });
    this.#opening.resolve();
  }

  /** @param {number} code @param {string} reason @param {number} attempt */
  #down(code, reason, attempt) {
    const { final, sessionEnded, wait = 0, backOff, draining } = closeReaction(code);
    this.#options.debug?.('down', { code, reason, attempt });
    this.#detach();
    if (final) {
      this.#stop(new SignalingError(final, this.#lastError || reason || final));
      return null;
    }
    if (sessionEnded) this.#loseSession();
    if (this.#state === 'connected') this.#setState('reconnecting');

    const { maxDelay = MAX_DELAY } = this.#options.reconnect ?? {};
    const grace = this.#resume?.grace_ms ?? 0;
    const inGrace = this.#clock.now() - this.#downSince < grace;
    const cap = inGrace ? Math.min(2_000, grace / 6) : maxDelay;
    const asked = draining ? this.#reconnectAfter : wait;
    return asked + retryDelay(backOff ? attempt + 1 : attempt, cap, this.#clock.random());
  }

  #detach() {
    if (this.#welcomed) this.#downSince = this.#clock.now();
    this.#welcomed = false;
    this.#ackTimer.clear();
  }

  #endSession() {
    this.#socket.send(BYE);
    this.#loseSession();
  }

  /** What was under way belonged to the old session: it is not sent again, and those who wait are told. */
  #loseSession() {
    this.#resume = null;
    this.#log = new SessionLog();
    this.#requests.rejectAll(new SignalingError('session_lost', 'the server has forgotten this session'));
  }

  /** @param {SignalingError | null} error */
  #stop(error) {
    this.#detach();
    this.#socket.close();
    this.#replaces.clear();
    this.#setState('closed', error);
    this.#requests.rejectAll(error ?? closed());
    this.#opening.reject(error ?? closed());
  }

  /** @param {State} state @param {SignalingError | null} [error] */
  #setState(state, error = null) {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.debug?.('state', state);
    emit(this, 'state', { state, error });
  }

  // ---- Frames in

  /** @param {string} text */
  #receive(text) {
    /** @type {any} */
    let frame = null;
    try {
      frame = JSON.parse(text);
    } catch {
      this.#options.debug?.('undecodable', text);
    }
    const type = frame?.type;
    if (type === 'welcome') return this.#welcome(frame);
    if (type === 'error') this.#lastError = frame.message;
    if (!this.#welcomed) return;

    if (!UNCOUNTED.has(type)) this.#count();
    if (type === 'ack' && !this.#log.acknowledge(frame.received)) this.#options.debug?.('bad ack', frame);
    if (type === 'closing') this.#reconnectAfter = frame.reconnect_after_ms;
    const answers = this.#requests.settle(frame);
    if (EVENTS.has(type) && !(type === 'error' && answers)) emit(this, type, { message: frame });
  }

  #count() {
    this.#log.received++;
    if (++this.#unacknowledged >= ACK_AFTER_FRAMES) this.#acknowledge();
    else if (!this.#ackTimer.pending) this.#ackTimer.set(ACK_AFTER, () => this.#acknowledge());
  }

  #acknowledge() {
    this.#unacknowledged = 0;
    this.#ackTimer.clear();
    this.#socket.send(JSON.stringify({ type: 'ack', received: this.#log.received }));
  }

  // ---- Frames out

  /** @param {object} frame @param {AbortSignal} [signal] @returns {Promise<any>} */
  #request(frame, signal) {
    const send = (/** @type {number} */ id) => {
      if (this.#state === 'closed') throw closed();
      if (this.#queue(JSON.stringify({ ...frame, id }))) return;
      throw new SignalingError('queue_full', `the server has not taken ${MAX_UNACKNOWLEDGED} messages`);
    };
    return optional(this.#requests.open(send, signal));
  }

  /** The server may still grant what we gave up: we say so. @param {Promise<any>} request @param {() => void} takeBack */
  #takenBack(request, takeBack) {
    request.catch(({ code }) => {
      if (code === 'timeout' || code === 'aborted') takeBack();
    });
    return request;
  }

  /** @param {object} frame */
  #relay(frame) {
    if (this.#state === 'closed' || this.#queue(JSON.stringify(frame))) return;
    // Negotiations that miss a message hang; a new session starts them again.
    this.#options.debug?.('queue full');
    this.#endSession();
    this.#socket.drop();
  }

  /** @param {string} frame */
  #queue(frame) {
    if (!this.#log.keep(frame)) return false;
    if (this.#welcomed) this.#socket.send(frame);
    return true;
  }
}

function closed() {
  return new SignalingError('closed', 'the signaling channel is closed');
}
