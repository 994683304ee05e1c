// What opens beside the call: a column on a desk, a sheet over everything on a phone. One at a time, except that those
// with `data-docked` are always there on a desk.

const SHEET = matchMedia('(width < 800px)');

/** Fires `open` and `close`, with the `name` of the panel: that in `data-panel` of its button, whose id is `<name>-panel`. */
export class Panels extends EventTarget {
  /** The name of the one that is open; empty if none is. */
  shown = '';
  #buttons;
  #covered;

  /** @param {Iterable<HTMLElement>} covered what lies under the sheet, out of reach while it is there */
  constructor(covered) {
    super();
    this.#covered = [...covered];
    this.#buttons = /** @type {HTMLButtonElement[]} */ ([...document.querySelectorAll('[data-panel]')]);
    for (const button of this.#buttons) button.addEventListener('click', () => this.toggle(button.dataset.panel));
    for (const button of document.querySelectorAll('[data-close-panel]')) button.addEventListener('click', () => this.close());
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && !event.defaultPrevented && this.shown) this.close();
    });
    SHEET.addEventListener('change', () => this.#show());
    this.#show();
  }

  /** @param {string} name */
  toggle(name) {
    if (this.shown === name) this.close();
    else this.open(name);
  }

  /** Moves the focus to its heading; a listener may move it on. @param {string} name */
  open(name) {
    if (this.shown) this.#leave();
    this.shown = name;
    this.#show();
    panel(name).querySelector('h2').focus({ preventScroll: true });
    this.#fire('open', name);
  }

  /** Gives the focus back to its button, if it was inside. */
  close() {
    if (!this.shown) return;
    const hadFocus = panel(this.shown).contains(document.activeElement);
    const name = this.#leave();
    this.#show();
    if (hadFocus) this.#button(name).focus();
  }

  /** How much waits inside, shown at its button. @param {string} name @param {number} count */
  setBadge(name, count) {
    const badge = this.#button(name).querySelector('.badge');
    badge.hidden = count === 0;
    badge.querySelector('.count').textContent = count > 99 ? '99+' : String(count);
  }

  #leave() {
    const name = this.shown;
    this.shown = '';
    this.#fire('close', name);
    return name;
  }

  #show() {
    for (const button of this.#buttons) {
      const isOpen = button.dataset.panel === this.shown;
      button.setAttribute('aria-expanded', String(isOpen));
      const element = panel(button.dataset.panel);
      const isDocked = 'docked' in element.dataset && !SHEET.matches;
      element.hidden = !isOpen && !isDocked;
    }
    for (const element of this.#covered) element.inert = this.shown !== '' && SHEET.matches;
  }

  /** @param {string} name */
  #button(name) {
    return this.#buttons.find(({ dataset }) => dataset.panel === name);
  }

  /** @param {string} type @param {string} name */
  #fire(type, name) {
    this.dispatchEvent(Object.assign(new Event(type), { name }));
  }
}

/** @param {string} name */
function panel(name) {
  return document.getElementById(`${name}-panel`);
}
