/** Times, in milliseconds, and bounds; those that the server must agree with are in docs/protocol.md. */

// ---- Signaling

/** For the first connection. */
export const CONNECT_DEADLINE = 20_000;
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
/** In bytes: what the server takes. */
export const MAX_MESSAGE = 65_536;

/** The most between two attempts to connect, while the session may still be there and later. */
export const MAX_DELAY_IN_GRACE = 2_000;
export const MAX_DELAY = 15_000;
/** A socket that lived this long was a success: the next loss starts the back-off anew. */
export const STABLE_AFTER = 5_000;
/** After the server ended the session for what we did. */
export const PENALTY = 5_000;

// ---- Channels

/** After the server forgot us, peers have this long to be introduced again. */
export const REINTRODUCTION_DEADLINE = 20_000;
export const MEASURE_EVERY = 2_000;
/** Messages that wait for a slow `for await`. */
export const MAX_UNREAD = 1_024;

// ---- Connections

/** Chromium can end up with no candidate at all (link.js, negotiation); nothing but a new connection helps. */
export const GATHERING_DEADLINE = 3_000;
/** Wi-Fi to mobile takes a moment, and ICE often finds back by itself. */
export const DISCONNECTED_PATIENCE = 4_000;
/** Who offers acts first; the other side follows if nothing came, instead of both at once. */
export const ANSWERER_PATIENCE = 8_000;
export const FIRST_CONNECT = 20_000;
export const RECOVERY_INTERVAL = 15_000;
export const RECOVERY_INTERVAL_MAX = 60_000;
/** In a row, without one that connects: after these there are no new connections, only ICE restarts. */
export const MAX_RECOVERIES = 3;
/** Messages of the peer that wait for their turn, or for the first description. */
export const MAX_INBOX = 1_024;

// ---- Messages between peers

/**
 * In bytes, of the frame. So that it fits through the server too, with what the wire adds: 64,000 bytes of JSON, or
 * 48,000 of something binary, which goes as base64.
 */
export const MAX_FRAME = 64_500;
/**
 * What may wait for the peer to confirm it, in UTF-16 units: more means that it takes nothing. Chromium throws at 16 MiB
 * that wait in a data channel.
 */
export const MAX_WAITING = 4_194_304;
export const CONFIRM_AFTER = 16;
/** Messages in a channel in which the server has not introduced the peer yet. */
export const MAX_EARLY = 64;

// ---- Files

/** What everybody takes in one message, even who does not state a maximum (RFC 8841). */
export const CHUNK = 65_536;
/** How many chunks may come before they are read. */
export const WINDOW = 16;
/** Far above a window, and below the 16 MiB at which Chromium throws. */
export const MAX_BUFFERED = 8_388_608;
