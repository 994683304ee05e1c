/** A web server of another origin, with a page that has the published clients of other signaling servers in it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

import { browserTest } from './harness.js';

/** The clients as a page of the time imports them, from what npm has installed. */
const CLIENTS = `
  import { Peer } from 'peerjs';
  import { io } from 'socket.io-client';
  import { WebrtcProvider } from 'y-webrtc';
  import * as Y from 'yjs';
  Object.assign(window, { Peer, io, WebrtcProvider, Y });
`;

const PAGE = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>Elsewhere</title><script src="clients.js"></script>';

/**
 * A test against the demo server, which lets such pages in. `page` opens one.
 *
 * @param {string} name
 * @param {object} options as for `browserTest`
 * @param {(stage: {server: import('./server.js').Server, open: import('./browser.js').TestBrowser['open'],
 *   page: () => Promise<import('puppeteer-core').Page>}) => Promise<void>} body
 */
export function elsewhereTest(name, options, body) {
  browserTest(name, { server: ['--guests-from-anywhere'], ...options }, async ({ server, open }) => {
    const elsewhere = await startElsewhere();
    try {
      await body({ server, open, page: () => open(elsewhere.url) });
    } finally {
      elsewhere.stop();
    }
  });
}

/** @returns {Promise<{url: string, stop: () => void}>} */
async function startElsewhere() {
  const script = await bundle();
  const server = createServer((request, response) => {
    const isScript = request.url === '/clients.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(isScript ? script : PAGE);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // One that a test forgot to stop must not keep the test file from ending.
  server.unref();
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

async function bundle() {
  const { outputFiles } = await build({
    stdin: { contents: CLIENTS, resolveDir: dirname(fileURLToPath(import.meta.url)) },
    bundle: true,
    format: 'iife',
    // What simple-peer takes to be there.
    define: { global: 'window' },
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0].contents;
}
