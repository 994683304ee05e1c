// The card before the call: who, where, with which devices.

import { cleanText, initials, tone } from '../shared/people.js';
import { explain } from '../shared/problems.js';

export class Lobby {
  #element;
  #devices;
  #form;
  #video;
  #busy = false;

  /**
   * @param {HTMLElement} element
   * @param {import('../shared/devices.js').Devices} devices
   * @param {{ name: string, onjoin: () => void, onretry: () => void }} options
   */
  constructor(element, devices, { name, onjoin, onretry }) {
    this.#element = element;
    this.#devices = devices;
    this.#form = element.querySelector('form');
    this.#video = element.querySelector('video');
    this.#input('name').value = name;
    this.#input('name').addEventListener('input', () => this.#showInitials());
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      onjoin();
    });
    this.#part('.retry').addEventListener('click', onretry);
    devices.addEventListener('change', () => this.#showDevices());
    this.#showInitials();
  }

  get name() {
    return cleanText(this.#input('name').value) || 'Guest';
  }

  get room() {
    return cleanText(this.#input('room').value);
  }

  set room(room) {
    this.#input('room').value = room;
  }

  get busy() {
    return this.#busy;
  }

  /** @param {boolean} busy joining is under way */
  set busy(busy) {
    this.#busy = busy;
    this.#part('.submit').toggleAttribute('disabled', busy);
    this.#part('.submit').textContent = busy ? 'Joining…' : this.#joinLabel();
  }

  /** @param {string} text why joining did not work; empty to take it away */
  set failure(text) {
    this.#part('.failure').textContent = text;
    this.#part('.failure').hidden = text === '';
  }

  #showDevices() {
    const { problems, opening, camera, media } = this.#devices;
    const problem = opening ? '' : explain(problems);
    this.#part('.problem').textContent = problem && `${problem} ${consequence(problems)}`;
    this.#part('.retry').hidden = problem === '';
    this.#part('.preview-note').textContent = previewNote(this.#devices);
    if (!this.#busy) this.#part('.submit').textContent = this.#joinLabel();
    this.#part('.preview').dataset.video = camera ? 'on' : 'off';
    const preview = camera ? media.stream : null; // an empty one would keep the page from ever being loaded
    if (this.#video.srcObject !== preview) this.#video.srcObject = preview;
  }

  #joinLabel() {
    const { audio, video } = this.#devices.problems;
    return audio && video ? 'Join and watch' : 'Join';
  }

  #showInitials() {
    const avatar = this.#part('.initials');
    avatar.textContent = initials(this.name);
    avatar.dataset.tone = tone(this.name);
  }

  /** @param {string} name @returns {HTMLInputElement} */
  #input(name) {
    return this.#form.elements.namedItem(name);
  }

  /** @param {string} selector @returns {HTMLElement} */
  #part(selector) {
    return this.#element.querySelector(selector);
  }
}

/** @param {import('../shared/devices.js').Devices} devices */
function previewNote({ opening, camera, problems }) {
  if (opening) return 'Please allow camera and microphone';
  return camera || problems.video ? '' : 'Your camera is off';
}

/** @param {import('../shared/devices.js').Devices['problems']} problems */
function consequence({ audio, video }) {
  if (audio && video) return 'You can still join, watch and listen.';
  return video ? 'You can still join: the others hear you.' : 'You can still join: the others see you.';
}
