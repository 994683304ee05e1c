// What the user is told of the connection to the server, and why it ended.

/**
 * @param {import('/client.js').Client} client
 * @param {import('./status.js').Status} status
 * @param {AbortSignal} signal
 */
export function showConnection(client, status, signal) {
  client.addEventListener('state', () => {
    if (client.state === 'reconnecting') {
      status.keep('Connection to the server lost. The call goes on; reconnecting…');
    } else if (client.state === 'connected') {
      status.keep('');
      status.say('Connected to the server again');
    }
  }, { signal });
  signal.addEventListener('abort', () => status.keep(''));
}

/** Why the server did not let us in. @param {{ code?: string }} error */
export function refusal(error) {
  switch (error.code) {
    case 'channel_full': return 'This room is full. Try again later or choose another room.';
    case 'unauthorized': return 'You are not allowed into this room.';
    case 'limit': return 'The server is full at the moment. Try again later.';
    case 'unavailable': return 'The server is not ready. Try again in a moment.';
    case 'unsupported_version': return 'This page is out of date. Load it again.';
    default: return 'The server cannot be reached. Check your connection and try again.';
  }
}

/** Why the server has ended the call. @param {string | undefined} code */
export function ending(code) {
  switch (code) {
    case 'kicked': return 'You were removed from the room.';
    case 'replaced': return 'It goes on in another window.';
    case 'channel_full': return 'Your seat was taken meanwhile.';
    default: return 'The server does not know this call any more. You can join again.';
  }
}
