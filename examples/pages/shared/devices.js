// The camera and the microphone of this page: open from the lobby into the call, closed after it, opened again for the next.

import { LocalMedia } from '/client.js';
import { loadPreferences, savePreferences } from './preferences.js';

/** @typedef {'audio' | 'video'} Kind */

/** Fires `change` whenever `media` does or is another one, and when a question to the user is settled. */
export class Devices extends EventTarget {
  /** @type {LocalMedia} */ media;
  /** What is on when they are opened: the user's last choice. @type {Record<Kind, boolean>} */ #wanted;
  /** What the user wants and has not got yet. @type {Partial<Record<Kind, boolean>>} */ #asked;

  constructor() {
    super();
    const { audio, video } = loadPreferences();
    this.#wanted = { audio: audio !== false, video: video !== false };
    this.#renew();
  }

  /** Why a device cannot be had: the name of the browser's error. @returns {Partial<Record<Kind | 'screen', string>>} */
  get problems() {
    return this.media.problems;
  }

  /** True while the browser may be asking for permission. */
  get opening() {
    return Object.values(this.#asked).includes(true);
  }

  /** @returns {MediaStreamTrack | undefined} */
  get camera() {
    return this.media.stream.getVideoTracks()[0];
  }

  /** Opens what the user had on last time. */
  open() {
    return this.set(this.#wanted);
  }

  /** In the place of one that is gone: on or off as it was. @param {Kind} kind */
  reopen(kind) {
    return this.set({ [kind]: this.#wanted[kind] });
  }

  /** Keeps what is on as the user's choice, for this page and the next visit. */
  remember() {
    for (const kind of /** @type {Kind[]} */ (['audio', 'video'])) {
      if (!this.problems[kind]) this.#wanted[kind] = this.media.state[kind];
    }
    savePreferences(this.#wanted);
  }

  /** Switches on or off. Resolves when that is done or known to be impossible. @param {Partial<Record<Kind, boolean>>} wanted */
  async set(wanted) {
    const asked = { ...this.#asked, ...wanted };
    this.#asked = asked;
    await Promise.all(Object.entries(wanted).map(([kind, on]) => this.media.setEnabled(kind, on)));
    if (asked !== this.#asked) return; // a later call decides
    this.#asked = {};
    this.#changed();
  }

  /** Turns round what was asked for last, also while the device is still opening. @param {Kind} kind */
  toggle(kind) {
    return this.set({ [kind]: !(this.#asked[kind] ?? this.media.state[kind]) });
  }

  /** Closes both, and ends the share of the screen. */
  close() {
    this.media.close();
    this.#renew();
  }

  #renew() {
    this.#asked = {};
    this.media = new LocalMedia();
    this.media.addEventListener('change', () => this.#changed());
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
