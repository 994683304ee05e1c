// Web addresses in what somebody wrote, to click on. What one sees is where it leads.

const ADDRESS = /https?:\/\/[^\s<>"]+[^\s<>".,:;!?'()[\]]/gi;

/** @param {string} text @returns {(string | HTMLAnchorElement)[]} */
export function withLinks(text) {
  const parts = [];
  let end = 0;
  for (const { 0: address, index } of text.matchAll(ADDRESS)) {
    if (!isPlain(address)) continue;
    parts.push(text.slice(end, index), link(address));
    end = index + address.length;
  }
  return [...parts, text.slice(end)];
}

/** Not `https://bank.example@elsewhere.example`, and no letters that look like others. @param {string} address */
function isPlain(address) {
  if (!URL.canParse(address)) return false;
  const { protocol, host } = new URL(address);
  return address.toLowerCase().startsWith(`${protocol}//${host}`);
}

/** @param {string} address */
function link(address) {
  const anchor = document.createElement('a');
  anchor.href = address;
  anchor.target = '_blank';
  anchor.rel = 'noopener noreferrer nofollow';
  anchor.textContent = address;
  return anchor;
}
