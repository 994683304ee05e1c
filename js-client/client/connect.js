import { Client } from './client.js';
import { SignalingError } from './errors.js';
import { CONNECT_DEADLINE } from './limits.js';
import { SignalingChannel } from './signaling-channel.js';
import { Timer } from './timer.js';

/**
 * @typedef {import('./signaling-channel.js').SignalingOptions & import('./client.js').CallOptions & { timeout?: number }} ConnectOptions
 * `timeout`: for the first connection, in milliseconds (20 s)
 */

/**
 * Connects to a signaling server. Rejects with a SignalingError: `timeout`, `aborted`, `unauthorized`, ...
 *
 * @param {import('./signaling-channel.js').Url} url
 * @param {ConnectOptions} [options]
 * @returns {Promise<Client>}
 */
export async function connect(url, options = {}) {
  const signaling = new SignalingChannel(url, options);
  const client = new Client(signaling, options);
  const deadline = new Timer();
  deadline.set(options.timeout ?? CONNECT_DEADLINE, () => signaling.close(new SignalingError('timeout')));
  await signaling.ready.finally(() => deadline.clear());
  return client;
}
