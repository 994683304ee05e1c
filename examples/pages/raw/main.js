// What the page shows: tiles, messages, and the frames of the protocol as they come and go.

import { cleanText } from '../shared/people.js';
import { showSystems } from '../shared/systems.js';
import { Peer } from './peer.js';
import { Session } from './session.js';

/** So many messages, and so many frames, are kept in view; of a frame so much. */
const MOST_LINES = 200;
const MOST_SHOWN = 400;
/** Of a message. */
const MOST_TEXT = 2_000;
/** Who is not introduced again so long after we have come back to a server that has restarted is gone (section 11). */
const REUNION_MS = 20_000;
/** As the field takes, also where the name comes from the address. */
const MAX_ROOM = 40;

/** @type {(id: string) => any} */
const $ = (id) => document.getElementById(id);
/** Who is in the room with us: the connection, and the tile. @type {Map<string, { name: string, peer: Peer, tile: HTMLElement }>} */
const others = new Map();
/** Who was there before the server restarted, and has not been introduced again. @type {Set<string>} */
const missed = new Set();
let reunion = 0;
/** @type {Session | null} */
let session = null;
let media = new MediaStream();

$('join').room.value = roomFromAddress();
addEventListener('hashchange', () => { $('join').room.value = roomFromAddress(); });
$('join').addEventListener('submit', (event) => { event.preventDefault(); join(); });
$('say').addEventListener('submit', (event) => { event.preventDefault(); say(); });
$('leave').addEventListener('click', () => leave('You have left the room.'));
addEventListener('pagehide', () => leave(''));
addEventListener('online', () => session?.ping());
addEventListener('visibilitychange', () => session?.ping());
showSystems($('others'));

async function join() {
  const room = $('join').room.value.trim();
  const name = $('join').name.value.trim() || 'Guest';
  if (session || !room) return;
  show('Opening camera and microphone…');
  $('join').hidden = true;
  media = await openDevices();
  history.replaceState(null, '', `#${encodeURIComponent(room)}`);
  $('room').hidden = false;
  $('room-title').textContent = room;
  $('room-title').focus();
  addTile(`${name} (you)`, media).querySelector('video').muted = true;
  show('Connecting…');

  let self = { peer_id: '', ice_servers: [] };
  /** Brings us back into the room when the server has restarted. @type {string | undefined} */
  let seat;
  session = new Session(new URL('signal', location.href), {
    welcome(message) {
      if (!message.resumed) {
        // For the others we are still there if the server knows us after its restart. If not, whoever we knew belongs
        // to a session that is gone (section 11).
        for (const id of others.keys()) message.peer_id === self.peer_id ? missed.add(id) : part(id);
        self = message;
        session.send({ type: 'join', channel: room, userdata: { name }, seat });
      }
      show('');
    },
    lost: () => show('The server is not reached. Trying again… The call goes on meanwhile.'),
    end: (reason) => leave(`The server has ended the session (${reason}).`),
    frame: showFrame,
    message(message) {
      switch (message.type) {
        // For those whom we meet from now on, and for when a path is lost (section 6).
        case 'iceServers':
          self.ice_servers = message.ice_servers;
          return others.forEach(({ peer }) => peer.useServers(message.ice_servers));
        case 'joined': return enter(message);
        case 'addPeer': return meet(message);
        case 'removePeer': return part(message.peer_id);
        case 'userdata': return rename(message.peer_id, message.userdata);
        case 'sessionDescription':
        case 'iceCandidate': return others.get(message.peer_id)?.peer.handle(message);
        case 'message': return log(others.get(message.peer_id)?.name ?? 'Server', readText(message.data));
        case 'error': return message.channel ? leave(message.message) : log('', message.message);
      }
    },
  });

  function enter(joined) {
    seat = joined.seat ?? seat;
    clearTimeout(reunion);
    reunion = setTimeout(() => missed.forEach(part), REUNION_MS);
    log('', joined.peers === 0 ? 'You are the first here.' : `Others here: ${joined.peers}.`);
  }

  function meet(introduction) {
    const id = introduction.peer_id;
    missed.delete(id);
    if (others.has(id)) return others.get(id).peer.introduce(introduction);
    const stream = new MediaStream();
    const tile = addTile('', stream);
    const peer = new Peer(introduction, {
      self: self.peer_id, iceServers: self.ice_servers, media,
      relay: (message) => session?.send(message),
      ontrack({ track }) {
        stream.getTracks().filter(({ readyState }) => readyState === 'ended').forEach((old) => stream.removeTrack(old));
        stream.addTrack(track);
      },
    });
    others.set(id, { name: '', peer, tile });
    tile.dataset.peerId = id;
    rename(id, introduction.userdata);
    log('', `${others.get(id).name} is here.`);
  }
}

/** @param {string} id */
function part(id) {
  const { name, peer, tile } = others.get(id) ?? {};
  missed.delete(id);
  if (!others.delete(id)) return;
  peer.close();
  tile.remove();
  log('', `${name} has left.`);
}

/** Userdata is the peer's own claim, so it may be anything (section 6). @param {string} id @param {any} userdata */
function rename(id, userdata) {
  const other = others.get(id);
  if (!other) return;
  other.name = cleanText(userdata?.name) || 'Guest';
  other.tile.querySelector('figcaption').textContent = other.name;
}

/** Other pages may send any JSON. @param {any} data */
function readText(data) {
  return (typeof data === 'string' ? data : JSON.stringify(data)).slice(0, MOST_TEXT);
}

function say() {
  const text = $('say').text.value;
  $('say').reset();
  session.send({ type: 'send', channel: $('room-title').textContent, data: text });
  log('You', text);
}

/** @param {string} why */
function leave(why) {
  session?.bye();
  session = null;
  clearTimeout(reunion);
  [...others.keys()].forEach(part);
  media.getTracks().forEach((track) => track.stop());
  $('tiles').replaceChildren();
  $('log').replaceChildren();
  const wasIn = !$('room').hidden;
  $('room').hidden = true;
  $('join').hidden = false;
  if (wasIn) $('join').name.focus();
  show(why);
}

/** What there is of camera and microphone; who has neither still sees and hears the others. */
async function openDevices() {
  const video = { width: 640, height: 480 };
  for (const wanted of [{ audio: true, video }, { audio: true }, { video }]) {
    const stream = await navigator.mediaDevices?.getUserMedia(wanted).catch(() => null);
    if (stream) return stream;
  }
  log('', 'There is no camera or microphone for this page: you see and hear the others only.');
  return new MediaStream();
}

/** @param {string} name @param {MediaStream} stream */
function addTile(name, stream) {
  const tile = $('tile').content.firstElementChild.cloneNode(true);
  tile.querySelector('figcaption').textContent = name;
  tile.querySelector('video').srcObject = stream;
  $('tiles').append(tile);
  return tile;
}

/** @param {string} who @param {string} text */
function log(who, text) {
  addLine($('log'), who, text);
}

/** Descriptions are long, and tokens are secrets (section 11). @param {'C>' | 'S>'} direction @param {string} frame */
function showFrame(direction, frame) {
  const text = frame.replace(/"(token|seat|credential)":"[^"]*"/g, '"$1":"…"');
  addLine($('frames'), direction, text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}… ${text.length} characters` : text);
  const count = direction === 'C>' ? $('sent') : $('received');
  count.textContent = Number(count.textContent) + 1;
}

/** The list stays at its end unless its reader has gone up. @param {HTMLElement} list @param {string} who @param {string} text */
function addLine(list, who, text) {
  const isAtEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 8;
  const line = document.createElement('p');
  const name = document.createElement('b');
  name.textContent = who;
  line.append(name, who && ' ', text);
  list.append(line);
  if (list.childElementCount > MOST_LINES) list.firstElementChild.remove();
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}

/** @param {string} text */
function show(text) {
  $('status').textContent = text;
}

function roomFromAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1)).slice(0, MAX_ROOM) || 'lobby';
  } catch {
    return 'lobby';
  }
}
