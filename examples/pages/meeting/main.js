// The meeting room: a call in a named room, and beside it chat, files, raised hands and the list of who is there.

import { DeviceMenu } from '../shared/device-menu.js';
import { $, onClick } from '../shared/dom.js';
import { Panels } from '../shared/panels.js';
import { randomRoom } from '../shared/room.js';
import { RoomPage } from '../shared/room-page.js';
import { startHands } from './hands.js';
import { startPeople } from './people-list.js';
import { Talk } from './talk.js';

/** Where everybody lands who brings no invite link. */
const LOBBY = 'lobby';

const page = new RoomPage({ title: 'Meeting room', anyRoom: () => LOBBY });
const panels = new Panels(['call-header', 'screens', 'tiles', 'unblock', 'bar'].map($)); // not the status line
const talk = new Talk(page, panels);
new DeviceMenu(page.devices, page.tiles);

onClick('[data-own-room]', () => { page.lobby.room = randomRoom(); });
page.addEventListener('call', () => {
  page.signal.addEventListener('abort', () => panels.close());
  const people = startPeople(page, $('people-list'));
  startHands(page, $('hand'), (raised) => {
    people.setHands(raised);
    panels.setBadge('people', raised.size);
  });
  talk.start();
});
page.showLobby();
