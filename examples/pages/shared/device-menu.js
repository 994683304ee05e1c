// Which microphone, camera and speaker: follows what is plugged in and out.

import { setOptions } from './options.js';
import { explain } from './problems.js';

const KINDS = { audioinput: 'audio', videoinput: 'video' };
const NAMES = { audioinput: 'Microphone', videoinput: 'Camera', audiooutput: 'Speaker' };

export class DeviceMenu {
  #devices;
  #tiles;
  #selects;
  /** What is in use, or was last or shall be next. @type {Record<string, string>} */ #chosen = {};
  /** @type {MediaDeviceInfo[]} */ #present = [];
  #media;

  /**
   * @param {import('./devices.js').Devices} devices
   * @param {import('./tiles.js').Tiles} tiles what the speaker is for
   */
  constructor(devices, tiles) {
    this.#devices = devices;
    this.#tiles = tiles;
    this.#media = devices.media;
    this.#selects = /** @type {HTMLSelectElement[]} */ ([...document.querySelectorAll('[data-device]')]);
    for (const select of this.#selects) {
      select.addEventListener('change', () => this.#choose(select.dataset.device, select.value));
    }
    devices.addEventListener('change', () => {
      if (devices.media !== this.#media) this.#keep();
      this.#look();
    });
    navigator.mediaDevices?.addEventListener('devicechange', () => this.#replug());
    this.#look();
  }

  /** @param {string} device @param {string} id */
  async #choose(device, id) {
    this.#chosen[device] = id;
    if (device === 'audiooutput') this.#tiles.speaker = id;
    else await this.#switch(KINDS[device], id);
    this.#show();
  }

  /** @param {import('./devices.js').Kind} kind @param {string} id */
  async #switch(kind, id) {
    await this.#devices.media.switchDevice(kind, id);
    if (this.#devices.problems[kind] !== 'NotReadableError' || !this.#devices.media.state[kind]) return;
    // Many phones have one camera open at a time.
    await this.#devices.set({ [kind]: false });
    await this.#devices.media.switchDevice(kind, id);
    await this.#devices.set({ [kind]: true });
  }

  /** The devices were closed, and others will be opened: those that were chosen, if they are still there. */
  #keep() {
    const { media } = this.#devices;
    this.#media = media;
    for (const { kind, deviceId } of this.#present) {
      if (KINDS[kind] && this.#chosen[kind] === deviceId) media.switchDevice(KINDS[kind], deviceId);
    }
  }

  /** In the place of a device that was pulled out comes another, if there is one. */
  async #replug() {
    await this.#look();
    for (const [device, kind] of Object.entries(KINDS)) {
      const isThere = this.#present.some((present) => present.kind === device);
      if (isThere && this.#devices.problems[kind] === 'ended') this.#devices.reopen(kind);
    }
  }

  async #look() {
    this.#present = await navigator.mediaDevices?.enumerateDevices() ?? [];
    this.#show();
  }

  #show() {
    for (const element of document.querySelectorAll('.device-problem')) element.textContent = explain(this.#devices.problems);
    for (const select of this.#selects) this.#showDevices(select);
  }

  /** @param {HTMLSelectElement} select */
  #showDevices(select) {
    const { device } = select.dataset;
    const options = this.#present.filter(({ kind }) => kind === device).map(({ deviceId, label }, n) =>
      new Option(label || `${NAMES[device]} ${n + 1}`, deviceId));
    // Browsers name no device before the page was allowed to use one.
    const isKnown = options.some(({ value }) => value !== '');
    select.disabled = !isKnown;
    setOptions(select, isKnown ? options : [new Option(options.length > 0 ? 'To be allowed first' : 'None found')]);
    // Not every browser lets a page choose the speaker, and some do not tell which there are.
    if (device === 'audiooutput') select.closest('label').hidden = !isKnown || !('setSinkId' in HTMLMediaElement.prototype);

    const track = this.#devices.media.stream.getTracks().find(({ kind }) => kind === KINDS[device]);
    if (track) this.#chosen[device] = track.getSettings().deviceId;
    const chosen = this.#chosen[device];
    if (options.some(({ value }) => value === chosen)) select.value = chosen;
  }
}
