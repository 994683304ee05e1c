// Strangers: the card to start from, the search and the talks, the end of it.

import { connect } from '/client.js';
import { keepAwake } from '../shared/awake.js';
import { Call } from '../shared/call.js';
import { Chat } from '../shared/chat.js';
import { ending, refusal, showConnection } from '../shared/connection.js';
import { $, onClick } from '../shared/dom.js';
import { OwnTile } from '../shared/own-tile.js';
import { Page } from '../shared/page.js';
import { readName } from '../shared/people.js';
import { inviteUrl } from '../shared/room.js';
import { Search } from './search.js';
import { Topics } from './topics.js';

// Strangers are told no name that was meant for friends.
const page = new Page({ title: 'Strangers', name: '', onjoin: start });
const { devices, lobby, status, tiles } = page;
const topics = new Topics(document.querySelector('.join-form'));
const chat = new Chat(document.querySelector('.chat'), { onsend: write });
/** Ends with the visit: from Start to Stop. */
let visit = new AbortController();
/** @type {Search | null} */ let search = null;
/** @type {OwnTile | null} */ let own = null;
/** @type {Call | null} */ let call = null;
/** Where the stranger is. @type {import('/client.js').Channel | null} */ let channel = null;

onClick('#next', () => search?.next());
onClick('[data-stop]', () => stop('You have stopped', 'Your camera and your microphone are off.'));
onClick('[data-again]', again);
onClick('[data-lobby]', showLobby);
addEventListener('pageshow', ({ persisted }) => persisted && showLobby());
addEventListener('pagehide', () => stop('You have stopped', ''));
showLobby();

function showLobby() {
  visit.abort();
  lobby.busy = false;
  page.show('lobby');
  devices.open();
}

async function start() {
  if (lobby.busy) return;
  const { name } = lobby;
  const { signal } = visit = new AbortController();
  lobby.failure = '';
  lobby.busy = true;
  try {
    const client = await connect(new URL('signal', location.href), { signal });
    begin(client, name, signal);
  } catch (error) {
    if (signal.aborted) return;
    lobby.failure = refusal(error);
    page.show('lobby');
    if (error.code === undefined) throw error; // not the server's answer: a fault of this page
  } finally {
    if (visit.signal === signal) lobby.busy = false;
  }
}

async function again() {
  $('left-reason').textContent = 'Starting…';
  await devices.open();
  if (page.screen === 'left') await start(); // else the user has gone elsewhere meanwhile
}

/** @param {import('/client.js').Client} client @param {string} name @param {AbortSignal} signal */
function begin(client, name, signal) {
  const topic = topics.chosen;
  search = new Search(client, topic, { userdata: { name }, media: devices.media });
  search.addEventListener('search', () => showSearch(topic));
  search.addEventListener('waiting', ({ waiting }) => { $('search-text').textContent = waitingText(waiting); });
  search.addEventListener('meet', (event) => meet(client, event.channel));
  search.addEventListener('gone', ({ peer }) => showGone(peer ? `${readName(peer.userdata)} has left` : 'The talk has ended'));
  search.addEventListener('end', ({ code }) => stop('The search has ended', whyEnded(code)));
  own = new OwnTile(client, { name, devices, tiles });
  showConnection(client, status, signal);
  keepAwake(signal);
  history.replaceState(null, '', inviteUrl(topic));
  chat.clear();
  page.show('call');
  search.next();
}

/** @param {string} title @param {string} reason */
function stop(title, reason) {
  const wasThere = search !== null;
  search = null;
  visit.abort();
  closeCall();
  own?.close();
  devices.close();
  if (!wasThere) return;
  $('left-title').textContent = title;
  $('left-reason').textContent = reason;
  page.show('left');
}

/** @param {string} topic */
function showSearch(topic) {
  closeCall();
  $('next').setAttribute('aria-disabled', 'true');
  $('topic').textContent = `Topic: ${topic}`;
  $('alone').dataset.state = 'search';
  $('search-text').textContent = '';
  showHeading('Looking for somebody…');
}

/** @param {import('/client.js').Client} client @param {import('/client.js').Channel} found */
function meet(client, found) {
  channel = found;
  $('next').removeAttribute('aria-disabled');
  call = new Call(client, channel, { name: '', devices, tiles, self: false });
  call.addEventListener('show', showStrangers);
  channel.addEventListener('peerleave', ({ peer }) => {
    if (!channel?.peers.size) return; // we go on, or are the last
    chat.note(`${readName(peer.userdata)} has left`);
    showStrangers();
  });
  channel.addEventListener('message', ({ peer, data }) => peer && chat.add({ id: peer.id, name: readName(peer.userdata), text: data }));
  chat.clear();
}

function showStrangers() {
  const names = [...channel.peers.values()].map(({ userdata }) => readName(userdata));
  $('tiles').classList.toggle('duo', names.length < 2);
  showHeading(`You are talking to ${new Intl.ListFormat('en').format(names)}`);
}

/** @param {string} news */
function showGone(news) {
  closeCall();
  chat.note(news);
  $('alone').dataset.state = 'gone';
  $('search-text').textContent = 'Looking for somebody new in a moment. Press Next to go on at once, or Stop.';
  showHeading(news);
}

function closeCall() {
  call?.close();
  $('tiles').classList.add('duo');
  call = channel = null;
}

/** @param {string} text */
function write(text) {
  if (channel === null) return chat.note('Not sent: nobody is here yet');
  channel.send(text);
  chat.add({ id: '', name: '', text, self: true });
}

/** Also in the title of the window: who waits looks at another one meanwhile. @param {string} text */
function showHeading(text) {
  if ($('call-title').textContent === text) return;
  $('call-title').textContent = text;
  document.title = `${text} · Strangers`;
}

/** @param {number} waiting ourselves included */
function waitingText(waiting) {
  if (waiting <= 1) return 'You are the only one who waits so far.';
  return `${waiting} people wait, you among them.`;
}

/** @param {string} code */
function whyEnded(code) {
  switch (code) {
    case 'timeout': return 'Nobody has come. Try again, or choose another topic.';
    case 'unavailable': return 'The server cannot look for anybody at the moment. Try again in a while.';
    default: return ending(code);
  }
}
