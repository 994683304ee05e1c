// A file in the chat: its name, how far it is on the way to or from each person, and what can be done about it.

const UNITS = ['kB', 'MB', 'GB'];

/** How a transfer may end without the file. */
const FAILURES = {
  declined: 'Declined',
  aborted: 'Cancelled',
  cancelled: 'Cancelled',
  closed: 'Left',
  connection_lost: 'Connection lost',
  corrupted: 'Damaged on the way',
  NotReadableError: 'The file was changed or is gone',
};

export class FileCard {
  /** @type {HTMLElement} */ element;

  /** @param {HTMLTemplateElement} template @param {{ name: string, size: number }} file */
  constructor(template, { name, size }) {
    this.element = /** @type {HTMLElement} */ (template.content.firstElementChild.cloneNode(true));
    this.#part('file-name').textContent = name || 'Unnamed file';
    this.#part('file-name').title = name;
    this.#part('file-size').textContent = formatSize(size);
  }

  /** A line for one transfer. @param {string} name of the other person */
  addWay(name) {
    const way = new Way(name);
    this.#part('file-ways').append(way.element);
    return way;
  }

  /** Replaces the buttons. @param {...HTMLElement} actions */
  setActions(...actions) {
    const hadFocus = this.element.contains(document.activeElement);
    this.#part('file-actions').replaceChildren(...actions);
    if (hadFocus) (actions[0] ?? this.element).focus();
  }

  /** @param {string} name @returns {HTMLElement} */
  #part(name) {
    return this.element.querySelector(`.${name}`);
  }
}

class Way {
  element = document.createElement('li');
  #state = document.createElement('span');
  #bar = document.createElement('progress');

  /** @param {string} name */
  constructor(name) {
    const who = document.createElement('bdi');
    who.className = 'file-person';
    who.textContent = name;
    this.#state.className = 'file-state';
    this.#bar.className = 'file-progress';
    this.#bar.max = 1;
    this.#bar.hidden = true;
    this.#bar.setAttribute('aria-label', `How much has arrived, ${name}`);
    this.element.append(who, this.#state, this.#bar);
  }

  /** @param {string} text @param {'waiting' | 'moving' | 'done' | 'failed'} state */
  set(text, state) {
    this.#state.textContent = text;
    this.#bar.hidden = state !== 'moving';
    this.element.dataset.state = state;
  }

  /** @param {any} error */
  fail({ code, name }) {
    this.set(FAILURES[code ?? name] ?? 'Could not be transferred', 'failed');
  }

  /** @param {{ bytes: number, size: number }} progress */
  move({ bytes, size }) {
    this.#bar.value = bytes / size || 0;
  }
}

/** @param {string} text @param {string} kind class of the button @param {() => void} action */
export function button(text, kind, action) {
  const element = document.createElement('button');
  element.type = 'button';
  element.className = `button ${kind}`;
  element.textContent = text;
  element.addEventListener('click', action);
  return element;
}

/** @param {number} size what somebody says it is */
export function formatSize(size) {
  if (!(size >= 0 && size <= Number.MAX_SAFE_INTEGER)) return 'size not known';
  if (size < 1000) return size === 1 ? '1 byte' : `${size} bytes`;
  let unit = 0;
  let figure = size / 1000;
  for (; figure >= 1000 && unit < UNITS.length - 1; figure /= 1000) unit += 1;
  return `${figure.toLocaleString(undefined, { maximumSignificantDigits: 3 })} ${UNITS[unit]}`;
}
