// Files, sent to one or to all and taken or declined, each as a card in the chat.

import { FileCard, button, formatSize } from './file-card.js';
import { setOptions } from './options.js';
import { readName } from './people.js';

/** More that are neither taken nor declined, nobody may offer. */
const MAX_OFFERED = 20;

/** Fires `offer`, with the `name` of who offers a file. */
export class Files extends EventTarget {
  #element;
  #chat;
  #input;
  #form;
  #to;
  /** What the user is about to send. @type {File[]} */ #chosen = [];
  /** @type {import('/client.js').Channel | null} */ #channel = null;
  /** What each peer offers, and how to take it off the table. @type {WeakMap<object, Set<(error: object) => void>>} */ #offers = new WeakMap();
  /** @type {string[]} */ #urls = [];

  /** @param {HTMLElement} element what files.html is @param {import('./chat.js').Chat} chat */
  constructor(element, chat) {
    super();
    this.#element = element;
    this.#chat = chat;
    this.#input = element.querySelector('input');
    this.#form = element.querySelector('form');
    this.#to = element.querySelector('select');
    const opener = /** @type {HTMLButtonElement} */ (element.querySelector('.chat-tool'));
    chat.addTool(opener, this.#form);
    opener.addEventListener('click', () => this.#input.click());
    this.#input.addEventListener('change', () => {
      this.choose([...this.#input.files]);
      this.#input.value = '';
    });
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#sendChosen();
    });
    this.#form.querySelector('.file-dismiss').addEventListener('click', () => this.#dismiss());
  }

  /** @param {import('/client.js').Channel} channel @param {AbortSignal} signal ends with the stay in it */
  start(channel, signal) {
    this.#channel = channel;
    channel.addEventListener('file', ({ peer, file }) => this.#receive(peer, file, signal), { signal });
    channel.addEventListener('peerleave', ({ peer }) => this.#forget(peer), { signal });
    for (const type of ['peer', 'peerleave', 'userdata']) channel.addEventListener(type, () => this.#showPeople(), { signal });
    signal.addEventListener('abort', () => this.choose([]));
    this.#showPeople();
  }

  /** Asks whom they shall go to. @param {File[]} files none: takes the question back */
  choose(files) {
    this.#chosen = files;
    const size = files.reduce((sum, file) => sum + file.size, 0);
    const what = files.length === 1 ? files[0].name : `${files.length} files`;
    this.#form.querySelector('.file-chosen').textContent = `${what}, ${formatSize(size)}`;
    this.#form.hidden = files.length === 0;
    if (files.length > 0) this.#to.focus();
  }

  /** Lets go of what has come. */
  clear() {
    for (const url of this.#urls.splice(0)) URL.revokeObjectURL(url);
  }

  #showPeople() {
    const { peers } = this.#channel;
    const everybody = new Option(peers.size === 0 ? 'Nobody else is here' : 'Everybody', '');
    const options = [everybody, ...[...peers.values()].map(({ id, userdata }) => new Option(readName(userdata), id))];
    const to = this.#to.value;
    setOptions(this.#to, options);
    this.#form.querySelector('.primary').disabled = peers.size === 0;
    if (to && !peers.has(to)) this.choose([]); // who has left must not turn into everybody
  }

  #sendChosen() {
    const { peers } = this.#channel;
    const to = this.#to.value ? [peers.get(this.#to.value)] : [...peers.values()];
    for (const file of this.#chosen) this.#send(file, to);
    this.#to.value = '';
    this.#dismiss();
  }

  #dismiss() {
    this.choose([]);
    this.#chat.focus();
  }

  /** @param {File} file @param {import('/client.js').Peer[]} peers */
  async #send(file, peers) {
    const card = this.#addCard(file, true);
    const cancel = new AbortController();
    card.setActions(button('Cancel', 'quiet', () => cancel.abort()));
    await Promise.all(peers.map((peer) => sendTo(peer, file, card, cancel.signal)));
    card.setActions();
  }

  /** @param {import('/client.js').Peer} peer @param {import('/client.js').IncomingFile} file @param {AbortSignal} signal */
  #receive(peer, file, signal) {
    const offers = this.#offers.get(peer) ?? new Set();
    this.#offers.set(peer, offers);
    if (offers.size >= MAX_OFFERED) return file.decline();
    const name = readName(peer.userdata);
    const card = this.#addCard(file, false);
    const way = card.addWay(name);
    way.set('offers you this file', 'waiting');
    const gone = (error) => {
      offers.delete(gone);
      card.setActions();
      way.fail(error);
    };
    offers.add(gone);
    signal.addEventListener('abort', () => offers.has(gone) && gone({ code: 'connection_lost' }));
    card.setActions(
      button('Accept', 'primary', () => {
        offers.delete(gone);
        this.#take(file, card, way);
      }),
      button('Decline', 'quiet', () => {
        file.decline();
        gone({ code: 'declined' });
      }),
    );
    this.dispatchEvent(Object.assign(new Event('offer'), { name }));
  }

  /** @param {import('/client.js').IncomingFile} file @param {FileCard} card @param {ReturnType<FileCard['addWay']>} way */
  async #take(file, card, way) {
    let cancelled = false;
    way.set('is sending it', 'moving');
    card.setActions(button('Cancel', 'quiet', () => {
      cancelled = true;
      file.decline();
    }));
    try {
      const blob = await file.accept({ onprogress: (progress) => way.move(progress) }).blob();
      way.set('has sent it', 'done');
      card.setActions(this.#saveLink(file.name, blob));
    } catch (error) {
      card.setActions();
      way.fail(cancelled ? { code: 'aborted' } : error);
    }
  }

  /** Not of the type that the sender names: no browser shall open it as a page of this server. @param {string} name @param {Blob} blob */
  #saveLink(name, blob) {
    const link = document.createElement('a');
    link.className = 'button primary';
    link.textContent = 'Save';
    link.download = name;
    link.href = URL.createObjectURL(new Blob([blob], { type: 'application/octet-stream' }));
    this.#urls.push(link.href);
    return link;
  }

  /** @param {import('/client.js').Peer} peer */
  #forget(peer) {
    for (const gone of this.#offers.get(peer) ?? []) gone({ code: 'closed' });
  }

  /** @param {{ name: string, size: number }} file @param {boolean} self */
  #addCard({ name, size }, self) {
    const card = new FileCard(this.#element.querySelector('template'), { name, size });
    this.#chat.append(card.element).toggleAttribute('data-self', self);
    return card;
  }
}

/** @param {import('/client.js').Peer} peer @param {File} file @param {FileCard} card @param {AbortSignal} signal */
async function sendTo(peer, file, card, signal) {
  const way = card.addWay(readName(peer.userdata));
  way.set('is asked', 'waiting');
  const onprogress = (progress) => {
    way.set('is receiving it', 'moving');
    way.move(progress);
  };
  try {
    await peer.sendFile(file, { signal, onprogress });
    way.set('has it', 'done');
  } catch (error) {
    way.fail(error);
  }
}
