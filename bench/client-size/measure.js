// Prints how many bytes a page downloads for our client and for others, all bundled in the same way.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, version as esbuild } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const ourFolder = join(here, '../../js-client');

/**
 * `imported` is what a page needs for what the package `does`. `options` stand in for what it expects besides a browser,
 * with fewer bytes than the usual polyfills of Node.js.
 */
const CLIENTS = [
  { name: 'signal-client', imported: '*', does: 'all of it' },
  { name: 'signal-client', imported: '{ connect }', does: 'calls in channels, as most pages import it' },
  { name: 'signal-client', imported: '{ SignalingChannel }', does: 'signaling alone' },
  {
    name: 'simple-peer', imported: '{ default }', does: 'one connection, no signaling',
    options: {
      define: {
        global: 'globalThis', 'process.nextTick': 'queueMicrotask',
        'process.stdout': 'undefined', 'process.stderr': 'undefined',
      },
    },
  },
  { name: 'peerjs', imported: '{ Peer }', does: 'calls and data over its signaling server' },
  { name: 'trystero', imported: '{ joinRoom }', does: 'rooms, signaling over Nostr relays' },
  {
    name: 'y-webrtc', imported: '{ WebrtcProvider }', does: 'shared documents, Yjs not counted',
    options: { external: ['yjs'] },
  },
  { name: 'livekit-client', imported: '{ Room }', does: 'rooms on an SFU' },
  { name: '@open-ayame/ayame-web-sdk', imported: '{ createConnection }', does: 'calls of two' },
  { name: 'protoo-client', imported: '{ Peer, WebSocketTransport }', does: 'requests over a WebSocket' },
  { name: 'socket.io-client', imported: '{ io }', does: 'messages over WebSocket or polling' },
  { name: 'partysocket', imported: '{ WebSocket }', does: 'a WebSocket that reconnects' },
  { name: 'reconnecting-websocket', imported: '{ default }', does: 'a WebSocket that reconnects' },
];

/** @returns {Promise<{ minified: number, zipped: number }>} */
async function sizes({ name, imported, options }) {
  const isOurs = name === 'signal-client';
  const { outputFiles: [{ contents }] } = await build({
    stdin: { contents: `export ${imported} from '${isOurs ? './client.js' : name}'`, resolveDir: isOurs ? ourFolder : here },
    bundle: true, minify: true, format: 'esm', platform: 'browser', legalComments: 'none', write: false, ...options,
  });
  return { minified: contents.length, zipped: gzipSync(contents, { level: 9 }).length };
}

function versionOf(name) {
  const folder = name === 'signal-client' ? ourFolder : join(here, 'node_modules', name);
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}

const number = (bytes) => bytes.toLocaleString('en');
const row = (...cells) => console.log(`| ${cells.join(' | ')} |`);

const ours = (await sizes(CLIENTS[0])).zipped;
console.log(`Bundled with esbuild ${esbuild}, \`gzip -9\`. Ratio: to all of signal-client.\n`);
row('package', 'version', 'import', 'what it does', 'minified', 'and gzipped', 'ratio');
console.log('|---|---|---|---|---:|---:|---:|');
for (const client of CLIENTS) {
  const { minified, zipped } = await sizes(client);
  row(client.name, versionOf(client.name), `\`${client.imported}\``, client.does, number(minified), number(zipped),
    (zipped / ours).toFixed(2));
}
