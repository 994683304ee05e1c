import { OPEN_DEADLINE, PONG_DEADLINE, PREPARE_DEADLINE, WELCOME_DEADLINE } from './limits.js';
import { Timer } from './timer.js';

/**
 * @typedef {object} SocketOwner
 * @property {() => Promise<{ url: string, hello: string }>} prepare for each socket anew: tokens and urls may change
 * @property {(text: string) => void} receive
 * @property {(code: number, reason: string) => void} down the socket is gone, or there was none
 */

/** @typedef {Pick<WebSocket, 'send' | 'close' | 'onopen' | 'onmessage' | 'onclose' | 'onerror'>} SocketLike */
/** @typedef {new (url: string) => SocketLike} SocketConstructor */

/** One WebSocket after the other, and the one timer that says how long each step may take. */
export class ReconnectingSocket {
  #owner;
  #WebSocket;
  #timer = new Timer();
  /** @type {SocketLike | null} */
  #socket = null;
  /** @type {'idle' | 'opening' | 'welcomed' | 'probing'} */
  #phase = 'idle';
  /** Raised with every attempt, so that what comes of an earlier one is recognised. */
  #turn = 0;
  #silence = 0;

  /**
   * @param {SocketOwner} owner
   * @param {SocketConstructor} WebSocket
   */
  constructor(owner, WebSocket) {
    this.#owner = owner;
    this.#WebSocket = WebSocket;
  }

  open() {
    this.#phase = 'opening';
    const turn = this.#turn;
    /** @type {<T>(action: (event: T) => void) => (event: T) => void} */
    const ours = (action) => (event) => {
      if (turn === this.#turn) action(event);
    };
    this.#deadline(PREPARE_DEADLINE);
    this.#owner.prepare().then(ours(({ url, hello }) => {
      const socket = new this.#WebSocket(url);
      this.#socket = socket;
      this.#deadline(OPEN_DEADLINE);
      socket.onopen = ours(() => {
        this.#deadline(WELCOME_DEADLINE);
        socket.send(hello);
      });
      socket.onmessage = ours(({ data }) => {
        if (this.#phase !== 'opening') this.#listen();
        if (typeof data === 'string') this.#owner.receive(data);
      });
      socket.onclose = ours(({ code, reason }) => this.drop(code, reason));
      socket.onerror = () => {}; // `close` follows, and knows more
    })).catch(ours((error) => this.drop(undefined, String(error))));
  }

  /**
   * The server has taken this socket.
   *
   * @param {number} silence how long it may say nothing before the client asks
   */
  welcomed(silence) {
    this.#silence = silence;
    this.#listen();
  }

  /** @param {string} text */
  send(text) {
    this.#socket?.send(text);
  }

  /** The world has changed (online again, visible again): look now instead of waiting for a timer. */
  wake() {
    if (this.#phase === 'welcomed') this.#probe();
    else if (this.#phase === 'idle') this.open();
  }

  /** Gives up the socket as broken. */
  drop(code = 1006, reason = '') {
    this.close();
    this.#owner.down(code, reason);
  }

  /** Leaves the present socket behind, whatever its state; `wake` opens the next. */
  close() {
    this.#turn++;
    this.#timer.clear();
    this.#phase = 'idle';
    this.#socket?.close(1000);
    this.#socket = null;
  }

  /** @param {number} delay */
  #deadline(delay) {
    this.#timer.set(delay, () => this.drop());
  }

  /** A browser does not see WebSocket pings, and a dead network closes nothing: only silence tells. */
  #listen() {
    this.#phase = 'welcomed';
    this.#timer.set(this.#silence, () => this.#probe());
  }

  #probe() {
    this.#phase = 'probing';
    this.#deadline(PONG_DEADLINE);
    this.send('{"type":"ping"}');
  }
}
