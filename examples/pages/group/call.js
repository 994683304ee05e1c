// One stay in a room: what comes from the channel, and from the own devices, goes to the tiles.

import { connect } from '/client.js';
import { readName } from '../shared/people.js';
import { watchSpeakers } from '../shared/speaking.js';

/** Of peers who do not say what is on, everything that comes is shown. */
const UNTOLD = { audio: true, video: true, screen: true };

/** Fires `people` when their number changes, and `end` (with the `code` of the error, if any) when the server has ended it. */
export class Call extends EventTarget {
  #client;
  #name;
  #devices;
  #tiles;
  #status;
  /** What came of each peer's screen. @type {WeakMap<object, MediaStream>} */ #screens = new WeakMap();
  #self = '';
  #over = new AbortController();

  /**
   * @param {{ room: string, name: string, devices: import('../shared/devices.js').Devices,
   *   tiles: import('../shared/tiles.js').Tiles, status: import('../shared/status.js').Status }} options
   */
  static async join({ room, name, devices, tiles, status }) {
    const client = await connect(new URL('/signal', location.href), {});
    try {
      const channel = await client.join(room, { userdata: { name }, media: devices.media });
      return new Call(client, channel, { name, devices, tiles, status });
    } catch (error) {
      client.close();
      throw error;
    }
  }

  constructor(client, channel, { name, devices, tiles, status }) {
    super();
    this.#client = client;
    this.#name = name;
    this.#devices = devices;
    this.#tiles = tiles;
    this.#status = status;

    this.#listen(client, 'state', ({ error }) => this.#showSignaling(error));
    this.#listen(channel, 'close', ({ error }) => this.#end(error));
    this.#listen(channel, 'peer', ({ peer, initial }) => this.#greet(peer, initial));
    this.#listen(channel, 'peerleave', ({ peer }) => this.#part(peer));
    this.#listen(channel, 'userdata', ({ peer }) => this.#show(peer));
    this.#listen(channel, 'mediastate', ({ peer }) => this.#show(peer));
    this.#listen(channel, 'track', (event) => this.#receive(event));
    this.#listen(channel, 'quality', (quality) => this.#tiles.get(quality.peer.id)?.setQuality(quality));
    this.#listen(devices, 'change', () => this.#showSelf());

    this.#self = client.peerId;
    tiles.add(this.#self, { self: true });
    this.#showSelf();
    watchSpeakers(channel.peers, tiles, this.#over.signal);
    keepAwake(this.#over.signal);
  }

  get people() {
    return this.#tiles.size;
  }

  leave() {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#devices.media.stopScreen();
    this.#client.close();
    this.#tiles.clear();
    this.#status.keep('');
  }

  #greet(peer, initial) {
    const tile = this.#tiles.add(peer.id);
    tile.setState(peer.state);
    this.#listen(peer, 'state', () => tile.setState(peer.state));
    this.#show(peer);
    this.#countPeople();
    this.#status.say(initial ? `${this.people} people are in the call` : `${readName(peer.userdata)} joined`);
  }

  #part(peer) {
    this.#tiles.remove(peer.id);
    this.#status.say(`${readName(peer.userdata)} left`);
    this.#countPeople();
  }

  #countPeople() {
    this.dispatchEvent(new Event('people'));
  }

  #end(error) {
    this.leave();
    this.dispatchEvent(Object.assign(new Event('end'), { code: error?.code }));
  }

  #showSignaling(error) {
    if (this.#client.state === 'closed') {
      this.#end(error);
    } else if (this.#client.state === 'reconnecting') {
      this.#status.keep('Connection to the server lost. The call goes on; reconnecting…');
    } else if (this.#client.state === 'connected') {
      this.#tiles.rename(this.#self, this.#client.peerId);
      this.#self = this.#client.peerId;
      this.#status.keep('');
      this.#status.say('Connected to the server again');
    }
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
    this.#showScreen(peer.id, name, state.screen ? this.#screens.get(peer) : undefined);
  }

  /** Brings the own tiles in line with the devices. */
  #showSelf() {
    const { camera, media } = this.#devices;
    const tile = this.#tiles.get(this.#self);
    if (camera) tile?.setTrack(camera);
    else tile?.clearTrack('video');
    tile?.setName(this.#name);
    tile?.setMedia(media.state);
    this.#showScreen(this.#self, this.#name, media.screen);
  }

  /** @param {string} id @param {string} name @param {MediaStream | undefined} stream */
  #showScreen(id, name, stream) {
    const tracks = stream?.getTracks().filter(({ readyState }) => readyState === 'live') ?? [];
    if (!tracks.some(({ kind }) => kind === 'video')) {
      this.#tiles.removeScreen(id);
      return;
    }
    const tile = this.#tiles.addScreen(id);
    tile.setName(`${name}’s screen`);
    tile.setMedia({ audio: true, video: true });
    for (const track of tracks) tile.setTrack(track);
  }

  #listen(target, type, listener) {
    target.addEventListener(type, listener, { signal: this.#over.signal });
  }
}

/** Phones would go dark in the middle of the call. @param {AbortSignal} signal */
function keepAwake(signal) {
  const request = async () => {
    try {
      const lock = await navigator.wakeLock.request('screen');
      signal.addEventListener('abort', () => lock.release());
    } catch {
      // not supported, or the battery is low
    }
  };
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && request(), { signal });
  request();
}
