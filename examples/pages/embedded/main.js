// Who is there, and a chat through the server. No calls, so the signaling channel is all that is needed. The names
// are those of the login: `identity`, not a claim of the page.
import { SignalingChannel } from '/client.js';

const element = (id) => document.getElementById(id);
const people = new Map();
const signaling = new SignalingChannel('/signal');

signaling.addEventListener('state', ({ state }) => { element('state').textContent = state; });

// Also after the server has forgotten us: then all are introduced anew.
signaling.addEventListener('welcome', ({ message }) => {
  if (message.resumed) return;
  people.clear();
  signaling.request({ type: 'join', channel: 'office' }).then(showPeople, ({ message }) => { element('state').textContent = message; });
});

signaling.addEventListener('addPeer', ({ message }) => {
  people.set(message.peer_id, message.identity);
  showPeople();
});
signaling.addEventListener('removePeer', ({ message }) => {
  people.delete(message.peer_id);
  showPeople();
});
signaling.addEventListener('message', ({ message }) => {
  show(people.get(message.peer_id) ?? 'the server', String(message.data));
});

element('write').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { text } = event.target.elements;
  try {
    await signaling.request({ type: 'send', channel: 'office', data: text.value });
    show('you', text.value);
    text.value = '';
  } catch (error) {
    element('state').textContent = error.message;
  }
});

function showPeople() {
  element('people').replaceChildren(...[...people.values()].map(item));
}

function show(who, text) {
  element('messages').append(item(`${who}: ${text}`));
}

function item(text) {
  const line = document.createElement('li');
  line.textContent = text;
  return line;
}
