// A chat: a log, and a field to write in. Whom it goes to is the page's business.

import { cleanLines } from './people.js';
import { withLinks } from './links.js';

/** Also what the field takes (`maxlength`): at most 6,000 bytes as UTF-8, far below what `channel.send` takes. */
export const MAX_MESSAGE = 2000;
/** Older ones go. */
const MAX_ENTRIES = 500;
/** So soon after each other, messages of one person stand under one name. */
const TOGETHER_MS = 3 * 60_000;
/** Who is so near the end of the log is reading along. */
const NEAR_PX = 40;

export class Chat {
  #element;
  #log;
  #list;
  #field;
  /** The reader is at the end, and stays there. */
  #isFollowing = true;
  /** The last message, as long as nothing else has come after it. @type {{ id: string, at: number } | null} */
  #last = null;

  /**
   * @param {HTMLElement} element what chat.html is
   * @param {{ onsend: (text: string) => void }} options `onsend` adds it to the chat, too, if it is to be seen there
   */
  constructor(element, { onsend }) {
    this.#element = element;
    this.#log = this.#part('chat-log');
    this.#list = this.#part('chat-messages');
    this.#field = /** @type {HTMLTextAreaElement} */ (this.#part('chat-text'));
    const form = this.#part('chat-form');

    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = cleanLines(this.#field.value, MAX_MESSAGE);
      this.#field.value = '';
      this.#field.focus();
      if (text) onsend(text);
    });
    this.#field.addEventListener('keydown', (event) => {
      // The Enter that ends the choice of a character is not meant for us.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    this.#log.addEventListener('scroll', () => this.#look());
    this.#part('chat-newest').addEventListener('click', () => {
      this.#follow();
      this.#field.focus();
    });
    // It gets smaller when somebody writes more than a line, and has no height while it is hidden.
    new ResizeObserver(() => this.#isFollowing && this.#follow()).observe(this.#log);
  }

  /** @param {{ id: string, name: string, text: unknown, self?: boolean }} message `id` of who wrote it; what is no text is not shown */
  add({ id, name, text, self = false }) {
    const words = cleanLines(text, MAX_MESSAGE);
    if (!words) return false;
    const at = Date.now();
    const isMore = this.#last?.id === id && at - this.#last.at < TOGETHER_MS;
    const message = make('div', 'chat-words');
    message.dir = 'auto';
    message.append(...withLinks(words));
    const item = this.append(by(self ? 'You' : name, new Date(at), isMore), message);
    item.toggleAttribute('data-self', self);
    item.toggleAttribute('data-more', isMore);
    if (self) this.#follow();
    this.#last = { id, at };
    return true;
  }

  /** What happened, in the place where it did. @param {string} text */
  note(text) {
    const note = make('p', 'chat-note');
    note.textContent = text;
    this.append(note);
  }

  /** Anything else. @param {...HTMLElement} content */
  append(...content) {
    const item = make('li', 'chat-entry');
    item.append(...content);
    this.#list.append(item);
    if (this.#list.childElementCount > MAX_ENTRIES) this.#list.firstElementChild.remove();
    this.#last = null;
    if (this.#isFollowing) this.#follow();
    else this.#part('chat-newest').hidden = false;
    return item;
  }

  /** A button beside the field, and what it opens above. @param {HTMLElement} tool @param {HTMLElement} form */
  addTool(tool, form) {
    this.#part('chat-form').prepend(tool);
    this.#part('chat-form').before(form);
  }

  clear() {
    this.#list.replaceChildren();
    this.#field.value = '';
    this.#last = null;
    this.#follow();
  }

  focus() {
    this.#field.focus();
  }

  #follow() {
    this.#isFollowing = true;
    this.#part('chat-newest').hidden = true;
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  #look() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    this.#isFollowing = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    if (this.#isFollowing) this.#part('chat-newest').hidden = true;
  }

  /** @param {string} name @returns {HTMLElement} */
  #part(name) {
    return this.#element.querySelector(`.${name}`);
  }
}

/** @param {string} name @param {Date} time @param {boolean} isMore then it is only heard, not seen again */
function by(name, time, isMore) {
  const line = make('p', isMore ? 'hidden-text' : 'chat-by');
  const who = make('bdi', 'chat-name');
  who.textContent = name;
  const when = /** @type {HTMLTimeElement} */ (make('time', 'chat-time'));
  when.dateTime = time.toISOString();
  when.textContent = time.toLocaleTimeString(undefined, { hour: 'numeric', minute: '2-digit' });
  line.append(who, ' ', when);
  return line;
}

/** @param {string} tag @param {string} className */
function make(tag, className) {
  return Object.assign(document.createElement(tag), { className });
}
