// The card before a full room: when to knock again, by itself or when the button is pressed.

const EVERY_MS = 3000;

export class Knocking {
  #room;
  #answer;
  #button;
  #byItself;
  #pressed = false;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#room = element.querySelector('.full-room');
    this.#answer = element.querySelector('.knocked');
    this.#button = /** @type {HTMLButtonElement} */ (element.querySelector('#knock'));
    this.#byItself = /** @type {HTMLInputElement} */ (element.querySelector('#knock-on'));
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
        const timer = setInterval(() => this.#byItself.checked && resolve(undefined), EVERY_MS);
        over.signal.addEventListener('abort', () => clearInterval(timer));
        this.#button.addEventListener('click', () => this.#press(resolve), over);
        signal.addEventListener('abort', () => reject(signal.reason), over);
      });
    } finally {
      over.abort();
    }
  }

  /** @param {(value?: undefined) => void} resolve */
  #press(resolve) {
    this.#pressed = true;
    this.#answer.textContent = 'Knocking…';
    resolve();
  }
}
