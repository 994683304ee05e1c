// The camera and the microphone of this page: opens what there is, knows what is missing and why, lets go of what is switched off.

/** @typedef {'audio' | 'video'} Kind */

/** @type {Kind[]} */
export const KINDS = ['audio', 'video'];

const CONSTRAINTS = {
  audio: true,
  video: { width: { ideal: 960 }, height: { ideal: 540 }, frameRate: { ideal: 24 }, facingMode: 'user' },
};

/** Fires `change` whenever a track comes or goes, is muted, or cannot be had. */
export class LocalMedia extends EventTarget {
  /** @type {MediaStreamTrack | null} */ audio = null;
  /** @type {MediaStreamTrack | null} */ video = null;
  /** Why a device cannot be had: the name of the browser's error. @type {Partial<Record<Kind, string>>} */ problems = {};
  /** True while the browser may be asking for permission. */ opening = false;
  #wanted = { audio: false, video: false };
  #queue = Promise.resolve();

  /** @param {Kind} kind */
  isOn(kind) {
    return this[kind] !== null && this.#wanted[kind];
  }

  /** All open tracks. */
  stream() {
    return new MediaStream(KINDS.map((kind) => this[kind]).filter((track) => track !== null));
  }

  /**
   * Switches on or off. Resolves when that is done or known to be impossible; never rejects.
   * A camera that is off is closed (its light goes out); a microphone stays open and sends silence.
   * @param {Partial<Record<Kind, boolean>>} wanted
   */
  set(wanted) {
    Object.assign(this.#wanted, wanted);
    for (const kind of KINDS) if (kind in wanted) delete this.problems[kind];
    if (!this.#wanted.video) this.#close('video');
    if (this.audio) this.audio.enabled = this.#wanted.audio;
    this.#changed();
    this.#queue = this.#queue.then(() => this.#open());
    return this.#queue;
  }

  /** Turns round what was asked for last, also while the device is still opening. @param {Kind} kind */
  toggle(kind) {
    return this.set({ [kind]: !this.#wanted[kind] });
  }

  /** Closes both devices. */
  stop() {
    const done = this.set({ audio: false, video: false });
    this.#close('audio');
    this.#changed();
    return done;
  }

  async #open() {
    const kinds = KINDS.filter((kind) => this.#wanted[kind] && this[kind] === null);
    if (kinds.length === 0) return;
    this.opening = true;
    this.#changed();
    await this.#openTogether(kinds);
    this.opening = false;
    this.#changed();
  }

  /** One question to the user for both; each alone only where that can help. @param {Kind[]} kinds */
  async #openTogether(kinds) {
    try {
      this.#adopt(await getUserMedia(kinds));
    } catch (error) {
      for (const kind of kinds) {
        if (kinds.length > 1 && (await mayWorkAlone(kind, error))) await this.#openTogether([kind]);
        else this.#fail(kind, error.name);
      }
    }
  }

  /** @param {MediaStream} stream */
  #adopt(stream) {
    for (const track of stream.getTracks()) {
      const kind = /** @type {Kind} */ (track.kind);
      if (!this.#wanted[kind]) {
        track.stop();
        continue;
      }
      this[kind] = track;
      track.addEventListener('ended', () => {
        if (this[kind] !== track) return;
        this.#close(kind);
        this.#fail(kind, 'Unplugged');
        this.#changed();
      });
    }
  }

  /** @param {Kind} kind @param {string} problem */
  #fail(kind, problem) {
    this.#wanted[kind] = false;
    this.problems[kind] = problem;
  }

  /** @param {Kind} kind */
  #close(kind) {
    this[kind]?.stop();
    this[kind] = null;
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/** @param {Kind[]} kinds */
async function getUserMedia(kinds) {
  if (!navigator.mediaDevices) throw new DOMException('not a secure context', 'InsecureContext');
  return navigator.mediaDevices.getUserMedia(Object.fromEntries(kinds.map((kind) => [kind, CONSTRAINTS[kind]])));
}

/** Whoever has just said no is not asked again. @param {Kind} kind @param {DOMException} error */
async function mayWorkAlone(kind, error) {
  if (error.name === 'InsecureContext') return false;
  if (error.name !== 'NotAllowedError') return true;
  const [camera, microphone] = await Promise.all(['camera', 'microphone'].map(permission));
  const [own, other] = kind === 'video' ? [camera, microphone] : [microphone, camera];
  return own === 'granted' || (own === 'prompt' && other === 'denied');
}

/** @param {string} name */
async function permission(name) {
  try {
    return (await navigator.permissions.query({ name: /** @type {PermissionName} */ (name) })).state;
  } catch {
    return 'prompt';
  }
}

const DEVICES = { audio: 'microphone', video: 'camera' };

/**
 * Why devices are missing, in words for the user; empty when nothing is.
 * @param {LocalMedia['problems']} problems
 */
export function explain({ audio, video }) {
  if (audio && audio === video) return reason(audio, 'camera or microphone');
  return [video && reason(video, DEVICES.video), audio && reason(audio, DEVICES.audio)].filter(Boolean).join(' ');
}

/** @param {string} problem @param {string} device */
function reason(problem, device) {
  switch (problem) {
    case 'NotFoundError': return `No ${device} found.`;
    case 'NotAllowedError': return `This page may not use your ${device}. Allow it next to the address bar, then try again.`;
    case 'NotReadableError':
    case 'AbortError': return `Your ${device} is in use by another app or does not start.`;
    case 'Unplugged': return `Your ${device} was disconnected.`;
    case 'InsecureContext': return `Browsers give out the ${device} only to pages on https or localhost.`;
    default: return `Your ${device} does not work here.`;
  }
}
