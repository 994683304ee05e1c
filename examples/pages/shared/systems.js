// What else this server serves, under the card: the server says so in /systems.json.

/** @param {HTMLElement} element hidden while there is nothing in it */
export async function showSystems(element) {
  /** @type {{ path: string, title: string, about: string }[]} */
  const systems = await fetch('/systems.json').then((response) => response.json()).catch(() => []);
  const others = systems.filter(({ path }) => path !== location.pathname);
  element.querySelector('ul').replaceChildren(...others.map(link));
  element.hidden = others.length === 0;
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
