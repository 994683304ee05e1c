// The chat of the room, with its files, and how much of it is unread.

import { Chat } from '../shared/chat.js';
import { $ } from '../shared/dom.js';
import { Files } from '../shared/files.js';
import { readName } from '../shared/people.js';

/** There, a field that has the focus brings a keyboard over the messages. */
const TOUCH = matchMedia('(pointer: coarse)');

export class Talk {
  #page;
  #panels;
  #chat;
  #files;
  #room = '';
  #unread = 0;

  /** @param {import('../shared/room-page.js').RoomPage} page @param {import('../shared/panels.js').Panels} panels */
  constructor(page, panels) {
    const element = $('chat-panel');
    this.#page = page;
    this.#panels = panels;
    this.#chat = new Chat(element.querySelector('.chat'), { onsend: (text) => this.#send(text) });
    this.#files = new Files(element.querySelector('.files'), this.#chat);
    this.#files.addEventListener('offer', ({ name }) => this.#announce(`${name} offers you a file`));
    panels.addEventListener('open', ({ name }) => name === 'chat' && this.#read());
    bindDrop($('call'), (files) => {
      panels.open('chat');
      this.#files.choose(files);
    });
  }

  /** With each stay in a room. */
  start() {
    const { channel, lobby, signal } = this.#page;
    if (lobby.room !== this.#room) this.#clear();
    this.#room = lobby.room;
    this.#files.start(channel, signal);
    channel.addEventListener('message', ({ peer, data }) => this.#receive(peer, data), { signal });
    channel.addEventListener('peer', ({ peer, initial }) => !initial && this.#chat.note(`${readName(peer.userdata)} joined`), { signal });
    // The server has forgotten one of us: we meet again.
    channel.addEventListener('peerleave', ({ peer, reason }) => reason !== 'lost' && this.#chat.note(`${readName(peer.userdata)} left`), { signal });
    signal.addEventListener('abort', () => this.#chat.note('You left'));
  }

  /** @param {string} text */
  async #send(text) {
    const { channel, client } = this.#page;
    this.#chat.add({ id: client.peerId, name: this.#page.lobby.name, text, self: true });
    if (channel.peers.size === 0) this.#chat.note('Nobody else is here to read that.');
    try {
      await channel.send({ chat: text });
    } catch {
      this.#chat.note('Your last message did not reach everybody.');
    }
  }

  /** @param {import('/client.js').Peer | null} peer @param {any} data whatever it sends */
  #receive(peer, data) {
    if (!peer) return;
    const name = readName(peer.userdata);
    if (this.#chat.add({ id: peer.id, name, text: data?.chat })) this.#announce(`Message from ${name}`);
  }

  /** Unless the reader sees it. @param {string} news */
  #announce(news) {
    if (this.#panels.shown === 'chat') return;
    this.#unread += 1;
    this.#panels.setBadge('chat', this.#unread);
    this.#page.status.say(news);
  }

  #read() {
    this.#unread = 0;
    this.#panels.setBadge('chat', 0);
    if (!TOUCH.matches) this.#chat.focus();
  }

  #clear() {
    this.#chat.clear();
    this.#files.clear();
    this.#unread = 0;
    this.#panels.setBadge('chat', 0);
  }
}

/**
 * On all of the call: a file that is dropped beside a smaller place for it would be opened instead of the call.
 *
 * @param {HTMLElement} element
 * @param {(files: File[]) => void} ondrop
 */
function bindDrop(element, ondrop) {
  element.addEventListener('dragover', (event) => event.dataTransfer.types.includes('Files') && event.preventDefault());
  element.addEventListener('drop', (event) => {
    const files = [...event.dataTransfer.files];
    if (files.length === 0) return;
    event.preventDefault();
    ondrop(files);
  });
}
