import { emit } from './events.js';
import { aborted } from './requests.js';

/**
 * @typedef {import('./senders.js').Slot} Slot
 * @typedef {'audio' | 'video'} Kind
 *
 * @typedef {object} Source
 * @property {boolean} [on] what was asked for last; none: nothing, or it was closed
 * @property {MediaStreamTrack} [source] what we opened
 * @property {MediaStreamTrack | null} [own] that of the application, instead
 * @property {MediaStreamTrack | null} [instead] the screen, in the place of both
 * @property {MediaTrackConstraints} options how to open it; `deviceId`: which it shall be, or the browser's choice
 * @property {ConstrainDOMString} [deviceId] the `deviceId` of the source
 *
 * @typedef {Slot & Source} Device
 */

/**
 * Our microphone, camera and screen: opens what there is, knows what is missing and why, lets go of what is off.
 * `change` comes after each change of `state`, `problems` or a track. Nothing but `open` rejects.
 */
export class LocalMedia extends /** @type {new () => import('./events.js').TypedEventTarget<{ change: {} }>} */ (EventTarget) {
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
  /**
   * Why something cannot be had, until it is asked for again. The name of the browser's error: `NotFoundError`,
   * `NotAllowedError`, `NotReadableError` (in use), `OverconstrainedError` (it is gone: ask again for any other),
   * `TypeError` (this browser cannot do it, or only on https and localhost), ...; or `ended`: by itself, when it was
   * unplugged or the permission taken back.
   *
   * @readonly @type {Partial<Record<Kind | 'screen', string>>}
   */
  problems = {};
  /** What the others are told. `video`: something is sent in the place of the camera, be it the screen. @readonly */
  state = { audio: false, video: false, screen: false };

  #all = ['audio', 'video'].map((kind) =>
    /** @type {Device} */ ({ kind, track: null, stream: this.stream, options: {} }));
  #devices = /** @type {Record<Kind, Device>} */ ({ audio: this.#all[0], video: this.#all[1] });
  #shares = 0;
  /** One question to the user at a time. */
  #queue = Promise.resolve();

  /**
   * Asks for both with one question, and for each alone if that fails. Resolves also if there is nothing to be had: see
   * `problems`. Rejects with a SignalingError: `aborted`.
   *
   * @param {{ audio?: boolean | MediaTrackConstraints, video?: boolean | MediaTrackConstraints, signal?: AbortSignal }} [options]
   *   `true`: what the browser gives, often 640x480; `signal` closes them, also later
   * @returns {Promise<LocalMedia>}
   */
  static async open({ signal, ...wanted } = {}) {
    if (signal?.aborted) throw aborted(signal);
    const media = new LocalMedia();
    for (const { kind, options } of media.#all) {
      Object.assign(options, wanted[kind]);
      if (wanted[kind]) media.setEnabled(kind, true);
    }
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => {
        media.close();
        reject(aborted(signal));
      });
      media.#queue.then(() => resolve(media));
    });
  }

  /**
   * A camera that is off is closed: its light goes out. A microphone stays open and sends silence, as does a track of
   * the application. Resolves when that is done or known to be impossible; of several calls the last one counts.
   *
   * @param {Kind} kind
   * @param {boolean} on
   */
  setEnabled(kind, on) {
    return this.#settle(kind, { on });
  }

  /**
   * Another microphone or camera. One that is off or replaced stays so, and is this one when it comes back. If the new
   * one does not open, the old one goes on and `problems` says why. A phone that has one camera open at a time says
   * `NotReadableError`: switch it off before.
   *
   * @param {Kind} kind
   * @param {string} deviceId
   */
  switchDevice(kind, deviceId) {
    return this.#settle(kind, {}, deviceId);
  }

  /**
   * A track of the application (a canvas, an effect) instead of the device, which is closed. The application stops it,
   * we never do. What is off stays off: see `setEnabled`.
   *
   * @param {Kind} kind
   * @param {MediaStreamTrack | null} track of that kind; `null`: the device again
   */
  replaceTrack(kind, track) {
    return this.#settle(kind, { own: track });
  }

  /**
   * Lets the user choose what to show; browsers want a click for each call. The screen goes beside the camera, in a
   * stream of its own, or `instead` of it; its sound, if the user and the browser give it, beside the microphone.
   * Resolves when the user has chosen, see `state`; `problems` has `NotAllowedError` when that was a no.
   *
   * @param {{ audio?: boolean, instead?: boolean }} [options]
   */
  async shareScreen({ audio, instead } = {}) {
    const share = ++this.#shares;
    delete this.problems.screen;
    try {
      const shared = await navigator.mediaDevices.getDisplayMedia({ video: true, audio });
      if (share !== this.#shares) return clear(shared); // Stopped, or shared again, before the user has chosen.
      this.stopScreen();
      this.state.screen = true;
      for (const track of shared.getTracks()) {
        const kind = /** @type {Kind} */ (track.kind);
        this.screen.addTrack(track);
        track.onended = () => kind === 'video' && this.stopScreen();
        if (instead && kind === 'video') this.#devices.video.instead = track;
        else this.slots.add({ kind, track, stream: this.screen });
      }
    } catch (/** @type {any} */ { name }) {
      this.problems.screen = name;
    }
    this.#changed();
  }

  stopScreen() {
    this.#shares++;
    this.state.screen = false;
    this.#devices.video.instead = null;
    clear(this.screen);
    for (const slot of this.slots) if (slot.stream === this.screen) this.slots.delete(slot);
    this.#changed();
  }

  /** Stops every track that we opened. `setEnabled` and `shareScreen` open again. */
  close() {
    for (const device of this.#all) device.on = undefined;
    this.stopScreen();
  }

  // ---- Devices

  /**
   * Opens what is lacking when it is its turn.
   *
   * @param {Kind} kind
   * @param {Partial<Source>} change
   * @param {string} [id] of another device
   */
  #settle(kind, change, id) {
    const device = Object.assign(this.#devices[kind], change);
    delete this.problems[kind];
    this.#changed();
    return (this.#queue = this.#queue.then(() => {
      if (id) {
        delete this.problems[kind]; // That of another device, which has failed in the meantime.
        device.options.deviceId = { exact: id };
      }
      return this.#open(this.#all);
    }));
  }

  /** @param {Device[]} devices */
  async #open(devices) {
    const lacking = devices.filter(({ kind, on, own, options, deviceId }) =>
      !own && !this.problems[kind] && (deviceId ? options.deviceId !== deviceId : on));
    if (!lacking[0]) return;
    /** @type {MediaStreamConstraints} */
    const wanted = {};
    for (const { kind, options } of lacking) wanted[kind] = options;
    try {
      const stream = await navigator.mediaDevices.getUserMedia(wanted);
      for (const track of stream.getTracks()) {
        const device = this.#devices[/** @type {Kind} */ (track.kind)];
        this.#drop(device);
        this.stream.addTrack(track);
        device.source = track;
        // If not exact, Chromium may prefer another camera for its frame rate, next time.
        device.options.deviceId = device.deviceId = { exact: track.getSettings().deviceId };
        track.onended = () => {
          this.#drop(device);
          this.#fail(device, 'ended');
          this.#changed();
        };
      }
    } catch (/** @type {any} */ { name }) {
      for (const device of lacking) {
        if (lacking[1]) await this.#open([device]);
        else this.#fail(device, name);
      }
    }
    this.#changed();
  }

  /** What there is goes on. If there is nothing, any device will do. @param {Device} device @param {string} name */
  #fail(device, name) {
    device.options.deviceId = device.deviceId;
    this.problems[device.kind] = name;
  }

  /** @param {Device} device */
  #drop(device) {
    device.source?.stop();
    if (device.source) this.stream.removeTrack(device.source);
    device.source = device.deviceId = undefined;
  }

  #changed() {
    for (const device of this.#all) {
      const { kind, on, own } = device;
      // Off, maybe while it was opening, or replaced.
      if (own || on === undefined || (!on && kind === 'video')) this.#drop(device);
      const track = own ?? device.source;
      if (track) track.enabled = !!on;
      device.track = device.instead ?? track ?? null;
      this.state[kind] = !!device.track?.enabled;
      if (on || device.track) this.slots.add(device);
    }
    emit(this, 'change');
  }
}

/** @param {MediaStream} stream */
function clear(stream) {
  for (const track of stream.getTracks()) {
    track.stop();
    stream.removeTrack(track);
  }
}
