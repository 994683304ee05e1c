// The card before the call: who, where, with which devices. The words on its button are those of the page: its text,
// `data-watch` instead of it where there is neither camera nor microphone, and `data-busy` while joining is under way.

import { cleanText, initials, tone } from './people.js';
import { explain } from './problems.js';

export class Lobby {
  #element;
  #devices;
  #form;
  #video;
  #submit;
  #label;
  #busy = false;

  /**
   * @param {HTMLElement} element
   * @param {import('./devices.js').Devices} devices
   * @param {{ name: string, onjoin: () => void, onretry: () => void }} options
   */
  constructor(element, devices, { name, onjoin, onretry }) {
    this.#element = element;
    this.#devices = devices;
    this.#form = element.querySelector('form');
    this.#video = element.querySelector('video');
    this.#submit = this.#form.querySelector('.submit');
    this.#label = this.#submit.textContent;
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
    return cleanText(this.#input('name').value) || this.#input('name').placeholder;
  }

  /** Only where the card has that field. */
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
    this.#submit.disabled = busy;
    // What was chosen is on its way to the server.
    for (const choice of this.#form.querySelectorAll('fieldset')) choice.disabled = busy;
    this.#showSubmit();
  }

  /** @param {string} label of the button, instead of what the page has */
  set label(label) {
    this.#label = label;
    this.#showSubmit();
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
    this.#showSubmit();
    this.#part('.preview').dataset.video = camera ? 'on' : 'off';
    const preview = camera ? media.stream : null; // an empty one would keep the page from ever being loaded
    if (this.#video.srcObject !== preview) this.#video.srcObject = preview;
  }

  #showSubmit() {
    const { audio, video } = this.#devices.problems;
    const { busy = 'Joining…', watch = this.#label } = this.#submit.dataset;
    const label = audio && video ? watch : this.#label;
    this.#submit.textContent = this.#busy ? busy : label;
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

/** @param {import('./devices.js').Devices} devices */
function previewNote({ opening, camera, problems }) {
  if (opening) return 'Please allow camera and microphone';
  return camera || problems.video ? '' : 'Your camera is off';
}

/** @param {import('./devices.js').Devices['problems']} problems */
function consequence({ audio, video }) {
  if (audio && video) return 'You can still join, watch and listen.';
  return video ? 'You can still join: the others hear you.' : 'You can still join: the others see you.';
}
