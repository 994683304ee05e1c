/**
 * An EventTarget whose events are known by name.
 *
 * @template {object} M event name -> the fields its events carry
 * @typedef {Omit<EventTarget, 'addEventListener' | 'removeEventListener'> & {
 *   addEventListener<K extends keyof M>(type: K, listener: Listener<M[K]>, options?: boolean | AddEventListenerOptions): void,
 *   removeEventListener<K extends keyof M>(type: K, listener: Listener<M[K]>, options?: boolean | EventListenerOptions): void,
 * }} TypedEventTarget
 */

/**
 * @template F
 * @typedef {((event: Event & F) => void) | { handleEvent(event: Event & F): void } | null} Listener
 */

/**
 * @param {Pick<EventTarget, 'dispatchEvent'>} target
 * @param {string} type
 * @param {object} [fields]
 */
export function emit(target, type, fields) {
  target.dispatchEvent(Object.assign(new Event(type), fields));
}
