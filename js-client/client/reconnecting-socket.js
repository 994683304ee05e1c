import { Timer } from './clock.js';

const PREPARE_DEADLINE = 10_000;
const OPEN_DEADLINE = 5_000;
const WELCOME_DEADLINE = 10_000;
const PONG_DEADLINE = 5_000;
/** A socket that lived this long was a success: the next loss starts the back-off anew. */
const STABLE_AFTER = 5_000;

const OPEN = 1; // WebSocket.OPEN, also of the implementations that lack the constant
const ABNORMAL = 1006;

/**
 * @typedef {object} SocketOwner
 * @property {() => Promise<{ url: string, hello: string }>} prepare for each socket anew: tokens and urls may change
 * @property {(text: string) => void} receive
 * @property {(code: number, reason: string, attempt: number) => number | null} down
 *   the socket is gone; in how many milliseconds to try again, or null to stop
 */

/** @typedef {Pick<WebSocket, 'send' | 'close' | 'readyState' | 'onopen' | 'onmessage' | 'onclose' | 'onerror'>} SocketLike */
/** @typedef {new (url: string) => SocketLike} SocketConstructor */

/** One WebSocket after the other, and the one timer that decides when the next is due. */
export class ReconnectingSocket {
  #owner;
  #clock;
  #WebSocket;
  #timer;
  /** @type {SocketLike | null} */
  #socket = null;
  /** @type {'idle' | 'waiting' | 'opening' | 'welcomed'} */
  #phase = 'idle';
  /** Raised with every attempt, so that a late `prepare` of an earlier one is recognised. */
  #turn = 0;
  #attempts = 0;
  #welcomedAt = 0;
  #heardAt = 0;
  #silence = Infinity;
  #probing = false;

  /**
   * @param {SocketOwner} owner
   * @param {SocketConstructor} WebSocket
   * @param {import('./clock.js').Clock} clock
   */
  constructor(owner, WebSocket, clock) {
    this.#owner = owner;
    this.#WebSocket = WebSocket;
    this.#clock = clock;
    this.#timer = new Timer(clock);
  }

  async open() {
    const turn = this.#begin('opening');
    this.#timer.set(PREPARE_DEADLINE, () => this.#lost());
    try {
      const { url, hello } = await this.#owner.prepare();
      if (turn === this.#turn) this.#attach(new this.#WebSocket(url), hello);
    } catch (error) {
      if (turn === this.#turn) this.#lost(ABNORMAL, String(error));
    }
  }

  /**
   * The server has taken this socket.
   *
   * @param {number} silence how long it may say nothing before the client asks
   */
  welcomed(silence) {
    this.#phase = 'welcomed';
    this.#welcomedAt = this.#clock.now();
    this.#silence = silence;
    this.#listen();
  }

  /** @param {string} text */
  send(text) {
    if (this.#socket?.readyState === OPEN) this.#socket.send(text);
  }

  /** The world has changed (online again, visible again): look now instead of waiting for a timer. */
  wake() {
    if (this.#phase === 'welcomed') this.#probing || this.#probe();
    else if (this.#phase !== 'opening') this.open();
  }

  /** Gives up the socket as if it had broken. */
  drop() {
    this.#lost();
  }

  /** Closes for now (`wake` opens again) or for good. */
  close() {
    this.#begin('idle');
  }

  /** @param {SocketLike} socket @param {string} hello */
  #attach(socket, hello) {
    this.#socket = socket;
    this.#timer.set(OPEN_DEADLINE, () => this.#lost());
    socket.onopen = () => {
      this.#timer.set(WELCOME_DEADLINE, () => this.#lost());
      socket.send(hello);
    };
    socket.onmessage = ({ data }) => {
      this.#heardAt = this.#clock.now();
      this.#probing = false;
      if (typeof data === 'string') this.#owner.receive(data);
    };
    socket.onclose = ({ code, reason }) => this.#lost(code, reason);
    socket.onerror = () => {}; // `close` follows, and knows more
  }

  /**
   * Leaves the present socket behind, whatever its state.
   *
   * @param {'idle' | 'opening' | 'waiting'} phase
   */
  #begin(phase) {
    const socket = this.#socket;
    this.#socket = null;
    this.#probing = false;
    this.#timer.clear();
    this.#phase = phase;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close(1000);
    }
    return ++this.#turn;
  }

  #lost(code = ABNORMAL, reason = '') {
    const uptime = this.#phase === 'welcomed' ? this.#clock.now() - this.#welcomedAt : 0;
    if (uptime >= STABLE_AFTER) this.#attempts = 0;
    this.#begin('waiting');
    const delay = this.#owner.down(code, reason, this.#attempts++);
    if (delay === null) this.#begin('idle');
    else this.#timer.set(delay, () => this.open());
  }

  /** A browser does not see WebSocket pings, and a dead network closes nothing: only silence tells. */
  #listen() {
    const left = this.#silence - (this.#clock.now() - this.#heardAt);
    if (this.#probing) this.#lost();
    else if (left <= 0) this.#probe();
    else this.#timer.set(left, () => this.#listen());
  }

  #probe() {
    this.#probing = true;
    this.send('{"type":"ping"}');
    this.#timer.set(PONG_DEADLINE, () => this.#listen());
  }
}
