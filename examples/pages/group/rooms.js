// The rooms that we are in: the list beside the call, which of them is seen, and the way into one more.

import { $ } from '../shared/dom.js';
import { cleanText } from '../shared/people.js';
import { Room } from './room.js';

/** There is space for the chat beside the tiles. */
const WIDE = matchMedia('(width >= 1100px)');

export class Rooms {
  #page;
  #panels;
  /** By name, in the order in which we came. @type {Map<string, Room>} */ #rooms = new Map();
  /** The one that is seen. @type {Room | undefined} */ #active;
  /** Our names in those of the last call, by room. @type {Map<string, string>} */ #before = new Map();
  #form = /** @type {HTMLFormElement} */ ($('join-room'));

  /** @param {import('../shared/room-page.js').RoomPage} page @param {import('../shared/panels.js').Panels} panels */
  constructor(page, panels) {
    this.#page = page;
    this.#panels = panels;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#join(cleanText(this.#form.elements.namedItem('channel').value));
    });
    $('name-here').addEventListener('change', ({ target }) => this.#rename(cleanText(target.value)));
    panels.addEventListener('open', ({ name }) => name === 'chat' && this.#read());
  }

  /** With each call. Who comes back from the leave screen is in the same rooms again. */
  start() {
    const { call, channel, lobby, screen, signal } = this.#page;
    signal.addEventListener('abort', () => this.#stop());
    call.addEventListener('speaking', ({ id, on }) => {
      for (const room of this.#rooms.values()) room.markSpeaker(id, on);
    }, { signal });
    const room = this.#add(channel, lobby.name);
    if (screen === 'left') this.#comeBack(room);
    this.#turnTo(room);
    if (WIDE.matches) this.#panels.open('chat');
  }

  /** @param {Room} first where we are already */
  #comeBack(first) {
    for (const [room, name] of this.#before) {
      if (room === first.channel.name) first.name = name;
      else this.#open(room, name);
    }
  }

  #stop() {
    this.#panels.close();
    this.#before = new Map([...this.#rooms.values()].map(({ channel, name }) => [channel.name, name]));
    for (const room of this.#rooms.values()) room.remove();
    this.#rooms.clear();
    this.#active = undefined;
    this.#form.reset();
    this.#say('');
  }

  /** @param {string} name */
  async #join(name) {
    if (name === '' || this.#form.ariaBusy === 'true') return;
    this.#form.ariaBusy = 'true';
    try {
      const room = await this.#open(name, this.#page.lobby.name);
      if (room) this.#enter(room);
    } finally {
      this.#form.ariaBusy = 'false';
    }
  }

  /** The room of this name: one of ours, or one more. @param {string} room @param {string} name ours there */
  async #open(room, name) {
    const { client, call, devices, signal } = this.#page;
    if (this.#rooms.has(room)) return this.#rooms.get(room);
    this.#say('');
    try {
      const channel = await client.join(room, { userdata: { name }, media: devices.media, signal });
      call.add(channel);
      return this.#add(channel, name);
    } catch (error) {
      if (error.code === undefined) throw error; // not the server's answer: a fault of this page
      if (!signal.aborted) this.#say(refusal(error));
    }
  }

  /** @param {import('/client.js').Channel} channel @param {string} name */
  #add(channel, name) {
    const room = new Room(channel, this.#page.client, { name, signal: this.#page.signal });
    this.#rooms.set(channel.name, room);
    room.addEventListener('enter', () => this.#enter(room));
    room.addEventListener('part', () => this.#part(room));
    room.addEventListener('message', ({ from }) => this.#announce(room, from));
    channel.addEventListener('close', ({ error }) => this.#drop(room, error), { signal: this.#page.signal });
    return room;
  }

  /** At the user's wish. @param {Room} room */
  #enter(room) {
    this.#form.reset();
    this.#say('');
    this.#turnTo(room);
    if (this.#panels.shown === 'rooms') this.#panels.close();
  }

  /** @param {Room} room */
  #turnTo(room) {
    this.#active = room;
    for (const each of this.#rooms.values()) each.isActive = each === room;
    this.#page.turnTo(room.channel);
    this.#page.call.name = room.name;
    $('name-here').value = room.name;
    $('chat-panel-title').textContent = `Chat in ${room.channel.name}`;
    this.#read();
  }

  /** @param {Room} room */
  #part(room) {
    if (this.#rooms.size === 1) this.#page.leave('You left the call', `Room: ${room.channel.name}`);
    else room.channel.leave();
  }

  /** We are out, by our own wish or that of the server. @param {Room} room @param {Error | null} error */
  #drop(room, error) {
    if (this.#page.client?.state === 'closed') return; // the end of all of them, see #stop
    const hadFocus = room.remove();
    this.#rooms.delete(room.channel.name);
    const [next] = [...this.#rooms.values()].reverse();
    if (!next) return; // the end of the call
    if (this.#active === room) this.#turnTo(next);
    if (hadFocus) this.#active.focus();
    this.#page.status.say(error ? `The server has taken you out of ${room.channel.name}` : `You left ${room.channel.name}`);
    this.#count();
  }

  /** @param {string} name */
  #rename(name) {
    if (name !== '') this.#active.name = name;
    this.#page.call.name = $('name-here').value = this.#active.name;
  }

  /** Something was written. @param {Room} room @param {string} from */
  #announce(room, from) {
    if (this.#isRead(room)) return;
    room.unread += 1;
    this.#page.status.say(room === this.#active ? `Message from ${from}` : `Message from ${from} in ${room.channel.name}`);
    this.#count();
  }

  #read() {
    if (this.#active && this.#isRead(this.#active)) this.#active.unread = 0;
    this.#count();
  }

  /** @param {Room} room */
  #isRead(room) {
    return room === this.#active && this.#panels.shown === 'chat';
  }

  #count() {
    const others = [...this.#rooms.values()].filter((room) => room !== this.#active);
    this.#panels.setBadge('chat', this.#active?.unread ?? 0);
    this.#panels.setBadge('rooms', others.reduce((sum, { unread }) => sum + unread, 0));
  }

  /** @param {string} failure */
  #say(failure) {
    $('join-failure').textContent = failure;
    $('join-failure').hidden = failure === '';
  }
}

/** Why we are not in that room. @param {{ code?: string }} error */
function refusal(error) {
  switch (error.code) {
    case 'channel_full': return 'That room is full.';
    case 'unauthorized': return 'You are not allowed into that room.';
    case 'limit': return 'You are in as many rooms as you may be in at once. Leave one of them first.';
    default: return 'That did not work. Try again.';
  }
}
