// The own tiles: what the others see and hear of us, and beside it the own screen.

export class OwnTile {
  #client;
  #name;
  #devices;
  #tiles;
  #id;
  #over = new AbortController();

  /**
   * @param {import('/client.js').Client} client
   * @param {{ name: string, devices: import('./devices.js').Devices, tiles: import('./tiles.js').Tiles }} options
   */
  constructor(client, { name, devices, tiles }) {
    this.#client = client;
    this.#name = name;
    this.#devices = devices;
    this.#tiles = tiles;
    this.#id = client.peerId;
    tiles.add(this.#id, { self: true });
    devices.addEventListener('change', () => this.#show(), this.#over);
    client.addEventListener('state', () => this.#rename(), this.#over);
    this.#show();
  }

  /** @param {string} name */
  setName(name) {
    this.#name = name;
    this.#show();
  }

  close() {
    this.#over.abort();
    this.#tiles.remove(this.#id);
  }

  /** Brings them in line with the devices. */
  #show() {
    const { camera, media } = this.#devices;
    const tile = this.#tiles.get(this.#id);
    if (camera) tile?.setTrack(camera);
    else tile?.clearTrack('video');
    tile?.setName(this.#name);
    tile?.setMedia(media.state);
    this.#tiles.showScreen(this.#id, this.#name, media.screen);
  }

  /** A server that has forgotten us gives us another id. */
  #rename() {
    this.#tiles.rename(this.#id, this.#client.peerId);
    this.#id = this.#client.peerId;
  }
}
