// A call: what comes from its channels, and from the own devices, goes to the tiles. Most pages have one channel.

import { OwnTile } from './own-tile.js';
import { readName } from './people.js';
import { watchSpeakers } from './speaking.js';

/** Of peers who do not say what is on, everything that comes is shown. */
const UNTOLD = { audio: true, video: true, screen: true };

/**
 * Fires `people` when the number of those on the screen changes, `show` (with `peer` and `tile`) whenever the tile of a
 * peer is brought in line with its userdata, `speaking` (with `id` and `on`), and `end` (with the `code` of the error)
 * when the server has ended the last of its channels.
 */
export class Call extends EventTarget {
  #tiles;
  #status;
  #shows;
  /** @type {Set<import('/client.js').Channel>} */ #channels = new Set();
  /** The one whose people are on the screen. Those of the others are heard. @type {import('/client.js').Channel} */ #active;
  /** Who has a tile, by id: the same peer, as each channel introduced it. @type {Map<string, import('/client.js').Peer[]>} */ #people = new Map();
  /** What came of each peer's screen. @type {WeakMap<object, MediaStream>} */ #screens = new WeakMap();
  #own;
  #over = new AbortController();

  /**
   * @param {import('/client.js').Client} client
   * @param {import('/client.js').Channel} channel just joined or matched; leaving it is the page's business
   * @param {{ name: string, devices: import('./devices.js').Devices, tiles: import('./tiles.js').Tiles,
   *   status?: import('./status.js').Status, self?: boolean, shows?: (peer: import('/client.js').Peer) => boolean }} options
   *   `status`: is told who comes and goes; `self`: whether the call has a tile of our own; `shows`: who else has one
   */
  constructor(client, channel, { name, devices, tiles, status, self = true, shows = () => true }) {
    super();
    this.#tiles = tiles;
    this.#status = status;
    this.#shows = shows;
    this.#own = self ? new OwnTile(client, { name, devices, tiles }) : null;
    this.#active = channel;
    this.add(channel);
    watchSpeakers(() => this.#leads(), (id, on) => this.#mark(id, on), this.#over.signal);
  }

  /** How many tiles are on the screen, the own one included. */
  get people() {
    return this.#tiles.size;
  }

  /** Ours. @param {string} name */
  set name(name) {
    this.#own?.setName(name);
  }

  /** @param {import('/client.js').Channel} channel one of ours */
  set active(channel) {
    this.#active = channel;
    for (const id of this.#people.keys()) this.#show(id);
    this.#countPeople();
  }

  /** One more, just joined. Its people are heard, and seen while it is the active one. @param {import('/client.js').Channel} channel */
  add(channel) {
    this.#channels.add(channel);
    this.#listen(channel, 'close', ({ error }) => this.#drop(channel, error));
    this.#listen(channel, 'peer', ({ peer, initial }) => this.#greet(peer, channel, initial));
    this.#listen(channel, 'peerleave', ({ peer, reason }) => this.#part(peer, channel, reason));
    this.#listen(channel, 'userdata', ({ peer }) => this.#show(peer.id));
    this.#listen(channel, 'mediastate', ({ peer }) => this.#show(peer.id));
    this.#listen(channel, 'track', (event) => this.#receive(event));
    this.#listen(channel, 'quality', (quality) => this.#tiles.get(quality.peer.id)?.setQuality(quality));
  }

  /** Takes everybody off the screen. */
  close() {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#own?.close();
    for (const id of this.#people.keys()) this.#tiles.remove(id);
  }

  #greet(peer, channel, initial) {
    if (!this.#shows(peer)) return;
    this.#people.set(peer.id, [...this.#people.get(peer.id) ?? [], peer]);
    this.#tiles.add(peer.id);
    this.#listen(peer, 'state', () => this.#show(peer.id));
    this.#show(peer.id);
    this.#countPeople();
    if (channel === this.#active) this.#status?.say(initial ? `${this.people} people are in the call` : `${readName(peer.userdata)} joined`);
  }

  #part(peer, channel, reason) {
    const others = this.#people.get(peer.id)?.filter((other) => other !== peer);
    if (!others) return;
    if (others.length > 0) {
      this.#people.set(peer.id, others);
      this.#show(peer.id);
    } else {
      this.#people.delete(peer.id);
      this.#tiles.remove(peer.id);
    }
    this.#countPeople();
    if (channel === this.#active && reason !== 'lost') this.#status?.say(`${readName(peer.userdata)} left`);
  }

  #countPeople() {
    this.dispatchEvent(new Event('people'));
  }

  #drop(channel, error) {
    this.#channels.delete(channel);
    if (this.#channels.size > 0) return;
    this.close();
    if (error) this.dispatchEvent(Object.assign(new Event('end'), { code: error.code }));
  }

  #receive({ peer, track, source, streams: [stream] }) {
    if (source !== 'screen') {
      this.#tiles.get(peer.id)?.setTrack(track);
      return;
    }
    this.#screens.set(peer, stream);
    this.#listen(stream, 'removetrack', () => this.#show(peer.id));
    this.#show(peer.id);
  }

  /** Brings the tiles of a peer in line with what it says. @param {string} id */
  #show(id) {
    const tile = this.#tiles.get(id);
    const peer = this.#lead(id);
    if (!tile || !peer) return;
    const name = readName(peer.userdata);
    const state = peer.mediaState ?? UNTOLD;
    tile.setState(peer.state);
    tile.setName(name);
    tile.setMedia(state);
    this.#tiles.showScreen(id, name, state.screen ? this.#screens.get(peer) : undefined);
    this.#tiles.setVisible(id, this.#isActive(peer));
    this.dispatchEvent(Object.assign(new Event('show'), { peer, tile }));
  }

  /** @param {string} id @param {boolean} on */
  #mark(id, on) {
    this.#tiles.get(id)?.setSpeaking(on);
    this.dispatchEvent(Object.assign(new Event('speaking'), { id, on }));
  }

  /** As the active channel knows it, or else another. @param {string} id */
  #lead(id) {
    const peers = this.#people.get(id);
    return peers?.find((peer) => this.#isActive(peer)) ?? peers?.[0];
  }

  #leads() {
    return [...this.#people.keys()].map((id) => this.#lead(id));
  }

  /** @param {import('/client.js').Peer} peer */
  #isActive(peer) {
    return this.#active.peers.get(peer.id) === peer;
  }

  #listen(target, type, listener) {
    target.addEventListener(type, listener, { signal: this.#over.signal });
  }
}
