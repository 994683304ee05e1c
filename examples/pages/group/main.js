// The group call: join any number of rooms over one connection to the server, look at one, and hear them all.

import { $ } from '../shared/dom.js';
import { Panels } from '../shared/panels.js';
import { RoomPage } from '../shared/room-page.js';
import { Rooms } from './rooms.js';

const page = new RoomPage({ title: 'Group call' });
const panels = new Panels(['call-header', 'screens', 'tiles', 'unblock', 'bar'].map($)); // not the status line
const rooms = new Rooms(page, panels);

page.addEventListener('call', () => rooms.start());
page.showLobby();
