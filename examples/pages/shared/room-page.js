// A page with rooms: the card, the call in a room, the leave screen, and the way between them.

import { connect } from '/client.js';
import { keepAwake } from './awake.js';
import { Call } from './call.js';
import { ending, refusal, showConnection } from './connection.js';
import { $, onClick } from './dom.js';
import { Page } from './page.js';
import { savePreferences } from './preferences.js';
import { inviteUrl, randomRoom, roomFromAddress } from './room.js';

/**
 * Fires `call` when one has begun: `client`, `channel` and `call` are there then. `signal` ends with the stay in the
 * room, so what a page adds to a call is undone by it.
 */
export class RoomPage extends Page {
  /** @type {import('/client.js').Client | null} */ client = null;
  /** @type {import('/client.js').Channel | null} */ channel = null;
  /** @type {Call | null} */ call = null;
  #stay = new AbortController();
  #options;

  /**
   * @param {object} options
   * @param {string} options.title
   * @param {string[]} [options.screens] see Page
   * @param {() => string} [options.anyRoom] the room of an address that names none
   * @param {() => boolean} [options.wantsDevices] whether the card opens camera and microphone by itself
   * @param {typeof joinRoom} [options.join]
   * @param {Partial<ConstructorParameters<typeof Call>[2]>} [options.call] what is other than usual with the call
   */
  constructor({ title, screens, anyRoom = randomRoom, wantsDevices = () => true, join = joinRoom, call = {} }) {
    super({ title, screens, onjoin: () => this.enter() });
    this.#options = { anyRoom, wantsDevices, join, call };
    onClick('[data-invite]', () => this.#invite());
    onClick('[data-leave]', () => this.leave('You left the call', `Room: ${this.lobby.room}`));
    onClick('[data-rejoin]', () => this.#rejoin());
    onClick('[data-lobby]', () => this.showLobby());
    addEventListener('hashchange', () => this.showLobby());
    addEventListener('pageshow', ({ persisted }) => persisted && this.showLobby());
    addEventListener('pagehide', () => this.leave('The call has ended', ''));
  }

  /** Ends with this stay in the room. */
  get signal() {
    return this.#stay.signal;
  }

  showLobby() {
    this.#endStay();
    this.lobby.room = roomFromAddress(this.#options.anyRoom);
    this.show('lobby');
    this.#openDevices();
  }

  async enter() {
    const { room, name } = this.lobby;
    if (room === '' || this.lobby.busy) return;
    const { signal } = this.#stay = new AbortController();
    this.lobby.failure = '';
    this.lobby.busy = true;
    try {
      this.client = await connect(new URL('signal', location.href), { signal });
      this.channel = await this.#options.join(this.client, { room, name, media: this.devices.media, signal });
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
      return;
    } finally {
      if (this.signal === signal) this.lobby.busy = false;
    }
    this.#begin(name);
  }

  /** Makes this channel of the call the one that is seen, and that the address and the invite link lead to. @param {import('/client.js').Channel} channel */
  turnTo(channel) {
    const room = channel.name;
    const url = inviteUrl(room);
    this.channel = channel;
    this.call.active = channel;
    this.lobby.room = room;
    this.place = room;
    $('call-title').textContent = room;
    for (const element of document.querySelectorAll('[data-invite-url]')) element.textContent = url;
    history.replaceState(null, '', url);
  }

  /** @param {string} title @param {string} reason */
  leave(title, reason) {
    const wasIn = this.call !== null;
    this.#endStay();
    this.devices.close();
    if (!wasIn) return;
    $('left-title').textContent = title;
    $('left-reason').textContent = reason;
    this.show('left');
  }

  /** @param {string} name */
  #begin(name) {
    const { client, channel, devices, tiles, status, signal } = this;
    savePreferences({ name });
    this.call = new Call(client, channel, { name, devices, tiles, status, ...this.#options.call });
    this.call.addEventListener('people', () => this.#showPeople());
    this.call.addEventListener('end', ({ code }) => this.leave('The call has ended', ending(code)));
    showConnection(client, status, signal);
    keepAwake(signal);
    this.dispatchEvent(new Event('call'));
    this.turnTo(channel);
    this.show('call', channel.name);
  }

  /** Shows why we are not in the room. @param {Error & { code?: string }} error */
  #fail(error) {
    this.#endStay();
    this.lobby.failure = refusal(error);
    this.show('lobby');
    $('lobby-title').focus(); // the button that had it was out of use
    if (error.code === undefined) throw error; // not the server's answer: a fault of this page
  }

  #endStay() {
    this.call?.close();
    this.#stay.abort();
    this.lobby.busy = false;
    this.devices.media.stopScreen();
    this.call = this.channel = this.client = null;
  }

  async #rejoin() {
    $('left-reason').textContent = 'Joining…';
    await this.#openDevices();
    if (this.screen === 'left') await this.enter(); // else the user has gone elsewhere meanwhile
  }

  async #openDevices() {
    if (this.#options.wantsDevices()) await this.devices.open();
  }

  /** Not where the page has something else to count. */
  #showPeople() {
    if ($('people')) $('people').textContent = this.call.people === 1 ? '1 person' : `${this.call.people} people`;
  }

  async #invite() {
    const url = inviteUrl(this.lobby.room);
    try {
      await navigator.clipboard.writeText(url);
      this.status.say('Invite link copied');
    } catch {
      this.status.say(`Copy this link: ${url}`);
    }
  }
}

/**
 * Resolves with the channel that the call is in.
 *
 * @param {import('/client.js').Client} client
 * @param {{ room: string, name: string, media: import('/client.js').LocalMedia, signal: AbortSignal }} options
 */
export function joinRoom(client, { room, name, media, signal }) {
  return client.join(room, { userdata: { name }, media, signal });
}
