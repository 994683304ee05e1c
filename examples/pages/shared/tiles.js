// The tiles of people, and beside them those of shared screens: keyed by peer id, as large as the space allows.

import { Tile } from './tile.js';

const GAP = 10;
const WIDEST = 16 / 9;
const NARROWEST = { portrait: 3 / 5, landscape: 5 / 4, screen: 16 / 10 };
const SMALLEST_WIDTH = 140;
/** One above the other, screens leave this to the people. */
const SCREENS_SHARE = 0.6;

export class Tiles {
  #list;
  #screenList;
  #template;
  #whenAlone;
  /** @type {Map<string, Tile>} */ #tiles = new Map();
  /** @type {Map<string, Tile>} */ #screens = new Map();
  #speaker = '';
  /** The browser refuses to play sound: set to be told. */
  onblocked = () => {};

  /**
   * @param {{ list: HTMLElement, screens: HTMLElement, template: HTMLTemplateElement, whenAlone: HTMLElement | null }} elements
   *   `whenAlone`, if any, is an item of the list and shown while there is nobody else
   */
  constructor({ list, screens, template, whenAlone }) {
    this.#list = list;
    this.#screenList = screens;
    this.#template = template;
    this.#whenAlone = whenAlone;
    const observer = new ResizeObserver(() => this.#layout());
    for (const element of [list, list.parentElement]) observer.observe(element);
  }

  /** How many are on the screen. */
  get size() {
    return visible(this.#tiles).length;
  }

  /** @param {string} id */
  get(id) {
    return this.#tiles.get(id);
  }

  /** The tile of this peer, the one that is there or a new one. @param {string} id @param {{ self?: boolean }} [options] */
  add(id, { self = false } = {}) {
    return this.#tiles.get(id) ?? this.#add(this.#tiles, this.#list, id, self);
  }

  /** The tile of what comes of this peer's screen: there while it has a picture. @param {string} id @param {string} name @param {MediaStream | undefined} stream */
  showScreen(id, name, stream) {
    const tracks = stream?.getTracks().filter(({ readyState }) => readyState === 'live') ?? [];
    if (!tracks.some(({ kind }) => kind === 'video')) {
      this.#removeScreen(id);
      return;
    }
    const tile = this.#screens.get(id) ?? this.#add(this.#screens, this.#screenList, id);
    tile.setName(`${name}’s screen`);
    tile.setMedia({ audio: true, video: true });
    for (const track of tracks) tile.setTrack(track);
  }

  /** @param {string} id */
  remove(id) {
    this.#remove(this.#tiles, id);
    this.#removeScreen(id);
  }

  /** Who is not visible is heard. @param {string} id @param {boolean} on */
  setVisible(id, on) {
    for (const tiles of [this.#tiles, this.#screens]) tiles.get(id)?.element.toggleAttribute('hidden', !on);
    this.#layout();
  }

  /** @param {string} from @param {string} to */
  rename(from, to) {
    for (const tiles of [this.#tiles, this.#screens]) {
      const tile = tiles.get(from);
      if (!tile || from === to) continue;
      tiles.delete(from);
      tiles.set(to, tile);
      tile.id = to;
    }
  }

  /** Call it from a click. */
  playAll() {
    for (const tile of this.#all()) tile.play();
  }

  /** Where the sound goes. @param {string} id of the device; empty: where the browser sends it */
  set speaker(id) {
    this.#speaker = id;
    for (const tile of this.#all()) tile.setSpeaker(id);
  }

  #all() {
    return [...this.#tiles.values(), ...this.#screens.values()];
  }

  /** @param {Map<string, Tile>} tiles @param {HTMLElement} list @param {string} id @param {boolean} [self] */
  #add(tiles, list, id, self) {
    const tile = new Tile(this.#template, { id, self, onblocked: () => this.onblocked() });
    if (this.#speaker) tile.setSpeaker(this.#speaker);
    tiles.set(id, tile);
    list.append(tile.element);
    this.#layout();
    return tile;
  }

  /** @param {string} id */
  #removeScreen(id) {
    this.#remove(this.#screens, id);
  }

  /** @param {Map<string, Tile>} tiles @param {string} id */
  #remove(tiles, id) {
    tiles.get(id)?.remove();
    if (tiles.delete(id)) this.#layout();
  }

  #layout() {
    const [people, screens] = [this.#list, this.#screenList];
    if (this.#whenAlone) this.#whenAlone.hidden = this.size > 1;
    screens.hidden = visible(this.#screens).length === 0;
    const { clientHeight: height } = people.parentElement;
    const isAbove = matchMedia('(orientation: portrait)').matches;
    fit(screens, isAbove ? height * SCREENS_SHARE : height, NARROWEST.screen);
    const narrowest = people.clientWidth < people.clientHeight ? NARROWEST.portrait : NARROWEST.landscape;
    fit(people, people.clientHeight, narrowest);
  }
}

/** @param {Map<string, Tile>} tiles */
function visible(tiles) {
  return [...tiles.values()].filter(({ element }) => !element.hidden);
}

/** @param {HTMLElement} list @param {number} height @param {number} narrowest */
function fit(list, height, narrowest) {
  const count = [...list.children].filter((item) => !item.hidden).length;
  // The browser may have rounded it up.
  const tile = bestFit(count, list.clientWidth - 1, height, narrowest);
  list.style.setProperty('--tile-width', `${tile.width}px`);
  list.style.setProperty('--tile-height', `${tile.height}px`);
}

/**
 * The largest tile of which `count` fit into the space; below the smallest width the list scrolls instead.
 * @param {number} count @param {number} width @param {number} height @param {number} narrowest width by height
 */
function bestFit(count, width, height, narrowest) {
  let best = { width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const cell = { width: (width - GAP * (columns - 1)) / columns, height: (height - GAP * (rows - 1)) / rows };
    const tile = { width: Math.min(cell.width, cell.height * WIDEST), height: Math.min(cell.height, cell.width / narrowest) };
    if (tile.width * tile.height > best.width * best.height) best = tile;
  }
  if (best.width < SMALLEST_WIDTH) best = { width: SMALLEST_WIDTH, height: SMALLEST_WIDTH / WIDEST };
  return { width: Math.floor(best.width), height: Math.floor(best.height) };
}
