import { emit } from './events.js';
import { aborted } from './requests.js';

/**
 * @typedef {import('./senders.js').Slot} Slot
 * @typedef {'audio' | 'video'} Kind
 *
 * @typedef {object} Problem why something cannot be had
 * @property {Kind | 'screen'} kind
 * @property {string} name that of the browser's error: `NotFoundError`, `NotAllowedError`, `NotReadableError` (in use),
 *   `OverconstrainedError`, `TypeError` (this browser cannot do it), ...; or `Unplugged`: it ended by itself, also when
 *   the permission was taken back; or `InsecureContext`: browsers give devices only to https and localhost
 *
 * @typedef {object} Source
 * @property {boolean} wanted what was asked for last
 * @property {MediaStreamTrack | null} source what it gives now; the slot may send the screen instead
 * @property {MediaStreamTrack | null} own of the application, instead of the device
 * @property {boolean | MediaTrackConstraints} constraints
 * @property {string} [id] which device it was, or shall be
 *
 * @typedef {Slot & Source} Device
 */

/** @type {Kind[]} */
const KINDS = ['audio', 'video'];
const CAMERA = { width: 960, height: 540, frameRate: 24, facingMode: 'user' }; // If that can be had.

const Base = /** @type {new () => import('./events.js').TypedEventTarget<{ change: {} }>} */ (EventTarget);

/**
 * Our microphone, camera and screen: opens what there is, knows what is missing and why, lets go of what is off.
 * `change` comes after each change of `state`, `problems` or a track. Nothing but `open` rejects.
 */
export class LocalMedia extends Base {
  /** What microphone and camera give now: for the own preview, which has to be muted. @readonly */
  stream = new MediaStream();
  /** What is captured of the screen. @readonly */
  screen = new MediaStream();
  /**
   * What is sent. Microphone and camera have their place from the moment they are first asked for, had or not: nobody
   * negotiates when they come and go.
   *
   * @readonly @type {Set<Slot>}
   */
  slots = new Set();
  /** At most one for each kind; it goes when the kind is switched again. @type {readonly Problem[]} */
  problems = [];

  #devices = { audio: this.#device('audio', true), video: this.#device('video', CAMERA) };
  /** The screen, in the place of the camera. @type {MediaStreamTrack | null} */
  #instead = null;
  #shares = 0;
  #closed = false;
  /** One question to the user at a time. */
  #queue = Promise.resolve();

  /**
   * Asks for both with one question, and for each alone where that can help. Resolves also if there is nothing to be
   * had: see `problems`. Rejects with a SignalingError: `aborted`.
   *
   * @param {{ audio?: boolean | MediaTrackConstraints, video?: boolean | MediaTrackConstraints, signal?: AbortSignal }} [options]
   *   `true`: the browser's choice of microphone, a camera at moderate 960x540; `signal` closes them, also later
   * @returns {Promise<LocalMedia>}
   */
  static async open({ signal, ...options } = {}) {
    if (signal?.aborted) throw aborted(signal);
    const media = new LocalMedia();
    for (const kind of KINDS) {
      const constraints = options[kind];
      if (!constraints) continue;
      if (constraints !== true) media.#devices[kind].constraints = constraints;
      media.setEnabled(kind, true);
    }
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => {
        media.close();
        reject(aborted(signal));
      });
      media.#queue.then(() => resolve(media));
    });
  }

  /** What the others are told. `video`: something is sent in the place of the camera, be it the screen. */
  get state() {
    const { audio, video } = this.#devices;
    return {
      audio: audio.track?.enabled ?? false,
      video: video.track?.enabled ?? false,
      screen: this.screen.getTracks().length > 0,
    };
  }

  /**
   * A camera that is off is closed: its light goes out. A microphone stays open and sends silence. Resolves when that is
   * done or known to be impossible; of several calls the last one counts.
   *
   * @param {Kind} kind
   * @param {boolean} on
   */
  setEnabled(kind, on) {
    const device = this.#devices[kind];
    device.wanted = on && !this.#closed;
    this.#report(kind);
    this.#put(kind, device.source ?? device.own);
    this.#changed();
    return this.#enqueue(() => this.#open());
  }

  /**
   * Another microphone or camera. One that is off stays off, and is this one when it comes on. If the new one does not
   * open, the old one goes on and `problems` says why.
   *
   * @param {Kind} kind
   * @param {string} deviceId
   */
  switchDevice(kind, deviceId) {
    return this.#enqueue(() => this.#switch(kind, deviceId));
  }

  /**
   * A track of the application (a canvas, an effect) instead of the device, which is closed. The application stops it,
   * we never do. What is off stays off: see `setEnabled`.
   *
   * @param {Kind} kind
   * @param {MediaStreamTrack | null} track of that kind; `null`: the device again
   */
  replaceTrack(kind, track) {
    this.#put(kind, track);
    this.#devices[kind].own = track;
    this.#changed();
    return this.#enqueue(() => this.#open());
  }

  /**
   * Lets the user choose what to show; browsers want a click for each call. The screen goes beside the camera, in a
   * stream of its own, or `instead` of it; its sound, if the user and the browser give it, always beside the microphone.
   *
   * @param {{ audio?: boolean, instead?: boolean }} [options]
   * @returns {Promise<boolean>} false: the user said no, `stopScreen` came first, or see `problems`
   */
  async shareScreen({ audio = false, instead = false } = {}) {
    if (this.#closed) return false;
    const share = ++this.#shares;
    let wanted = false;
    this.#report('screen');
    try {
      const shared = await navigator.mediaDevices.getDisplayMedia({ video: true, audio });
      wanted = share === this.#shares;
      if (wanted) this.#dropScreen();
      for (const track of shared.getTracks()) {
        if (wanted) this.#addScreen(track, instead);
        else track.stop();
      }
    } catch (/** @type {any} */ error) {
      if (error.name !== 'NotAllowedError') this.#report('screen', error);
    }
    this.#changed();
    return wanted;
  }

  stopScreen() {
    this.#dropScreen();
    this.#changed();
  }

  /** Stops every track that we opened, for good. */
  close() {
    this.#closed = true;
    this.#dropScreen();
    for (const kind of KINDS) {
      this.#devices[kind].wanted = false;
      this.#put(kind, null);
    }
    this.#changed();
  }

  // ---- One task after the other

  /** @param {() => Promise<void>} task never rejects */
  #enqueue(task) {
    return (this.#queue = this.#queue.then(task));
  }

  /** @param {Kind[]} kinds */
  async #open(kinds = KINDS) {
    const lacking = kinds.filter((kind) => this.#lacks(kind));
    if (lacking.length === 0) return;
    try {
      for (const track of await this.#capture(lacking)) {
        const kind = /** @type {Kind} */ (track.kind);
        const device = this.#devices[kind];
        device.id = track.getSettings().deviceId;
        if (!device.source) this.#put(kind, track);
        if (device.source !== track) track.stop(); // Switched off or replaced meanwhile.
      }
    } catch (/** @type {any} */ error) {
      for (const kind of lacking) {
        const again = lacking.length > 1 ? await mayWorkAlone(kind, error) : this.#forget(kind, error);
        if (again) await this.#open([kind]);
        else if (this.#lacks(kind)) this.#fail(kind, error);
      }
    }
    this.#changed();
  }

  /** @param {Kind} kind @param {string} id */
  async #switch(kind, id) {
    const device = this.#devices[kind];
    this.#report(kind);
    try {
      if (device.source) {
        const capture = () => this.#capture([kind], id);
        const [track] = await capture().catch((error) => {
          if (error.name !== 'NotReadableError') throw error;
          this.#put(kind, null); // Some phones have one camera open at a time.
          return capture();
        });
        this.#put(kind, track);
        if (device.source !== track) track?.stop();
        device.own = null;
      }
      device.id = id;
    } catch (error) {
      this.#put(kind, device.source ?? device.own);
      await this.#open();
      this.#report(kind, error);
    }
    this.#changed();
  }

  // ---- Tracks

  /** @param {Kind} kind @param {boolean | MediaTrackConstraints} constraints @returns {Device} */
  #device(kind, constraints) {
    const last = /** @type {any} */ (null);
    return { kind, track: null, last, stream: this.stream, wanted: false, source: null, own: null, constraints };
  }

  /** @param {Kind} kind */
  #lacks(kind) {
    const { wanted, source } = this.#devices[kind];
    return wanted && !source;
  }

  /** The device that it was may be gone; any other will do. @param {Kind} kind @param {Error} error */
  #forget(kind, { name }) {
    const device = this.#devices[kind];
    if (name !== 'OverconstrainedError' || !device.id) return false;
    device.id = '';
    return true;
  }

  /** @param {Kind[]} kinds @param {string} [deviceId] */
  async #capture(kinds, deviceId) {
    const constraints = kinds.map((kind) => {
      const { constraints, id } = this.#devices[kind];
      const exact = deviceId ?? id; // Otherwise Chromium may prefer another camera for its frame rate.
      return [kind, exact ? { .../** @type {object} */ (constraints), deviceId: { exact } } : constraints];
    });
    return (await navigator.mediaDevices.getUserMedia(Object.fromEntries(constraints))).getTracks();
  }

  /**
   * In the place of what was there, which is stopped if we opened it. What is off takes nothing, but an open microphone
   * may be replaced by another that is as silent.
   *
   * @param {Kind} kind
   * @param {MediaStreamTrack | null} [track]
   */
  #put(kind, track) {
    const device = this.#devices[kind];
    const { source: old, own, wanted } = device;
    const next = ((wanted || (old && kind === 'audio')) && track) || null;
    if (next) next.enabled = wanted;
    if (next === old) return;
    if (old) this.stream.removeTrack(old);
    if (old !== own) old?.stop();
    device.source = next;
    if (!next) return;
    this.stream.addTrack(next);
    next.addEventListener('ended', () => {
      if (device.source !== next) return;
      this.#put(kind, null);
      device.own = null;
      this.#fail(kind, { name: 'Unplugged' });
      this.#changed();
    });
  }

  /** @param {MediaStreamTrack} track @param {boolean} instead */
  #addScreen(track, instead) {
    const kind = /** @type {Kind} */ (track.kind);
    track.onended = () => kind === 'video' && this.stopScreen();
    this.screen.addTrack(track);
    if (instead && kind === 'video') this.#instead = track;
    else this.slots.add({ kind, track, last: track, stream: this.screen });
  }

  #dropScreen() {
    this.#shares++;
    this.#instead = null;
    for (const track of this.screen.getTracks()) {
      track.stop();
      this.screen.removeTrack(track);
    }
    for (const slot of this.slots) if (slot.stream === this.screen) this.slots.delete(slot);
  }

  /** @param {Kind} kind @param {unknown} error */
  #fail(kind, error) {
    this.#devices[kind].wanted = false;
    this.#report(kind, error);
  }

  /** @param {Problem['kind']} kind @param {any} [error] none: there is no problem any more */
  #report(kind, error) {
    const others = this.problems.filter((problem) => problem.kind !== kind);
    this.problems = error ? [...others, { kind, name: navigator.mediaDevices ? error.name : 'InsecureContext' }] : others;
  }

  #changed() {
    const { audio, video } = this.#devices;
    audio.track = audio.source;
    video.track = this.#instead ?? video.source;
    for (const device of [audio, video]) {
      device.last = device.track ?? device.last;
      if (device.wanted || device.track) this.slots.add(device);
    }
    emit(this, 'change');
  }
}

/**
 * Whoever has just said no is not asked again. But the other one may be forbidden for good.
 *
 * @param {Kind} kind
 * @param {Error} error
 */
async function mayWorkAlone(kind, { name }) {
  if (name !== 'NotAllowedError') return true;
  const other = /** @type {any} */ (kind === 'video' ? 'microphone' : 'camera');
  // Not every browser tells.
  return navigator.permissions?.query({ name: other }).then(({ state }) => state === 'denied', () => false);
}
