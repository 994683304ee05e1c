// What every page with a call is put together from: devices, tiles, status line, the card before the call, its screens.

import { Devices } from './devices.js';
import { $, onClick } from './dom.js';
import { Lobby } from './lobby.js';
import { cleanText } from './people.js';
import { loadPreferences } from './preferences.js';
import { explain } from './problems.js';
import { bindShare } from './share.js';
import { bindShortcuts } from './shortcuts.js';
import { Status } from './status.js';
import { showSystems } from './systems.js';
import { Tiles } from './tiles.js';
import { bindToggles } from './toggles.js';

export class Page extends EventTarget {
  devices = new Devices();
  status = new Status($('status'));
  tiles = new Tiles({ list: $('tiles'), screens: $('screens'), template: $('tile-template'), whenAlone: $('alone') });
  /** Which of the screens is shown. */
  screen = '';
  #title;
  #screens;

  /**
   * @param {{ title: string, screens?: string[], name?: string, onjoin: () => void }} options
   *   `screens`: ids of sections, of which one is shown at a time; the first is the card that `onjoin` is called from;
   *   `name`: what stands on it, or else that of the last visit
   */
  constructor({ title, screens = ['lobby', 'call', 'left'], name = cleanText(loadPreferences().name), onjoin }) {
    super();
    this.#title = title;
    this.#screens = screens;
    this.lobby = new Lobby($(screens[0]), this.devices, { name, onjoin, onretry: () => this.devices.open() });

    bindToggles(this.devices, () => this.#remember());
    bindShortcuts();
    bindShare($('share'), this.devices, () => this.status.say('Your screen cannot be shared here'));
    this.tiles.onblocked = () => { $('unblock').hidden = false; };
    onClick('#unblock', () => this.#hearOthers());
    if ($('others')) showSystems($('others'));
  }

  /** Shows this screen instead of the others, and moves the focus to its heading. @param {string} id @param {string} [place] for the title of the window */
  show(id, place) {
    this.screen = id;
    for (const other of this.#screens) $(other).hidden = other !== id;
    this.place = place;
    if (id !== 'call') $('unblock').hidden = true;
    const isFirst = id === this.#screens[0];
    if (document.activeElement !== document.body || !isFirst) $(`${id}-title`).focus({ preventScroll: true });
  }

  /** What stands before the title of the window. @param {string | undefined} place */
  set place(place) {
    document.title = place ? `${place} · ${this.#title}` : this.#title;
  }

  #remember() {
    this.devices.remember();
    const problem = explain(this.devices.problems);
    if (problem && this.screen !== this.#screens[0]) this.status.say(problem);
  }

  #hearOthers() {
    $('unblock').hidden = true;
    $('call-title').focus({ preventScroll: true });
    this.tiles.playAll();
  }
}
