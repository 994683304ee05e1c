// The group call: lobby, call and leave screen, and the way between them.

import { Devices } from '../shared/devices.js';
import { cleanText } from '../shared/people.js';
import { loadPreferences, savePreferences } from '../shared/preferences.js';
import { explain } from '../shared/problems.js';
import { bindShare } from '../shared/share.js';
import { Status } from '../shared/status.js';
import { Tiles } from '../shared/tiles.js';
import { bindToggles } from '../shared/toggles.js';
import { Call } from './call.js';
import { Lobby } from './lobby.js';
import { inviteUrl, roomFromAddress } from './room.js';

const $ = (id) => document.getElementById(id);

const preferences = loadPreferences();
const wanted = { audio: preferences.audio !== false, video: preferences.video !== false };
const devices = new Devices();
const status = new Status($('status'));
const tiles = new Tiles({ list: $('tiles'), screens: $('screens'), template: $('tile-template'), whenAlone: $('alone') });
const lobby = new Lobby($('lobby'), devices, { name: cleanText(preferences.name), onjoin: enter, onretry: openDevices });
/** @type {Call | null} */
let call = null;

bindToggles(devices, rememberDevices);
bindShare($('share'), devices, () => status.say('Your screen cannot be shared here'));
tiles.onblocked = () => { $('unblock').hidden = false; };
onClick('#unblock', hearOthers);
onClick('[data-invite]', invite);
onClick('[data-leave]', () => leave('You left the call', `Room: ${lobby.room}`));
onClick('[data-rejoin]', rejoin);
onClick('[data-lobby]', showLobby);
addEventListener('hashchange', showLobby);
addEventListener('pageshow', ({ persisted }) => persisted && showLobby());
addEventListener('pagehide', () => leave('The call has ended', ''));
showLobby();

function showLobby() {
  call?.leave();
  call = null;
  lobby.room = roomFromAddress();
  show('lobby');
  openDevices();
}

async function enter() {
  const { room, name } = lobby;
  if (room === '' || lobby.busy) return;
  lobby.failure = '';
  lobby.busy = true;
  try {
    call = await Call.join({ room, name, devices, tiles, status });
  } catch (error) {
    lobby.failure = refusal(error);
    show('lobby');
    if (error.code === undefined) throw error; // not the server's answer: a fault of this page
    return;
  } finally {
    lobby.busy = false;
  }
  lobby.room = room;
  savePreferences({ name });
  history.replaceState(null, '', inviteUrl(room));
  $('invite-url').textContent = inviteUrl(room);
  $('call-title').textContent = room;
  call.addEventListener('people', showPeople);
  call.addEventListener('end', ({ code }) => leave('The call has ended', ending(code)));
  showPeople();
  show('call');
}

/** @param {string} title @param {string} reason */
function leave(title, reason) {
  call?.leave();
  devices.close();
  if (call === null) return;
  call = null;
  $('left-title').textContent = title;
  $('left-reason').textContent = reason;
  show('left');
}

async function rejoin() {
  $('left-reason').textContent = 'Joining…';
  await openDevices();
  await enter();
}

function openDevices() {
  return devices.set(wanted);
}

function rememberDevices() {
  const { problems, media } = devices;
  for (const kind of ['audio', 'video']) if (!problems[kind]) wanted[kind] = media.state[kind];
  savePreferences(wanted);
  const problem = explain(problems);
  if (call && problem) status.say(problem);
}

function showPeople() {
  $('people').textContent = call.people === 1 ? '1 person' : `${call.people} people`;
}

function hearOthers() {
  $('unblock').hidden = true;
  tiles.playAll();
}

async function invite() {
  const url = inviteUrl(lobby.room);
  try {
    await navigator.clipboard.writeText(url);
    status.say('Invite link copied');
  } catch {
    status.say(`Copy this link: ${url}`);
  }
}

/** @param {'lobby' | 'call' | 'left'} screen */
function show(screen) {
  for (const id of ['lobby', 'call', 'left']) $(id).hidden = id !== screen;
  document.title = screen === 'call' ? `${lobby.room} · Group call` : 'Group call';
  if (document.activeElement !== document.body || screen !== 'lobby') $(`${screen}-title`).focus({ preventScroll: true });
}

/** Why the server did not let us in. @param {{ code?: string }} error */
function refusal(error) {
  switch (error.code) {
    case 'channel_full': return 'This room is full. Try again later or choose another room.';
    case 'unauthorized': return 'You are not allowed into this room.';
    default: return 'The server cannot be reached. Check your connection and try again.';
  }
}

/** Why the server has ended the call. @param {string | undefined} code */
function ending(code) {
  switch (code) {
    case 'kicked': return 'You were removed from the room.';
    case 'replaced': return 'It goes on in another window.';
    default: return 'The server does not know this call any more. You can join again.';
  }
}

/** @param {string} selector @param {() => void} action */
function onClick(selector, action) {
  for (const element of document.querySelectorAll(selector)) element.addEventListener('click', () => action());
}
