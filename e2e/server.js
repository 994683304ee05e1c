/** A demo server as a test sees it: built once, started on a free port, gone afterwards whatever happens. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const START_MS = 10_000;
const STOP_MS = 5_000;
const LOG_LINES = 200;
/** A build from nothing, on two busy cores. */
export const BUILD_MS = 15 * 60_000;

/** Servers that still run. Whatever ends this process takes them along. */
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

/**
 * @typedef {object} Server
 * @property {string} url `http://127.0.0.1:PORT`, or `https:` with `--tls`
 * @property {number} port
 * @property {number} pid
 * @property {() => string} log what it wrote on stderr, the last lines of it
 * @property {(signal?: NodeJS.Signals) => Promise<number | null>} stop asks it to end, waits until it has, and says with
 *   which code; repeatable
 */

/**
 * Starts a demo server and waits until it listens.
 *
 * @param {object} [options]
 * @param {string} [options.bin] which: the one that serves every system, or that of one system
 * @param {string[]} [options.args]
 * @param {number} [options.port] 0 takes a free one; a server that is restarted passes its former port
 * @param {Record<string, string>} [options.env]
 * @returns {Promise<Server>}
 */
export async function startServer({ bin = 'demo-server', args = [], port = 0, env = {} } = {}) {
  const binary = await buildServer(bin);
  const child = spawn(binary, ['--listen', `127.0.0.1:${port}`, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const exited = once(child, 'exit').finally(() => running.delete(child));
  const log = tail(child.stderr);

  try {
    const url = await firstLine(child, exited);
    // A server that a test forgot to stop must not keep the test file from ending.
    for (const handle of [child, child.stdout, child.stderr]) handle.unref();
    return {
      url,
      port: Number(new URL(url).port),
      pid: child.pid,
      log: () => log.join('\n'),
      stop: (signal = 'SIGTERM') => stop(child, exited, signal),
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`${bin} did not start: ${error.message}\n${log.join('\n')}`, { cause: error });
  }
}

/** @type {Map<string, Promise<string>>} */
const built = new Map();

/** Builds a demo server, once for each test file, and returns the path of the binary. */
export function buildServer(bin = 'demo-server') {
  let path = built.get(bin);
  if (!path) built.set(bin, path = build(bin));
  return path;
}

/** Without optimisations, as the release build takes minutes and a browser asks little of a server. */
async function build(bin) {
  await promisify(execFile)('cargo', ['build', '--locked', '-p', 'examples', '--bin', bin], { cwd: ROOT, maxBuffer: 64 << 20 });
  return join(resolve(ROOT, process.env.CARGO_TARGET_DIR ?? 'target'), 'debug', bin);
}

async function firstLine(child, exited) {
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, 'line', { signal: AbortSignal.timeout(START_MS) }),
    exited.then(([code, signal]) => Promise.reject(new Error(`it ended with ${code ?? signal}`))),
  ]);
  const [, url] = /^listening on (https?:\/\/\S+)$/.exec(line) ?? [];
  if (!url) throw new Error(`its first line was ${JSON.stringify(line)}`);
  return url;
}

async function stop(child, exited, signal) {
  if (running.has(child)) {
    child.ref();
    child.kill(signal);
  }
  const impatient = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  const [code] = await exited;
  clearTimeout(impatient);
  return code;
}

/** The last lines of a stream. Reading on also keeps the pipe from filling up and blocking the server. */
function tail(stream) {
  const kept = [];
  createInterface({ input: stream }).on('line', (line) => {
    kept.push(line);
    if (kept.length > LOG_LINES) kept.shift();
  });
  return kept;
}
