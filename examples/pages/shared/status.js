// The status line: short news that goes away by itself, over a lasting text that does not.

const NEWS_MS = 5000;

export class Status {
  #element;
  #lasting = '';
  #timer = 0;

  /** @param {HTMLElement} element with role=status */
  constructor(element) {
    this.#element = element;
  }

  /** @param {string} news */
  say(news) {
    this.#show(news, 'news');
    this.#timer = window.setTimeout(() => this.#show(this.#lasting, 'lasting'), NEWS_MS);
  }

  /** @param {string} text stays until it is replaced; empty for none */
  keep(text) {
    this.#lasting = text;
    this.#show(text, 'lasting');
  }

  /** @param {string} text @param {string} level */
  #show(text, level) {
    clearTimeout(this.#timer);
    this.#element.textContent = text;
    this.#element.dataset.level = level;
  }
}
