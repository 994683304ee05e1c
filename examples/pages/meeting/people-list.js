// Who is there: raised hands first, then we, then the others as they came.

import { $ } from '../shared/dom.js';
import { initials, readName, tone } from '../shared/people.js';
import { QUALITIES } from '../shared/tile.js';

/** Of peers who do not say what is on. */
const UNTOLD = { audio: true, video: true, screen: false };
/** In the place of an id: ours may change. */
export const SELF = '';

/**
 * For one stay in a room.
 *
 * @param {import('../shared/room-page.js').RoomPage} page
 * @param {HTMLElement} list
 */
export function startPeople({ channel, call, devices, signal, lobby }, list) {
  const { name } = lobby;
  const people = new PeopleList(list);
  const showSelf = () => people.show(SELF, { name, note: 'You', state: devices.media.state });
  devices.addEventListener('change', showSelf, { signal });
  call.addEventListener('show', ({ peer }) => people.show(peer.id, { name: readName(peer.userdata), state: peer.mediaState ?? UNTOLD }), { signal });
  channel.addEventListener('quality', ({ peer, level }) => people.show(peer.id, { note: QUALITIES[level] }), { signal });
  channel.addEventListener('peerleave', ({ peer }) => people.remove(peer.id), { signal });
  signal.addEventListener('abort', () => people.clear());
  showSelf();
  return people;
}

class PeopleList {
  #list;
  /** In the order in which they came. @type {Map<string, HTMLElement>} */ #people = new Map();
  /** @type {ReadonlySet<string>} */ #hands = new Set();

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list;
  }

  /** @param {string} id @param {{ name?: string, note?: string, state?: { audio: boolean, video: boolean, screen: boolean } }} news */
  show(id, { name, note, state }) {
    const person = this.#people.get(id) ?? this.#add(id);
    if (name !== undefined) {
      const avatar = /** @type {HTMLElement} */ (person.querySelector('.initials'));
      avatar.textContent = initials(name);
      avatar.dataset.tone = tone(name);
      person.querySelector('bdi').textContent = name;
    }
    if (note !== undefined) person.querySelector('.person-note').textContent = note;
    if (state) {
      const { audio, video, screen } = state;
      for (const [what, isSo] of Object.entries({ audio, video, screen, muted: !audio, dark: !video })) mark(person, what, isSo);
    }
  }

  /** @param {ReadonlySet<string>} raised the ids of those whose hand is up, in the order in which they shall stand */
  setHands(raised) {
    this.#hands = raised;
    this.#sort();
  }

  /** @param {string} id */
  remove(id) {
    this.#people.get(id)?.remove();
    this.#people.delete(id);
  }

  clear() {
    this.#people.clear();
    this.#list.replaceChildren();
  }

  /** @param {string} id */
  #add(id) {
    const person = /** @type {HTMLElement} */ ($('person-template').content.firstElementChild.cloneNode(true));
    this.#people.set(id, person);
    this.#sort();
    return person;
  }

  #sort() {
    for (const [id, person] of this.#people) mark(person, 'hand', this.#hands.has(id));
    const first = [...this.#hands].filter((id) => this.#people.has(id));
    const order = [...new Set([...first, ...this.#people.keys()])].map((id) => this.#people.get(id));
    // Only when something moves: a screen reader may be in the middle of it.
    if (order.some((person, n) => person !== this.#list.children[n])) this.#list.replaceChildren(...order);
  }
}

/** @param {HTMLElement} person @param {string} what @param {boolean} isSo */
function mark(person, what, isSo) {
  /** @type {HTMLElement} */ (person.querySelector(`[data-shows="${what}"]`)).hidden = !isSo;
}
