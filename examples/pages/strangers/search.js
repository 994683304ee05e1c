// One talk after the other: search, talk, and search again when somebody goes on.

/** So long one can see that nobody is left, and stop, before the next search. */
const PAUSE_MS = 3000;

/**
 * Fires `search` when one begins, `waiting` (with `waiting`: how many wait in the pool, ourselves included), `meet` (with
 * the `channel` in which the strangers are), `gone` when the last of them has left (with the `peer`, if it was one that left),
 * and `end` (with the `code` of the error) when there is no way to go on.
 */
export class Search extends EventTarget {
  #client;
  #pool;
  #options;
  #isSearching = false;
  /** Where the strangers are, or were. @type {import('/client.js').Channel | null} */ #channel = null;
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
    this.#endPause();
    this.#tell('search');
    const found = this.#channel ? this.#channel.next() : this.#client.match(this.#pool, this.#options);
    this.#channel = null;
    found.then((channel) => this.#meet(channel), (error) => this.#end(error));
  }

  /** @param {import('/client.js').Channel} channel */
  #meet(channel) {
    this.#isSearching = false;
    this.#channel = channel;
    channel.addEventListener('peerleave', ({ peer, reason }) => {
      if (reason !== 'left' && channel.peers.size === 0) this.#part(channel, peer);
    });
    channel.addEventListener('close', ({ error }) => error && this.#part(channel));
    this.#tell('meet', { channel });
  }

  /** @param {import('/client.js').Channel} channel @param {import('/client.js').Peer} [peer] none: we were taken out of it */
  #part(channel, peer) {
    if (this.#channel !== channel || this.#pause || this.#client.state === 'closed') return;
    this.#pause = window.setTimeout(() => this.next(), PAUSE_MS);
    this.#tell('gone', { peer });
  }

  #endPause() {
    clearTimeout(this.#pause);
    this.#pause = 0;
  }

  #end(error) {
    this.#endPause();
    if (error) this.#tell('end', { code: error.code });
  }

  /** @param {string} type @param {object} [fields] */
  #tell(type, fields) {
    this.dispatchEvent(Object.assign(new Event(type), fields));
  }
}
