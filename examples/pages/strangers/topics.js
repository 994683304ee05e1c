// What to talk about: a few topics, or one in own words. In the address as `#topic`, so that it can be passed on.

import { cleanText } from '../shared/people.js';
import { roomFromAddress } from '../shared/room.js';

export class Topics {
  #choices;
  #own;

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.#choices = /** @type {RadioNodeList} */ (form.elements.namedItem('topic'));
    this.#own = /** @type {HTMLInputElement} */ (form.elements.namedItem('own'));
    form.addEventListener('change', () => this.#showOwn());
    this.#choose(normal(roomFromAddress(() => 'anything')));
  }

  /** The name of the pool: who writes it in another way means the same. */
  get chosen() {
    return this.#choices.value || normal(this.#own.value) || 'anything';
  }

  /** @param {string} topic */
  #choose(topic) {
    const choice = (value) => [...this.#choices].find((each) => each.value === value);
    if (!choice(topic)) this.#own.value = topic;
    (choice(topic) ?? choice('')).checked = true;
    this.#showOwn();
  }

  #showOwn() {
    const isOwn = this.#choices.value === '';
    this.#own.disabled = !isOwn;
    this.#own.parentElement.hidden = !isOwn;
    if (isOwn && this.#own.value === '') this.#own.focus();
  }
}

/** @param {string} topic */
function normal(topic) {
  return cleanText(topic).toLocaleLowerCase('en');
}
