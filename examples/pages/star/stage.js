// Who is live on a stage, as far as a member of the star can know: by whom it was introduced to.

/** Between the host that leaves and the one that follows there are two messages, and between our join and the host, too. */
const SETTLE_MS = 300;

/**
 * Our place. `live`: we are the host; `line`: we may become it; `watching`: somebody is live; `empty`: nobody is.
 *
 * @typedef {'live' | 'line' | 'watching' | 'empty'} Place
 */

/** Fires `change` when there is another host, or another `place` for us. */
export class Stage extends EventTarget {
  /** @type {Place | null} null: not known yet */ place = null;
  /** Who is live; null if nobody is, or we are. @type {import('/client.js').Peer | null} */ host = null;
  #channel;
  #mayHost;
  #timer = 0;

  /**
   * @param {import('/client.js').Channel} channel just joined
   * @param {{ client: import('/client.js').Client, mayHost: boolean, signal: AbortSignal }} options
   */
  constructor(channel, { client, mayHost, signal }) {
    super();
    this.#channel = channel;
    this.#mayHost = mayHost;
    channel.addEventListener('peer', () => this.#look(), { signal });
    channel.addEventListener('peerleave', ({ reason }) => {
      // The server has forgotten us: who is live is known again when it has answered our join.
      if (reason === 'lost') clearTimeout(this.#timer);
      else this.#look();
    }, { signal });
    client.signaling.addEventListener('joined', ({ message }) => message.channel === channel.name && this.#look(), { signal });
    signal.addEventListener('abort', () => clearTimeout(this.#timer));
    this.#look();
  }

  /** A member knows the host alone. So who knows others is the host, and who knows nobody may be, or become it. */
  #look() {
    clearTimeout(this.#timer);
    const peers = [...this.#channel.peers.values()];
    if (peers.length > 0) this.#settle(peers.find(({ host }) => host) ?? null);
    else this.#timer = window.setTimeout(() => this.#settle(null), SETTLE_MS);
  }

  /** @param {import('/client.js').Peer | null} host */
  #settle(host) {
    const place = this.#placeUnder(host);
    if (place === this.place && host === this.host) return;
    this.place = place;
    this.host = host;
    this.dispatchEvent(new Event('change'));
  }

  /** @param {object | null} host @returns {Place} */
  #placeUnder(host) {
    if (host) return this.#mayHost ? 'line' : 'watching';
    return this.#mayHost ? 'live' : 'empty';
  }
}
