// One stay in a room: what comes from the channel goes to the tiles, what happens to the own devices goes to the channel.

import { connect } from '/client.js';
import { KINDS } from '../shared/media.js';
import { readPerson } from '../shared/people.js';
import { watchSpeakers } from '../shared/speaking.js';

/** Fires `people` when their number changes, and `end` (with the `code` of the error, if any) when the server has ended it. */
export class Call extends EventTarget {
  #client;
  #channel;
  #name;
  #media;
  #tiles;
  #status;
  /** What the channel sends at present. @type {Record<string, MediaStreamTrack | null>} */ #sent = {};
  /** By which track the channel knows the place of a kind, also while nothing is sent there. @type {Record<string, MediaStreamTrack | null>} */ #places = {};
  #told = '';
  #self = '';
  #over = new AbortController();

  /**
   * @param {{ room: string, name: string, media: import('../shared/media.js').LocalMedia,
   *   tiles: import('../shared/tiles.js').Tiles, status: import('../shared/status.js').Status }} options
   */
  static async join({ room, name, media, tiles, status }) {
    const client = await connect(new URL('/signal', location.href), {});
    const stream = media.stream();
    const userdata = describe(name, media);
    try {
      const channel = await client.join(room, { userdata, media: stream });
      return new Call(client, channel, { name, media, tiles, status, stream, userdata });
    } catch (error) {
      client.close();
      throw error;
    }
  }

  constructor(client, channel, { name, media, tiles, status, stream, userdata }) {
    super();
    this.#client = client;
    this.#channel = channel;
    this.#name = name;
    this.#media = media;
    this.#tiles = tiles;
    this.#status = status;
    for (const kind of KINDS) {
      this.#sent[kind] = stream.getTracks().find((track) => track.kind === kind) ?? null;
      this.#places[kind] = this.#sent[kind];
    }
    this.#told = JSON.stringify(userdata);

    this.#listen(client, 'state', ({ error }) => this.#showSignaling(error));
    this.#listen(channel, 'close', ({ error }) => this.#end(error));
    this.#listen(channel, 'peer', ({ peer, initial }) => this.#greet(peer, initial));
    this.#listen(channel, 'peerleave', ({ peer }) => this.#part(peer));
    this.#listen(channel, 'userdata', ({ peer }) => this.#tiles.get(peer.id)?.setPerson(readPerson(peer.userdata)));
    this.#listen(channel, 'track', ({ peer, track }) => this.#tiles.get(peer.id)?.setTrack(track));
    this.#listen(media, 'change', () => this.#tellMedia());

    this.#self = client.peerId;
    tiles.add(this.#self, { self: true });
    this.#tellMedia();
    watchSpeakers(channel.peers, tiles, this.#over.signal);
    keepAwake(this.#over.signal);
  }

  get people() {
    return this.#tiles.size;
  }

  leave() {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#client.close();
    this.#tiles.clear();
    this.#status.keep('');
  }

  #greet(peer, initial) {
    const person = readPerson(peer.userdata);
    const tile = this.#tiles.add(peer.id);
    tile.setPerson(person);
    tile.setState(peer.state);
    this.#listen(peer, 'state', () => tile.setState(peer.state));
    this.#countPeople();
    this.#status.say(initial ? `${this.people} people are in the call` : `${person.name} joined`);
  }

  #part(peer) {
    this.#tiles.remove(peer.id);
    this.#status.say(`${readPerson(peer.userdata).name} left`);
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

  /** Brings the own tile, the channel's tracks and what the others are told in line with the devices. */
  #tellMedia() {
    const userdata = describe(this.#name, this.#media);
    const tile = this.#tiles.get(this.#self);
    if (this.#media.video) tile?.setTrack(this.#media.video);
    else tile?.clearTrack('video');
    tile?.setPerson(userdata);

    for (const kind of KINDS) this.#send(kind, this.#media[kind]);
    if (JSON.stringify(userdata) !== this.#told) {
      this.#told = JSON.stringify(userdata);
      this.#channel.setUserdata(userdata);
    }
  }

  #send(kind, track) {
    if (track === this.#sent[kind]) return;
    const place = this.#places[kind];
    this.#sent[kind] = track;
    this.#places[kind] = track ?? place;
    if (place) this.#channel.replaceTrack(place, track);
    else this.#channel.addTrack(track, this.#media.stream());
  }

  #listen(target, type, listener) {
    target.addEventListener(type, listener, { signal: this.#over.signal });
  }
}

/** What the others are told: muting is not to be seen in the media themselves. */
function describe(name, media) {
  return { name, audio: media.isOn('audio'), video: media.isOn('video') };
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
