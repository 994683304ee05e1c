// The group call: the card to join, the call in a room, the leave screen.

import { RoomPage } from '../shared/room-page.js';

new RoomPage({ title: 'Group call' }).showLobby();
