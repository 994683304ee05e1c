// The grid of tiles: keyed by peer id, sized so that all of them fill the space as well as they can.

import { Tile } from './tile.js';

const GAP = 10;
const WIDEST = 16 / 9;
const NARROWEST = { portrait: 3 / 5, landscape: 5 / 4 };
const SMALLEST_WIDTH = 140;

export class Tiles {
  #list;
  #template;
  #whenAlone;
  /** @type {Map<string, Tile>} */ #tiles = new Map();
  /** The browser refuses to play sound: set to be told. */
  onblocked = () => {};

  /** @param {{ list: HTMLElement, template: HTMLTemplateElement, whenAlone: HTMLElement }} elements */
  constructor({ list, template, whenAlone }) {
    this.#list = list;
    this.#template = template;
    this.#whenAlone = whenAlone;
    new ResizeObserver(() => this.#layout()).observe(list);
  }

  get size() {
    return this.#tiles.size;
  }

  /** @param {string} id */
  get(id) {
    return this.#tiles.get(id);
  }

  /** The tile of this peer, the one that is there or a new one. @param {string} id @param {{ self?: boolean }} [options] */
  add(id, { self = false } = {}) {
    let tile = this.#tiles.get(id);
    if (!tile) {
      tile = new Tile(this.#template, { id, self, onblocked: () => this.onblocked() });
      this.#tiles.set(id, tile);
      this.#list.append(tile.element);
      this.#layout();
    }
    return tile;
  }

  /** @param {string} id */
  remove(id) {
    this.#tiles.get(id)?.remove();
    this.#tiles.delete(id);
    this.#layout();
  }

  /** @param {string} from @param {string} to */
  rename(from, to) {
    const tile = this.#tiles.get(from);
    if (!tile || from === to) return;
    this.#tiles.delete(from);
    this.#tiles.set(to, tile);
    tile.id = to;
  }

  clear() {
    for (const id of [...this.#tiles.keys()]) this.remove(id);
  }

  /** Call it from a click. */
  playAll() {
    for (const tile of this.#tiles.values()) tile.play();
  }

  #layout() {
    this.#whenAlone.hidden = this.size > 1;
    const count = [...this.#list.children].filter((item) => !item.hidden).length;
    const { width, height } = bestFit(count, this.#list.clientWidth, this.#list.clientHeight);
    this.#list.style.setProperty('--tile-width', `${width}px`);
    this.#list.style.setProperty('--tile-height', `${height}px`);
  }
}

/**
 * The largest tile of which `count` fit into the space; below the smallest width the list scrolls instead.
 * @param {number} count @param {number} width @param {number} height
 */
function bestFit(count, width, height) {
  const narrowest = width < height ? NARROWEST.portrait : NARROWEST.landscape;
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
