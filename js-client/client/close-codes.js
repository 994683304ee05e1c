/**
 * What a close code asks of the client (the table in docs/protocol.md). Every code that is not listed, and a socket
 * that just broke (1006), means: resume, the first time almost at once.
 */

/**
 * The client stops: coming back would not help, or would throw out whoever replaced it.
 *
 * @type {Record<number, string>}
 */
export const FINAL = { 4001: 'replaced', 4003: 'unauthorized', 4004: 'kicked', 4006: 'unsupported_version' };

/** The server ended the session for what the client did: come back late, as somebody new, and re-send nothing. */
export const ENDED = [1009, 4005, 4013];
