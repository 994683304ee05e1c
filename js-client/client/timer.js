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
