// A room for two: the first waits for the second, and a third waits for a seat.

import { $, onClick } from '../shared/dom.js';
import { readName } from '../shared/people.js';
import { joinRoom, RoomPage } from '../shared/room-page.js';
import { Knocking } from './knocking.js';

const knocking = new Knocking($('full'));
const page = new RoomPage({ title: 'A room for two', screens: ['lobby', 'full', 'call', 'left'], join: takeSeat });

page.addEventListener('call', () => {
  const { channel, signal } = page;
  showAlone('You are the first here', 'Waiting for the other. Send them this link:');
  channel.addEventListener('peer', () => { $('swap').hidden = false; }, { signal });
  channel.addEventListener('peerleave', ({ peer, reason }) => {
    if (reason === 'lost') showAlone('Meeting again…', 'The server has forgotten you both. The link is still the same:');
    else showAlone(`${readName(peer.userdata)} has left`, 'You are first now. The next who opens this link comes in:');
  }, { signal });
});
onClick('#swap', () => swap(!isSwapped()));
$('tiles').addEventListener('click', ({ target }) => {
  const tile = target.closest('.tile');
  const isSmall = tile?.matches('[data-self]') !== isSwapped();
  if (tile && isSmall && !$('swap').hidden) swap(!isSwapped());
});
page.showLobby();

/** Resolves with the channel as soon as there is a seat. @type {typeof joinRoom} */
async function takeSeat(client, options) {
  for (;;) {
    try {
      return await joinRoom(client, options);
    } catch (error) {
      if (error.code !== 'channel_full') throw error;
    }
    if (page.screen !== 'full') page.show('full', options.room);
    await knocking.next(options);
  }
}

/** What is in the place of the other while there is none. @param {string} title @param {string} text */
function showAlone(title, text) {
  $('alone-title').textContent = title;
  $('alone-text').textContent = text;
  $('swap').hidden = true;
  swap(false);
}

/** @param {boolean} on the own picture is the large one */
function swap(on) {
  $('tiles').classList.toggle('swapped', on);
  $('swap').setAttribute('aria-pressed', String(on));
}

function isSwapped() {
  return $('tiles').classList.contains('swapped');
}
