// What else this server serves, under the card: the server says so in /systems.json and /guests.json.

/** @param {HTMLElement} element hidden while there is nothing in it */
export async function showSystems(element) {
  /** @type {{ path: string, title: string, about: string }[]} */
  const systems = await fetch('/systems.json').then((response) => response.json()).catch(() => []);
  const others = systems.filter(({ path }) => path !== location.pathname);
  element.querySelector('ul').replaceChildren(...others.map(link));
  element.hidden = others.length === 0;
  await showGuests(document.getElementById('guests'));
}

/** @param {HTMLElement} element hidden while there is nothing in it */
async function showGuests(element) {
  /** @type {{ client: string, code: string }[]} */
  const guests = await fetch('/guests.json').then((response) => response.json()).catch(() => []);
  element.querySelector('dl').replaceChildren(...guests.flatMap(guest));
  element.hidden = guests.length === 0;
}

/** @param {{ client: string, code: string }} guest */
function guest({ client, code }) {
  const { origin, hostname, port, protocol } = location;
  const own = { HTTP: origin, WS: origin.replace('http', 'ws'), HOST: hostname, PORT: port || (protocol === 'https:' ? '443' : '80') };
  const name = document.createElement('dt');
  const how = document.createElement('dd');
  const line = document.createElement('code');
  name.textContent = client;
  line.textContent = code.replace(/HTTP|WS|HOST|PORT/g, (word) => own[word]);
  how.append(line);
  return [name, how];
}

/** @param {{ path: string, title: string, about: string }} system */
function link({ path, title, about }) {
  const item = document.createElement('li');
  const anchor = document.createElement('a');
  const name = document.createElement('strong');
  anchor.className = 'card';
  anchor.href = path;
  name.textContent = title;
  anchor.append(name, about);
  item.append(anchor);
  return item;
}
