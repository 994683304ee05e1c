// Who is here, as the host alone knows it: in the order in which they came.

import { readName } from '../shared/people.js';

/**
 * @param {HTMLElement} list
 * @param {Iterable<import('/client.js').Peer>} peers
 */
export function showAudience(list, peers) {
  const members = [...peers];
  const next = members.find(({ userdata }) => !userdata?.watch);
  list.replaceChildren(...members.map((member) => entry(readName(member.userdata), member === next)));
}

/** @param {string} name @param {boolean} isNext */
function entry(name, isNext) {
  const item = document.createElement('li');
  const who = document.createElement('bdi');
  who.textContent = name;
  item.append(who);
  if (isNext) item.append(' (next in line)');
  return item;
}
