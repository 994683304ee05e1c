// Which room: in the address as `#name` (that is what invite links carry) or `?room=name`.

import { cleanText } from './people.js';

const CALM = ['amber', 'bright', 'calm', 'gentle', 'golden', 'mellow', 'quiet', 'silver', 'sunny', 'swift', 'velvet', 'warm'];
const PLACES = ['bay', 'bridge', 'forest', 'garden', 'harbor', 'island', 'lagoon', 'meadow', 'orchard', 'river', 'summit', 'valley'];

/** @param {() => string} [anyRoom] for an address that names none */
export function roomFromAddress(anyRoom = randomRoom) {
  return cleanText(decode(location.hash.slice(1))) || cleanText(new URLSearchParams(location.search).get('room')) || anyRoom();
}

/** @param {string} room */
export function inviteUrl(room) {
  return `${location.origin}${location.pathname}#${encodeURIComponent(room)}`;
}

export function randomRoom() {
  const [calm, place, number] = crypto.getRandomValues(new Uint32Array(3));
  return `${CALM[calm % CALM.length]}-${PLACES[place % PLACES.length]}-${100 + (number % 900)}`;
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
