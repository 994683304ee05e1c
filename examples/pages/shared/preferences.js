// What the user chose last time, if the browser lets the page keep it.

const KEY = 'call-preferences';

/** @returns {{ name?: unknown, audio?: unknown, video?: unknown }} */
export function loadPreferences() {
  try {
    return Object(JSON.parse(localStorage.getItem(KEY) ?? '{}'));
  } catch {
    return {};
  }
}

/** @param {{ name?: string, audio?: boolean, video?: boolean }} changes */
export function savePreferences(changes) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...loadPreferences(), ...changes }));
  } catch {
    // private window or storage switched off: the choice lasts as long as the page
  }
}
