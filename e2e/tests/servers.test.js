/** The demo servers as programs: what they say when they start, what they serve, and how they end. */
import assert from 'node:assert/strict';
import { on, once } from 'node:events';
import { get } from 'node:https';
import test, { before } from 'node:test';
import { WebSocket } from 'ws';

import { callOfTwo } from '../call.js';
import { launch, missing } from '../harness.js';
import { BUILD_MS, buildServer, startServer } from '../server.js';

const SYSTEMS = ['group', 'meeting', 'two', 'strangers', 'star', 'raw'];
const HELLO = '{"type":"hello","version":1}';

before(() => buildServer(), { timeout: BUILD_MS });

test('the demo server serves every system, each with a socket of its own', { timeout: 30_000 }, async () => {
  const server = await startServer();
  try {
    const systems = await (await fetch(`${server.url}/systems.json`)).json();
    assert.deepEqual(systems.map(({ name, path }) => [name, path]), SYSTEMS.map((name, n) => [name, n === 0 ? '/' : `/${name}/`]));
    for (const { path, title, about } of systems) {
      assert.match(title, /^\S.{2,40}$/);
      assert.match(about, /^\S.{10,120}\.$/);
      await servesPage(new URL(path, server.url));
      await welcomes(new URL(`${path}signal`, server.url.replace('http', 'ws')));
    }
    for (const { path, name } of systems.slice(1)) {
      const response = await fetch(`${server.url}${path.slice(0, -1)}?room=x`, { redirect: 'manual' });
      assert.deepEqual([response.status, response.headers.get('location')], [308, `/${name}/?room=x`]);
    }

    // A room of one system is not a room of another.
    assert.equal(await peersAfterJoin(`${server.url}/signal`), 0);
    assert.equal(await peersAfterJoin(`${server.url}/signal`), 1);
    assert.equal(await peersAfterJoin(`${server.url}/meeting/signal`), 0);
  } finally {
    assert.equal(await server.stop(), 0);
  }
});

for (const bin of SYSTEMS) {
  test(`${bin} alone is at /`, { timeout: BUILD_MS }, async () => {
    const server = await startServer({ bin });
    try {
      const systems = await (await fetch(`${server.url}/systems.json`)).json();
      assert.deepEqual(systems.map(({ name, path }) => [name, path]), [[bin, '/']]);
      await servesPage(new URL('/', server.url));
      const client = await fetch(`${server.url}/client.js`);
      assert.deepEqual([client.status, client.headers.get('content-type')], [200, 'text/javascript; charset=utf-8']);
      assert.equal((await fetch(`${server.url}/nothing`)).status, 404);

      const { socket, next } = await greet(`${server.url.replace('http', 'ws')}/signal`);
      const closed = once(socket, 'close');
      assert.equal(await server.stop(), 0);
      assert.equal((await next()).type, 'closing');
      assert.equal((await closed)[0], 1001);
    } finally {
      await server.stop();
    }
  });
}

for (const bin of ['demo-server', 'raw']) {
  test(`${bin} speaks HTTPS, with a certificate for this machine`, { timeout: BUILD_MS }, async () => {
    const server = await startServer({ bin, args: ['--tls'] });
    try {
      assert.match(server.url, /^https:\/\/127\.0\.0\.1:\d+$/);
      const ca = await certificate(server.url);
      assert.equal(await statusOf(`https://localhost:${server.port}/`, { ca }), 200);
      assert.equal(await statusOf(`${server.url}/`, { ca }), 200);
      await assert.rejects(statusOf(`${server.url}/`, {}), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
      await welcomes(`${server.url.replace('http', 'ws')}/signal`, { ca });
    } finally {
      assert.equal(await server.stop(), 0);
    }
  });
}

test('pages over HTTPS may use the camera, and call each other', { timeout: 120_000, skip: missing('chromium') }, async () => {
  const server = await startServer({ args: ['--tls'] });
  const browser = await launch('chromium');
  /** As a person does who goes on in spite of the warning. @param {string} url */
  const open = async (url) => {
    const page = await browser.open('about:blank');
    const session = await page.createCDPSession();
    await session.send('Security.setIgnoreCertificateErrors', { ignore: true });
    await page.goto(url);
    return page;
  };
  try {
    const pages = await callOfTwo(open, server.url);
    for (const page of pages) assert.equal(await page.evaluate(() => isSecureContext), true);
    browser.assertNoProblems();
  } finally {
    await browser.close();
    assert.equal(await server.stop(), 0);
  }
});

test('what keeps a server from starting is said in one line', { timeout: BUILD_MS }, async () => {
  const server = await startServer();
  try {
    await failsWith({ port: server.port }, /^error: cannot listen on 127\.0\.0\.1:\d+: .+$/);
    const files = ['--tls-cert', 'no-such-file.pem', '--tls-key', 'no-such-file.pem'];
    await failsWith({ args: files }, /^error: cannot read the certificate in no-such-file\.pem: .+$/);
    await failsWith({ args: ['--tls-cert', 'README.md', '--tls-key', 'README.md'] }, /^error: there is no certificate in PEM format in README\.md$/);
    await failsWith({ bin: 'raw', args: files }, /^error: cannot read the certificate in no-such-file\.pem: .+$/);
  } finally {
    await server.stop();
  }
});

/** @param {URL} url */
async function servesPage(url) {
  const response = await fetch(url);
  const html = await response.text();
  assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'text/html; charset=utf-8'], url.href);
  assert.match(response.headers.get('content-security-policy'), /^default-src 'none'; script-src 'self';/);
  assert.match(html, /<title>/);
  assert.doesNotMatch(html, /#include/, 'what it includes is in it');
  const files = [...html.matchAll(/(?:href|src)="(\/[^"#]+)/g)].map(([, path]) => new URL(path, url));
  assert.notEqual(files.length, 0);
  for (const file of new Set(files.map(String))) assert.equal((await fetch(file)).status, 200, file);
}

/** Opens a socket that is welcome. @param {string | URL} url @param {object} [options] */
async function greet(url, options) {
  const socket = new WebSocket(url, options);
  const messages = on(socket, 'message');
  const next = async () => JSON.parse((await messages.next()).value[0].toString());
  await once(socket, 'open');
  socket.send(HELLO);
  assert.equal((await next()).type, 'welcome');
  return { socket, next };
}

/** @param {string | URL} url @param {object} [options] */
async function welcomes(url, options) {
  (await greet(url, options)).socket.terminate();
}

/** Joins, stays detached, and says how many were there. @param {string} url */
async function peersAfterJoin(url) {
  const { socket, next } = await greet(url.replace('http', 'ws'));
  socket.send('{"type":"join","channel":"room"}');
  const { peers } = await next();
  socket.terminate();
  return peers;
}

/** The certificate of a server, to trust it and no other. @param {string} url */
async function certificate(url) {
  const [response] = await once(get(url, { rejectUnauthorized: false }), 'response');
  const { raw } = response.socket.getPeerCertificate();
  response.destroy();
  return `-----BEGIN CERTIFICATE-----\n${raw.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

/** @param {string} url @param {import('node:https').RequestOptions} options */
async function statusOf(url, options) {
  const [response] = await once(get(url, options), 'response');
  response.destroy();
  return response.statusCode;
}

/** @param {Parameters<typeof startServer>[0]} options @param {RegExp} line of the server */
async function failsWith(options, line) {
  const error = await startServer(options).then(() => assert.fail('it started'), (error) => error);
  const [what, ...log] = error.message.split('\n');
  assert.match(what, /did not start: it ended with 1$/);
  assert.equal(log.length, 1);
  assert.match(log[0], line);
}
