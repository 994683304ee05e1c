// What a peer says about itself. It comes from strangers: nothing in it is believed before it has passed through here.

/** Also what the input fields take (`maxlength`): at most 120 bytes as UTF-8, within the server's limits. */
export const MAX_TEXT = 40;

/** @param {any} userdata */
export function readName(userdata) {
  return cleanText(userdata?.name) || 'Guest';
}

/**
 * One short line without control characters, those that turn the direction of text among them, and without halves of characters.
 * @param {unknown} value
 */
export function cleanText(value) {
  if (typeof value !== 'string') return '';
  const line = value.slice(0, 4 * MAX_TEXT).replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu, ' ').replace(/\s+/gu, ' ').trim();
  return line.slice(0, MAX_TEXT).replace(/\p{Cs}/gu, '');
}

/**
 * Text that may have more than one line, without those same characters.
 * @param {unknown} value @param {number} longest in UTF-16 units
 */
export function cleanLines(value, longest) {
  if (typeof value !== 'string') return '';
  const lines = value.slice(0, longest).replace(/\r\n?|[\u2028\u2029]/g, '\n').replaceAll('\t', '  ');
  return lines.replace(/[^\P{Cc}\n]+|\p{Bidi_Control}+|\p{Cs}/gu, '').replace(/\n{3,}/g, '\n\n').trim();
}

/** @param {string} name */
export function initials(name) {
  const words = name.split(' ').filter((word) => /[\p{L}\p{N}]/u.test(word));
  const ends = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return ends.map((word) => word.match(/[\p{L}\p{N}]/u)[0]).join('').toLocaleUpperCase() || '?';
}

/**
 * The colour of somebody's avatar, one of six: the same on every screen.
 * @param {string} name
 */
export function tone(name) {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) % 65521;
  return String(sum % 6);
}
