// Keys for buttons: whatever has `aria-keyshortcuts` and is on the screen.

export function bindShortcuts() {
  document.addEventListener('keydown', (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const key = event.key.toUpperCase();
    const button = [...document.querySelectorAll('button')].find((each) => keysOf(each).includes(key) && isThere(each));
    if (!button) return;
    event.preventDefault(); // else the letter is typed into the field that the button may lead to
    button.click();
  });
}

/** @param {HTMLElement} element */
function keysOf(element) {
  return element.getAttribute('aria-keyshortcuts')?.toUpperCase().split(' ') ?? [];
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));
}

/** @param {HTMLElement} element */
function isThere(element) {
  return element.getClientRects().length > 0 && !element.closest('[inert]');
}
