/** A real TURN server: coturn, on loopback, with a port, a configuration and a folder of its own. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAM = 'turnserver';
const START_MS = 10_000;
const LISTENING = /Total General servers/;

/** Why it cannot run here, or false. */
export function missingCoturn() {
  const isThere = process.env.PATH.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, PROGRAM), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  return !isThere && 'coturn is not installed';
}

/**
 * Starts coturn and waits until it listens. It takes what `secret` has signed, and relays to loopback alone.
 *
 * @param {string} secret
 * @returns {Promise<{ url: string, secretFile: string, stop(): Promise<void> }>} `secretFile` contains the secret, for a
 *   demo server
 */
export async function startCoturn(secret) {
  const folder = mkdtempSync(join(tmpdir(), 'signal-coturn-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const port = await freePort();
  const [config, secretFile] = ['turnserver.conf', 'secret'].map((name) => join(folder, name));
  writeFileSync(secretFile, secret, { mode: 0o600 });
  writeFileSync(config, configuration(folder, port, secret), { mode: 0o600 });

  const child = spawn(PROGRAM, ['-c', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => {
    child.kill('SIGKILL');
    remove();
  };
  process.on('exit', kill);
  const exited = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGKILL'); // It has nothing to put away, and takes seconds for that.
    await exited;
    process.off('exit', kill);
    remove();
  };
  try {
    await listening(child, exited);
    return { url: `turn:127.0.0.1:${port}`, secretFile, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function configuration(folder, port, secret) {
  return [
    'use-auth-secret',
    `static-auth-secret=${secret}`,
    'realm=signal.test',
    'listening-ip=127.0.0.1',
    `listening-port=${port}`,
    'relay-ip=127.0.0.1',
    // Above those that the system gives to others.
    'min-port=61000',
    'max-port=65000',
    // Both browsers are on loopback, which a server for others must not reach.
    'allow-loopback-peers',
    'no-multicast-peers',
    'no-cli',
    'no-tls',
    'no-dtls',
    'log-file=stdout',
    `pidfile=${join(folder, 'pid')}`,
    `userdb=${join(folder, 'db')}`,
    '',
  ].join('\n');
}

async function listening(child, exited) {
  const seen = [];
  const ready = new Promise((resolve) => {
    // Read to the end, so that a full pipe never blocks it.
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        seen.push(line);
        if (LISTENING.test(line)) resolve();
      });
    }
  });
  const late = AbortSignal.timeout(START_MS);
  await Promise.race([
    ready,
    exited.then(([code]) => Promise.reject(new Error(`coturn ended with ${code}\n${seen.join('\n')}`))),
    once(late, 'abort').then(() => Promise.reject(new Error(`coturn does not listen\n${seen.join('\n')}`))),
  ]);
}

/** One that is free now for UDP; coturn takes no 0. */
async function freePort() {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise((resolve) => { socket.close(resolve); });
  return port;
}
