// One stranger after the other: search, talk, and search again when one of the two goes on.

/** So long one can see that the stranger has left, and stop, before the next search. */
const PAUSE_MS = 3000;

/**
 * Fires `search` when one begins, `waiting` (with `waiting`: how many wait in the pool, ourselves included), `meet` (with
 * the `channel` in which the stranger is), `gone` (with the `peer`) when the stranger has left, and `end` (with the `code`
 * of the error) when there is no way to go on.
 */
export class Search extends EventTarget {
  #client;
  #pool;
  #options;
  #isSearching = false;
  /** Where the stranger is, or was. @type {import('/client.js').Channel | null} */ #channel = null;
  #pause = 0;

  /**
   * @param {import('/client.js').Client} client closing it ends the search, and the talk
   * @param {string} pool
   * @param {{ userdata: object, media: import('/client.js').LocalMedia }} options
   */
  constructor(client, pool, options) {
    super();
    this.#client = client;
    this.#pool = pool;
    this.#options = options;
    client.signaling.addEventListener('waiting', ({ message }) => this.#tell('waiting', { waiting: message.waiting }));
    client.addEventListener('state', ({ state, error }) => state === 'closed' && this.#end(error));
  }

  /** Looks for somebody. The talk that there is ends at once, by the same message. */
  next() {
    if (this.#isSearching) return;
    this.#isSearching = true;
    clearTimeout(this.#pause);
    this.#tell('search');
    const found = this.#channel ? this.#channel.next() : this.#client.match(this.#pool, this.#options);
    this.#channel = null;
    found.then((channel) => this.#meet(channel), (error) => this.#end(error));
  }

  /** @param {import('/client.js').Channel} channel */
  #meet(channel) {
    this.#isSearching = false;
    this.#channel = channel;
    channel.addEventListener('peerleave', ({ peer, reason }) => reason !== 'left' && this.#part(peer));
    channel.addEventListener('close', ({ error }) => error && this.#lose(channel));
    this.#tell('meet', { channel });
  }

  #part(peer) {
    this.#pause = window.setTimeout(() => this.next(), PAUSE_MS);
    this.#tell('gone', { peer });
  }

  /** The server has forgotten it, so there is nothing to leave. */
  #lose(channel) {
    if (this.#channel === channel) this.#channel = null;
  }

  #end(error) {
    clearTimeout(this.#pause);
    if (error) this.#tell('end', { code: error.code });
  }

  /** @param {string} type @param {object} [fields] */
  #tell(type, fields) {
    this.dispatchEvent(Object.assign(new Event(type), fields));
  }
}
