/** One timer that can be set again: setting it cancels what it was set to before. */
export class Timer {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {number} delay
   * @param {() => void} action
   */
  set(delay, action) {
    this.clear();
    this.#timer = setTimeout(action, delay);
  }

  clear() {
    clearTimeout(this.#timer);
  }
}

/** In a later task. Not by a timer: those of a hidden page wait for a second or more. @param {() => void} action */
export function soon(action) {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    action();
  };
  port2.postMessage(null);
}
