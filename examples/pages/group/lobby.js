// The card before the call: who, where, with which devices.

import { KINDS, explain } from '../shared/media.js';
import { cleanText, initials, tone } from '../shared/people.js';

export class Lobby {
  #element;
  #media;
  #form;
  #video;
  #busy = false;

  /**
   * @param {HTMLElement} element
   * @param {import('../shared/media.js').LocalMedia} media
   * @param {{ name: string, onjoin: () => void, onretry: () => void }} options
   */
  constructor(element, media, { name, onjoin, onretry }) {
    this.#element = element;
    this.#media = media;
    this.#form = element.querySelector('form');
    this.#video = element.querySelector('video');
    this.#input('name').value = name;
    this.#input('name').addEventListener('input', () => this.#showInitials());
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      onjoin();
    });
    this.#part('.retry').addEventListener('click', onretry);
    media.addEventListener('change', () => this.#showDevices());
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
    const { problems, opening, video } = this.#media;
    const problem = opening ? '' : explain(problems);
    this.#part('.problem').textContent = problem && `${problem} ${consequence(problems)}`;
    this.#part('.retry').hidden = problem === '';
    this.#part('.preview-note').textContent = previewNote(this.#media);
    if (!this.#busy) this.#part('.submit').textContent = this.#joinLabel();
    this.#part('.preview').dataset.video = video ? 'on' : 'off';
    if (this.#video.srcObject?.getTracks()[0] !== video) this.#video.srcObject = video ? new MediaStream([video]) : null;
  }

  #joinLabel() {
    return KINDS.every((kind) => kind in this.#media.problems) ? 'Join and watch' : 'Join';
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

/** @param {import('../shared/media.js').LocalMedia} media */
function previewNote({ opening, video, problems }) {
  if (opening) return 'Please allow camera and microphone';
  return video || problems.video ? '' : 'Your camera is off';
}

/** @param {import('../shared/media.js').LocalMedia['problems']} problems */
function consequence({ audio, video }) {
  if (audio && video) return 'You can still join, watch and listen.';
  return video ? 'You can still join: the others hear you.' : 'You can still join: the others see you.';
}
