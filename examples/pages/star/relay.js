// What all on a stage are told. A member reaches the host only, so the host passes on what members write: all see it in
// the same order, their own words included.

import { MAX_MESSAGE } from '../shared/chat.js';
import { cleanLines, readName } from '../shared/people.js';

/**
 * A member sends `{ text }`, the host `{ id, name, text }` of whoever wrote it, or `{ audience }`: how many are there beside it.
 * Fires `chat` with the former, and `audience` with the latter.
 */
export class Relay extends EventTarget {
  #channel;
  #stage;
  #self;

  /**
   * @param {import('/client.js').Channel} channel
   * @param {import('./stage.js').Stage} stage
   * @param {{ self: () => { id: string, name: string }, signal: AbortSignal }} options
   */
  constructor(channel, stage, { self, signal }) {
    super();
    this.#channel = channel;
    this.#stage = stage;
    this.#self = self;
    channel.addEventListener('message', ({ peer, data }) => peer && this.#receive(peer, data), { signal });
    for (const type of ['peer', 'peerleave']) channel.addEventListener(type, () => this.#count(), { signal });
    stage.addEventListener('change', () => this.#count(), { signal });
  }

  /** @param {string} text */
  write(text) {
    if (this.#stage.place === 'live') this.#tellAll({ ...this.#self(), text });
    else this.#channel.send({ text });
  }

  /** @param {import('/client.js').Peer} peer @param {any} data untrusted, as everything that comes */
  #receive(peer, data) {
    if (this.#stage.place === 'live') {
      const text = cleanLines(data?.text, MAX_MESSAGE);
      if (text) this.#tellAll({ id: peer.id, name: readName(peer.userdata), text });
    } else if (peer === this.#stage.host) {
      this.#tell(data);
    }
  }

  #count() {
    if (this.#stage.place === 'live') this.#tellAll({ audience: this.#channel.peers.size });
  }

  /** @param {object} news */
  #tellAll(news) {
    this.#channel.send(news);
    this.#tell(news);
  }

  /** @param {any} news */
  #tell(news) {
    if (Number.isInteger(news?.audience)) this.dispatchEvent(Object.assign(new Event('audience'), { size: news.audience }));
    else if (typeof news?.id === 'string') this.dispatchEvent(Object.assign(new Event('chat'), { message: news }));
  }
}
