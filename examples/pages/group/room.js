// One of the rooms that we are in: its entry in the list, with who is there, and its chat.

import { Chat } from '../shared/chat.js';
import { $ } from '../shared/dom.js';
import { initials, readName, tone } from '../shared/people.js';

/** Fires `enter` and `part` when the user wants that, and `message` (with the name `from`) when somebody has written. */
export class Room extends EventTarget {
  #client;
  #name;
  #unread = 0;
  #entry = copy('room-template');
  #chatPlace = copy('chat-template');
  #chat;

  /**
   * @param {import('/client.js').Channel} channel
   * @param {import('/client.js').Client} client
   * @param {{ name: string, signal: AbortSignal }} options `name`: ours, in this room
   */
  constructor(channel, client, { name, signal }) {
    super();
    this.channel = channel;
    this.#client = client;
    this.#name = name;
    this.#chat = new Chat(this.#chatPlace.querySelector('.chat'), { onsend: (text) => this.#send(text) });
    $('chats').append(this.#chatPlace);
    $('rooms').append(this.#entry);
    for (const part of this.#entry.querySelectorAll('.room-name')) part.textContent = channel.name;
    this.#entry.dataset.room = channel.name;
    this.#part('.room-enter').addEventListener('click', () => this.dispatchEvent(new Event('enter')));
    this.#part('.room-part').addEventListener('click', () => this.dispatchEvent(new Event('part')));

    for (const type of ['peer', 'peerleave', 'userdata', 'mediastate']) channel.addEventListener(type, () => this.#showPeople(), { signal });
    channel.addEventListener('peer', ({ peer, initial }) => !initial && this.#chat.note(`${readName(peer.userdata)} joined`), { signal });
    // The server has forgotten one of us: we meet again.
    channel.addEventListener('peerleave', ({ peer, reason }) => reason !== 'lost' && this.#chat.note(`${readName(peer.userdata)} left`), { signal });
    channel.addEventListener('message', ({ peer, data }) => this.#receive(peer, data), { signal });
    this.isActive = false;
    this.#showPeople();
  }

  /** Ours, in this room. */
  get name() {
    return this.#name;
  }

  set name(name) {
    this.#name = name;
    this.channel.setUserdata({ name });
    this.#showPeople();
  }

  /** @param {boolean} on whether it is the one that is seen */
  set isActive(on) {
    this.#entry.toggleAttribute('data-active', on);
    this.#part('.room-enter').setAttribute('aria-current', String(on));
    this.#chatPlace.hidden = !on;
  }

  get unread() {
    return this.#unread;
  }

  set unread(count) {
    this.#unread = count;
    this.#part('.badge').hidden = count === 0;
    this.#part('.count').textContent = count > 99 ? '99+' : String(count);
  }

  /** @param {string} id @param {boolean} on */
  markSpeaker(id, on) {
    for (const item of this.#part('.room-people').children) if (item.dataset.peerId === id) item.toggleAttribute('data-speaking', on);
  }

  focus() {
    this.#part('.room-enter').focus();
  }

  /** Takes it off the page. True if the focus was in it. */
  remove() {
    const hadFocus = [this.#entry, this.#chatPlace].some((element) => element.contains(document.activeElement));
    this.#entry.remove();
    this.#chatPlace.remove();
    return hadFocus;
  }

  #showPeople() {
    const speaking = [...this.#entry.querySelectorAll('[data-speaking]')].map(({ dataset }) => dataset.peerId);
    const others = [...this.channel.peers.values()].map(({ id, userdata, mediaState }) => {
      return person(id, readName(userdata), mediaState?.audio === false);
    });
    this.#part('.room-people').replaceChildren(person('', this.#name), ...others);
    for (const id of speaking) this.markSpeaker(id, true);
  }

  /** @param {string} text */
  async #send(text) {
    this.#chat.add({ id: this.#client.peerId, name: this.#name, text, self: true });
    if (this.channel.peers.size === 0) this.#chat.note('Nobody else is here to read that.');
    try {
      await this.channel.send({ chat: text });
    } catch {
      this.#chat.note('Your last message did not reach everybody.');
    }
  }

  /** @param {import('/client.js').Peer | null} peer @param {any} data whatever it sends */
  #receive(peer, data) {
    if (!peer) return;
    const from = readName(peer.userdata);
    if (this.#chat.add({ id: peer.id, name: from, text: data?.chat })) this.dispatchEvent(Object.assign(new Event('message'), { from }));
  }

  /** @param {string} selector @returns {HTMLElement} */
  #part(selector) {
    return this.#entry.querySelector(selector);
  }
}

/** @param {string} id empty: ourselves @param {string} name @param {boolean} [isMuted] */
function person(id, name, isMuted = false) {
  const item = copy('room-person-template');
  const [avatar, line, muted] = item.children;
  item.dataset.peerId = id;
  avatar.textContent = initials(name);
  avatar.dataset.tone = tone(name);
  line.textContent = id === '' ? `${name} (you)` : name;
  muted.hidden = !isMuted;
  return item;
}

/** @param {string} id of a template @returns {any} */
function copy(id) {
  return $(id).content.firstElementChild.cloneNode(true);
}
