import { Timer } from './clock.js';
import { SignalingError } from './errors.js';

const TIMEOUT = 20_000;

/** Requests that wait for an answer, each for a while. */
export class Requests {
  #clock;
  /** @type {Map<number, { resolve: (message: any) => void, reject: (error: SignalingError) => void }>} */
  #waiting = new Map();
  #lastId = 0;

  /** @param {import('./clock.js').Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /**
   * @param {(id: number) => void} send may throw, and so refuse the request
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>} the answer
   */
  async open(send, signal) {
    if (signal?.aborted) throw aborted(signal);
    const id = ++this.#lastId;
    send(id);
    const timer = new Timer(this.#clock);
    const over = new AbortController();
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        timer.set(TIMEOUT, () => reject(new SignalingError('timeout', 'no answer from the server')));
        signal?.addEventListener('abort', () => reject(aborted(signal)), { signal: over.signal });
      });
    } finally {
      this.#waiting.delete(id);
      timer.clear();
      over.abort();
    }
  }

  /** @param {any} frame @returns {boolean} whether it answers a request, even one that was given up */
  settle(frame) {
    const request = this.#waiting.get(frame?.id);
    if (frame?.type === 'error') request?.reject(new SignalingError(frame.code, frame.message));
    else request?.resolve(frame);
    return frame?.id !== undefined;
  }

  /** @param {SignalingError} error */
  rejectAll(error) {
    for (const { reject } of this.#waiting.values()) reject(error);
  }
}

/** @param {AbortSignal} signal */
export function aborted(signal) {
  return new SignalingError('aborted', String(signal.reason?.message ?? 'aborted'));
}
