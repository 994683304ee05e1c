/**
 * Time and chance, injected so that no test has to wait.
 *
 * @typedef {object} Clock
 * @property {() => number} now milliseconds, monotonic
 * @property {(action: () => void, delay: number) => unknown} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {(action: () => void) => void} soon in a later task
 * @property {() => number} random from 0 to 1
 */

/** @type {Clock} */
export const systemClock = {
  now: () => performance.now(),
  setTimeout: (action, delay) => setTimeout(action, delay),
  clearTimeout: (timer) => clearTimeout(timer),
  soon(action) {
    // Not a timer: those of a hidden page wait for a second or more.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      action();
    };
    port2.postMessage(null);
  },
  random: Math.random,
};

/** One timer that can be set again: setting it cancels what it was set to before. */
export class Timer {
  #clock;
  /** @type {unknown} */
  #pending;

  /** @param {Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /**
   * @param {number} delay
   * @param {() => void} action
   */
  set(delay, action) {
    this.clear();
    this.#pending = this.#clock.setTimeout(action, delay);
  }

  clear() {
    this.#clock.clearTimeout(this.#pending);
  }
}
