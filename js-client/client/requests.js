import { SignalingError } from './errors.js';
import { REQUEST_DEADLINE } from './limits.js';
import { Timer } from './timer.js';

/** Requests that wait for an answer, each for a while. */
export class Requests {
  /** @type {Map<number, { resolve: (message: any) => void, reject: (error: SignalingError) => void }>} */
  #waiting = new Map();
  #lastId = 0;

  /**
   * @param {(id: number) => string | undefined} send returns the code of the error, if it cannot
   * @param {AbortSignal} [signal]
   * @param {() => void} [takeBack] for what the server may still grant after we gave it up
   * @returns {Promise<any>} the answer
   */
  async open(send, signal, takeBack) {
    if (signal?.aborted) throw aborted(signal);
    const id = ++this.#lastId;
    const refusal = send(id);
    if (refusal) throw new SignalingError(refusal);
    const timer = new Timer();
    const over = new AbortController();
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        const giveUp = (/** @type {SignalingError} */ error) => {
          reject(error);
          takeBack?.();
        };
        timer.set(REQUEST_DEADLINE, () => giveUp(new SignalingError('timeout')));
        signal?.addEventListener('abort', () => giveUp(aborted(signal)), { signal: over.signal });
      });
    } finally {
      this.#waiting.delete(id);
      timer.clear();
      over.abort();
    }
  }

  /** @param {any} frame which may answer a request */
  settle(frame) {
    const request = this.#waiting.get(frame.id);
    if (frame.type === 'error') request?.reject(new SignalingError(frame.code, frame.message));
    else request?.resolve(frame);
  }

  /** @param {SignalingError} error */
  rejectAll(error) {
    for (const { reject } of this.#waiting.values()) reject(error);
  }
}

/** @param {AbortSignal} signal */
export function aborted(signal) {
  return new SignalingError('aborted', signal.reason?.message);
}
