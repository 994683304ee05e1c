// Raised hands: a word in the userdata of each, so who comes late sees them, too.

import { readName } from '../shared/people.js';
import { SELF } from './people-list.js';

/**
 * For one stay in a room.
 *
 * @param {import('../shared/room-page.js').RoomPage} page
 * @param {HTMLButtonElement} button raises the own hand, and lowers it
 * @param {(raised: ReadonlySet<string>) => void} onchange called with the ids of those whose hand is up, the first to raise it first
 */
export function startHands({ client, channel, call, status, tiles, signal, lobby }, button, onchange) {
  const { name } = lobby;
  /** @type {Set<string>} */
  const raised = new Set();

  /** Whether that is news. */
  const show = (id, tile, hand) => {
    tile?.setHand(hand);
    if (raised.has(id) === hand) return false;
    if (hand) raised.add(id);
    else raised.delete(id);
    onchange(raised);
    return true;
  };
  const showOwn = (hand) => {
    show(SELF, tiles.get(client.peerId), hand);
    button.setAttribute('aria-pressed', String(hand));
    button.title = hand ? 'Lower your hand (H)' : 'Raise your hand (H)';
  };

  button.addEventListener('click', () => {
    const hand = !raised.has(SELF);
    showOwn(hand);
    channel.setUserdata({ name, hand });
  }, { signal });
  call.addEventListener('show', ({ peer, tile }) => {
    const hand = peer.userdata?.hand === true;
    if (show(peer.id, tile, hand) && hand) status.say(`${readName(peer.userdata)} has raised a hand`);
  }, { signal });
  channel.addEventListener('peerleave', ({ peer }) => show(peer.id, null, false), { signal });
  showOwn(false);
  onchange(raised);
}
