/** The client stops: coming back would not help, or would throw out whoever replaced it. */
const FINAL = new Map([
  [4001, 'replaced'],
  [4003, 'unauthorized'],
  [4004, 'kicked'],
  [4006, 'unsupported_version'],
]);

/** The server ended the session for what the client did: come back late, as somebody new, and re-send nothing. */
const ENDED = new Set([1009, 4005, 4013]);
const PENALTY = 5_000;

const DRAINING = 1001;
const HELLO_TIMEOUT = 4002;

/**
 * What a close code asks of the client (the table in docs/protocol.md). Every code that is not listed, and a socket
 * that just broke (1006), means: resume at once.
 *
 * @param {number} code
 * @returns {{ final?: string, sessionEnded?: boolean, wait?: number, backOff?: boolean, draining?: boolean }}
 */
export function closeReaction(code) {
  if (FINAL.has(code)) return { final: FINAL.get(code) };
  if (ENDED.has(code)) return { sessionEnded: true, wait: PENALTY };
  return { backOff: code === HELLO_TIMEOUT, draining: code === DRAINING };
}
