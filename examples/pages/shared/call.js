// A call in one channel: what comes from the channel, and from the own devices, goes to the tiles.

import { OwnTile } from './own-tile.js';
import { readName } from './people.js';
import { watchSpeakers } from './speaking.js';

/** Of peers who do not say what is on, everything that comes is shown. */
const UNTOLD = { audio: true, video: true, screen: true };

/**
 * Fires `people` when their number changes, `show` (with `peer` and `tile`) whenever the tile of a peer is brought in
 * line with its userdata, and `end` (with the `code` of the error) when the server has ended it.
 */
export class Call extends EventTarget {
  #tiles;
  #status;
  #shows;
  /** The ids of those who have a tile. @type {Set<string>} */ #shown = new Set();
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

    this.#listen(channel, 'close', ({ error }) => this.#end(error));
    this.#listen(channel, 'peer', ({ peer, initial }) => this.#greet(peer, initial));
    this.#listen(channel, 'peerleave', ({ peer }) => this.#part(peer));
    this.#listen(channel, 'userdata', ({ peer }) => this.#show(peer));
    this.#listen(channel, 'mediastate', ({ peer }) => this.#show(peer));
    this.#listen(channel, 'track', (event) => this.#receive(event));
    this.#listen(channel, 'quality', (quality) => tiles.get(quality.peer.id)?.setQuality(quality));
    watchSpeakers(channel.peers, tiles, this.#over.signal);
  }

  /** How many tiles there are, the own one included. */
  get people() {
    return this.#tiles.size;
  }

  /** Takes everybody off the screen. */
  close() {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#own?.close();
    for (const id of this.#shown) this.#tiles.remove(id);
  }

  #greet(peer, initial) {
    if (!this.#shows(peer)) return;
    this.#shown.add(peer.id);
    const tile = this.#tiles.add(peer.id);
    tile.setState(peer.state);
    this.#listen(peer, 'state', () => tile.setState(peer.state));
    this.#show(peer);
    this.#countPeople();
    this.#status?.say(initial ? `${this.people} people are in the call` : `${readName(peer.userdata)} joined`);
  }

  #part(peer) {
    if (!this.#shown.delete(peer.id)) return;
    this.#tiles.remove(peer.id);
    this.#status?.say(`${readName(peer.userdata)} left`);
    this.#countPeople();
  }

  #countPeople() {
    this.dispatchEvent(new Event('people'));
  }

  #end(error) {
    this.close();
    if (error) this.dispatchEvent(Object.assign(new Event('end'), { code: error.code }));
  }

  #receive({ peer, track, source, streams: [stream] }) {
    if (source !== 'screen') {
      this.#tiles.get(peer.id)?.setTrack(track);
      return;
    }
    this.#screens.set(peer, stream);
    this.#listen(stream, 'removetrack', () => this.#show(peer));
    this.#show(peer);
  }

  /** Brings the tiles of a peer in line with what it says. */
  #show(peer) {
    const tile = this.#tiles.get(peer.id);
    if (!tile) return;
    const name = readName(peer.userdata);
    const state = peer.mediaState ?? UNTOLD;
    tile.setName(name);
    tile.setMedia(state);
    this.#tiles.showScreen(peer.id, name, state.screen ? this.#screens.get(peer) : undefined);
    this.dispatchEvent(Object.assign(new Event('show'), { peer, tile }));
  }

  #listen(target, type, listener) {
    target.addEventListener(type, listener, { signal: this.#over.signal });
  }
}
