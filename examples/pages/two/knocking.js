// The card before a full room: when to knock again, by itself or when the button is pressed.

const EVERY_MS = 3000;

export class Knocking {
  #room;
  #answer;
  #byItself;
  /** Somebody has pressed the button, and has had no answer yet. */ #pressed = false;
  /** Ends the wait. @type {() => void} */ #knock = () => {};

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#room = element.querySelector('.full-room');
    this.#answer = element.querySelector('.knocked');
    this.#byItself = /** @type {HTMLInputElement} */ (element.querySelector('#knock-on'));
    // Also while the answer to another knock is under way.
    element.querySelector('#knock').addEventListener('click', () => this.#press());
  }

  /**
   * Resolves when it is time to knock again; rejects with the reason of `signal`.
   * @param {{ room: string, signal: AbortSignal }} options
   */
  async next({ room, signal }) {
    this.#room.textContent = room;
    // Who has pressed the button wants to know; what goes on by itself does so silently.
    this.#answer.textContent = this.#pressed ? 'Still full: both seats are taken.' : '';
    this.#pressed = false;
    const over = new AbortController();
    try {
      await new Promise((resolve, reject) => {
        this.#knock = () => resolve(undefined);
        const timer = setInterval(() => this.#byItself.checked && this.#knock(), EVERY_MS);
        over.signal.addEventListener('abort', () => clearInterval(timer));
        signal.addEventListener('abort', () => reject(signal.reason), over);
      });
    } finally {
      over.abort();
    }
  }

  #press() {
    this.#pressed = true;
    this.#answer.textContent = 'Knocking…';
    this.#knock();
  }
}
