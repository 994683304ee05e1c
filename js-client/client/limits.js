/** Times, in milliseconds, and counts; those that the server must agree with are in docs/protocol.md. */

/** To ask the application for the url and the token. */
export const PREPARE_DEADLINE = 10_000;
export const OPEN_DEADLINE = 5_000;
export const WELCOME_DEADLINE = 10_000;
export const PONG_DEADLINE = 5_000;
export const REQUEST_DEADLINE = 20_000;
/** The server speaks every `heartbeat_ms`; a quarter more of silence is suspicious. */
export const SILENCE_FACTOR = 1.25;

export const ACK_AFTER_FRAMES = 32;
export const ACK_AFTER = 1_000;
/** Frames that may wait for the server's acknowledgement, sent or not. More means that it is not listening. */
export const MAX_UNACKNOWLEDGED = 1_024;

/** The most between two attempts to connect, while the session may still be there and later. */
export const MAX_DELAY_IN_GRACE = 2_000;
export const MAX_DELAY = 15_000;
/** A socket that lived this long was a success: the next loss starts the back-off anew. */
export const STABLE_AFTER = 5_000;
/** After the server ended the session for what we did. */
export const PENALTY = 5_000;
