// One person on the screen: picture or initials, name, muted badge, raised hand, a mark, state and quality of the connection.

import { initials, tone } from './people.js';

export const QUALITIES = { excellent: 'Excellent connection', good: 'Good connection', poor: 'Poor connection', lost: 'No connection' };
const OVERLAYS = { connecting: 'Connecting…', reconnecting: 'Reconnecting…', closed: 'Connection lost' };

export class Tile {
  #video;
  #stream = new MediaStream();
  #wantsVideo = false;

  /**
   * @param {HTMLTemplateElement} template
   * @param {{ id: string, self?: boolean, onblocked?: () => void }} options
   */
  constructor(template, { id, self = false, onblocked = () => {} }) {
    this.element = /** @type {HTMLElement} */ (template.content.firstElementChild.cloneNode(true));
    this.element.toggleAttribute('data-self', self);
    this.self = self;
    this.id = id;
    this.onblocked = onblocked;
    this.#video = this.element.querySelector('video');
    this.#video.muted = self;
    this.#video.addEventListener('resize', () => this.#showPicture());
  }

  get id() {
    return this.element.dataset.peerId;
  }

  set id(id) {
    this.element.dataset.peerId = id;
  }

  /** @param {string} name */
  setName(name) {
    this.#part('name').textContent = this.self ? `${name} (you)` : name;
    this.#part('initials').textContent = initials(name);
    this.#part('initials').dataset.tone = tone(name);
  }

  /** @param {{ audio: boolean, video: boolean }} state what is on */
  setMedia({ audio, video }) {
    this.#part('muted').hidden = audio;
    this.element.dataset.audio = audio ? 'on' : 'off';
    this.#wantsVideo = video;
    this.#showPicture();
  }

  /** @param {string} state of the connection to this peer */
  setState(state) {
    const text = OVERLAYS[state] ?? '';
    this.element.dataset.state = state;
    this.#part('overlay').hidden = text === '';
    this.#part('overlay-text').textContent = text;
  }

  /** @param {{ level: string, roundTripTime: number | null, loss: number }} quality of the connection to this peer */
  setQuality({ level, roundTripTime, loss }) {
    const badge = this.#part('quality');
    badge.hidden = false;
    badge.dataset.level = level;
    badge.title = `${roundTripTime === null ? '' : `${roundTripTime} ms, `}${(100 * loss).toFixed(1)} % lost`;
    this.#part('quality-text').textContent = QUALITIES[level];
  }

  /** @param {boolean} on */
  setSpeaking(on) {
    this.element.toggleAttribute('data-speaking', on);
  }

  /** @param {boolean} raised */
  setHand(raised) {
    this.#part('hand').hidden = !raised;
    this.element.toggleAttribute('data-hand', raised);
  }

  /** A word that sets this person apart, such as "Host". @param {string} text empty for none */
  setMark(text) {
    this.#part('mark').textContent = text;
    this.#part('mark').hidden = text === '';
  }

  /** Takes the place of the track of its kind. @param {MediaStreamTrack} track */
  setTrack(track) {
    if (this.#stream.getTracks().includes(track)) return;
    this.clearTrack(track.kind);
    this.#stream.addTrack(track);
    track.addEventListener('ended', () => this.#stream.removeTrack(track));
    this.#video.srcObject ??= this.#stream;
    this.#showPicture();
    this.play();
  }

  /** @param {string} kind */
  clearTrack(kind) {
    for (const track of this.#stream.getTracks()) if (track.kind === kind) this.#stream.removeTrack(track);
    this.#showPicture();
  }

  /** Browsers may refuse sound before the user has touched the page. */
  async play() {
    try {
      await this.#video.play();
    } catch (error) {
      if (error.name === 'NotAllowedError') this.onblocked();
    }
  }

  /** @param {string} id of the device */
  async setSpeaker(id) {
    try {
      await this.#video.setSinkId(id);
    } catch {
      // it was pulled out, or may not be used: the sound goes where it went before
    }
  }

  remove() {
    this.#video.srcObject = null;
    this.element.remove();
  }

  #showPicture() {
    const visible = this.#wantsVideo && this.#stream.getVideoTracks().length > 0 && this.#video.videoWidth > 0;
    this.element.dataset.video = visible ? 'on' : 'off';
  }

  /** @param {string} name @returns {HTMLElement} */
  #part(name) {
    return this.element.querySelector(`.${name}`);
  }
}
