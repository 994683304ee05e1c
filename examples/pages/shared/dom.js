// Two short words for what every page does with its HTML.

/** @param {string} id @returns {any} */
export const $ = (id) => document.getElementById(id);

/** @param {string} selector of all elements that do it @param {() => void} action */
export function onClick(selector, action) {
  for (const element of document.querySelectorAll(selector)) element.addEventListener('click', () => action());
}
