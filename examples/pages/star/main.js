// Broadcast: one is live, many watch, and the next in line takes over.

import { Chat } from '../shared/chat.js';
import { $ } from '../shared/dom.js';
import { OwnTile } from '../shared/own-tile.js';
import { readName } from '../shared/people.js';
import { RoomPage } from '../shared/room-page.js';
import { showAudience } from './audience.js';
import { Relay } from './relay.js';
import { Stage } from './stage.js';

const PARTS = {
  watch: { label: 'Watch', text: 'You need neither camera nor microphone: nobody sees or hears you.' },
  broadcast: { label: 'Broadcast', text: 'If nobody is live, you are at once. Else you stand in line, and nobody sees or hears you until it is your turn.' },
};

const page = new RoomPage({
  title: 'Broadcast',
  anyRoom: () => 'main stage',
  wantsDevices: () => part() === 'broadcast',
  join,
  call: { self: false, status: undefined, shows: ({ host }) => host === true },
});
const { devices, lobby, status, tiles } = page;
/** @type {Stage | null} */ let stage = null;
/** @type {Relay | null} */ let relay = null;
/** While we are live. @type {OwnTile | null} */ let own = null;
const chat = new Chat(document.querySelector('.chat'), { onsend: write });

page.addEventListener('call', begin);
document.querySelector('.parts').addEventListener('change', choosePart);
choosePart();
page.showLobby();

/** @returns {keyof typeof PARTS} */
function part() {
  return document.querySelector('[name="part"]:checked').value;
}

function choosePart() {
  const { label, text } = PARTS[part()];
  lobby.label = label;
  $('part-text').textContent = text;
  $('lobby').dataset.part = part();
  if (part() === 'broadcast') devices.open();
  else devices.close();
}

/** @type {typeof import('../shared/room-page.js').joinRoom} */
function join(client, { room, name, media, signal }) {
  return client.join(room, { userdata: { name, watch: part() === 'watch' }, media, signal });
}

function begin() {
  const { client, channel, call, signal } = page;
  stage = new Stage(channel, { client, mayHost: !channel.userdata.watch, signal });
  relay = new Relay(channel, stage, { self: () => ({ id: client.peerId, name: lobby.name }), signal });
  relay.addEventListener('chat', ({ message }) => {
    chat.add({ ...message, name: readName(message), self: message.id === client.peerId });
  });
  relay.addEventListener('audience', ({ size }) => showSize(size));
  stage.addEventListener('change', showStage, { signal });
  for (const type of ['peer', 'peerleave', 'userdata']) {
    channel.addEventListener(type, () => showAudience($('audience-list'), channel.peers.values()), { signal });
  }
  call.addEventListener('show', ({ tile }) => tile.setMark('Live'));
  signal.addEventListener('abort', end);
  chat.clear();
  $('place').textContent = '';
  $('audience-size').textContent = '';
  $('empty').hidden = true;
}

function end() {
  own?.close();
  own = relay = stage = null;
}

function showStage() {
  const isLive = stage.place === 'live';
  if (isLive) goLive();
  else stepBack();
  $('empty').hidden = stage.place !== 'empty';
  if (stage.place === 'empty') $('audience-size').textContent = '';
  $('own-controls').hidden = $('audience').hidden = !isLive;
  $('place').textContent = placeText(stage);
}

function goLive() {
  if (own) return;
  own = new OwnTile(page.client, { name: lobby.name, devices, tiles });
  tiles.get(page.client.peerId).setMark('Live');
  devices.open();
  status.say('You are live now');
}

/** The host is introduced to us before anything is sent to it: so it gets nothing of what was open on the card. */
function stepBack() {
  own?.close();
  own = null;
  devices.media.close();
}

/** @param {string} text */
function write(text) {
  if (stage?.place === 'live' || page.channel?.peers.size > 0) relay.write(text);
  else chat.note('Not sent: nobody is live');
}

/** @param {number} size */
function showSize(size) {
  $('audience-size').textContent = size === 1 ? '1 viewer' : `${size} viewers`;
}

/** @param {Stage} stage */
function placeText({ place, host }) {
  const name = readName(host?.userdata);
  switch (place) {
    case 'live': return 'You are live: all who are here see and hear you.';
    case 'line': return `${name} is live, you are in line. When it is your turn, your camera and microphone go on by themselves.`;
    case 'watching': return `${name} is live.`;
    default: return 'Nobody is live.';
  }
}
