import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { receiveFile, sendFile } from '../client/files.js';
import { fakeDataChannels, settle } from './fakes.js';

const CHUNK = 64 * 1024;
const WINDOW = 1024 * 1024;

/** Bytes that are the same for the same size, and not the same in two places. */
function blobOf(size, type = '') {
  const bytes = new Uint8Array(size);
  for (let at = 0, value = 1; at < size; at++) bytes[at] = value = (value * 31 + (at >> 8) + (at >> 16)) & 0xff;
  return new Blob([bytes], { type });
}

const isSame = async (one, other) => Buffer.from(await one.arrayBuffer()).equals(Buffer.from(await other.arrayBuffer()));
const coded = (code) => ({ name: 'SignalingError', code });

/** What this end is offered, once it is. */
const offered = (dataChannel) => new Promise((resolve) => receiveFile(dataChannel, (channel, file) => {
  resolve({ channel, file });
  return true;
}));

/** What settles without anybody who awaits it must not end the process: so nothing here is awaited. */
async function offer(blob, { readyState = 'connecting', ...options } = {}) {
  const [ours, theirs] = fakeDataChannels(readyState);
  const receiving = offered(theirs);
  const sending = sendFile(ours, blob, { channel: 'room', ...options });
  ours.open();
  const { file, channel } = await receiving;
  return { ours, theirs, sending, file, channel };
}

/** Reading and hashing take as many turns as they like. */
async function until(condition) {
  while (!condition()) await settle();
}

/** Time enough for what must not happen: as much as it takes to read and hash a window and more. */
async function quiet() {
  for (let turn = 0; turn < 24; turn++) {
    await crypto.subtle.digest('SHA-256', await new Blob([new Uint8Array(CHUNK)]).arrayBuffer());
    await settle();
  }
}

const chunksOf = (dataChannel) => dataChannel.sent.filter((data) => data instanceof ArrayBuffer);

test('a file arrives as it was, with name, type and progress on both sides, and nothing is left behind', async () => {
  const blob = blobOf(5_000_001, 'text/plain');
  const file = new File([blob], 'notes.txt', { type: 'text/plain' });
  const progress = { sent: [], received: [] };
  const call = await offer(file, { onprogress: (event) => progress.sent.push(event), readyState: 'connecting' });
  assert.deepEqual([call.channel, call.file.name, call.file.size, call.file.type], ['room', 'notes.txt', 5_000_001, 'text/plain']);
  const arrived = await call.file.accept({ onprogress: (event) => progress.received.push(event) }).blob();
  await call.sending;
  assert.ok(await isSame(arrived, blob));
  assert.equal(arrived.type, 'text/plain');
  for (const [side, events] of Object.entries(progress)) {
    assert.ok(events.every(({ bytes, size }, n) => size === 5_000_001 && bytes >= (events[n - 1]?.bytes ?? 0)), side);
    assert.equal(events.at(-1).bytes, 5_000_001, side);
  }
  await settle();
  assert.deepEqual([call.ours, call.theirs].map((end) => end.readyState), ['closed', 'closed']);
});

test('nothing but the offer is sent before it is accepted', async () => {
  for (const size of [0, 3 * WINDOW]) {
    const { ours } = await offer(blobOf(size, 'image/png'), { name: 'a' });
    await quiet();
    assert.deepEqual(ours.sent, [{ channel: 'room', name: 'a', size, type: 'image/png' }]);
  }
});

test('a reader that does not read stops the sender at the window, and reading goes on where it stopped', async () => {
  const blob = blobOf(3 * WINDOW + 5);
  const { ours, sending, file } = await offer(blob);
  const { stream } = file.accept();
  await until(() => chunksOf(ours).length === WINDOW / CHUNK);
  await quiet();
  assert.equal(chunksOf(ours).length, WINDOW / CHUNK);
  const reader = stream().getReader();
  const parts = [];
  for (let turn = 1; ; turn++) {
    const { value, done } = await reader.read();
    if (done) break;
    parts.push(value);
    await settle();
    assert.ok(chunksOf(ours).length - turn <= WINDOW / CHUNK, 'never more than the window');
  }
  await sending;
  assert.ok(await isSame(new Blob(parts), blob));
});

test('a receiver that asks for more than it takes cannot fill the memory of the sender', async () => {
  const { ours, theirs, sending } = await offer(blobOf(12 * WINDOW));
  theirs.onmessage = () => {};
  const send = ours.send;
  ours.send = (data) => {
    send.call(ours, data);
    ours.bufferedAmount += CHUNK; // As if the network were slow.
  };
  for (let chunk = 0; chunk < 12 * WINDOW / CHUNK; chunk++) theirs.send('{}');
  await assert.rejects(sending, coded('cancelled'));
  assert.ok(chunksOf(ours).length < 9 * WINDOW / CHUNK);
});

test('a file of no bytes', async () => {
  const { sending, file } = await offer(new Blob([]));
  assert.equal((await file.accept().blob()).size, 0);
  await sending;
});

test('declined before, midway and after', async () => {
  const { ours, sending, file } = await offer(blobOf(10));
  file.decline();
  file.decline();
  await assert.rejects(sending, coded('declined'));
  await assert.rejects(file.accept().blob(), coded('declined'));
  await settle();
  assert.equal(ours.readyState, 'closed');

  const midway = await offer(blobOf(3 * WINDOW));
  const onprogress = ({ bytes }) => bytes > WINDOW && midway.file.decline();
  await assert.rejects(midway.file.accept({ onprogress }).blob(), coded('declined'));
  await assert.rejects(midway.sending, coded('declined'));

  const after = await offer(blobOf(100));
  const blob = await after.file.accept().blob();
  after.file.decline();
  await after.sending;
  assert.equal(blob.size, 100);
});

test('the sender aborts before, midway and after', async () => {
  const [closed] = fakeDataChannels();
  await assert.rejects(sendFile(closed, blobOf(1), { channel: 'room', signal: AbortSignal.abort() }), coded('aborted'));
  assert.deepEqual([closed.readyState, chunksOf(closed)], ['closing', []]);

  const aborting = new AbortController();
  const midway = await offer(blobOf(3 * WINDOW), { signal: aborting.signal });
  const blob = midway.file.accept({ onprogress: ({ bytes }) => bytes > WINDOW && aborting.abort() }).blob();
  await assert.rejects(midway.sending, coded('aborted'));
  await assert.rejects(blob, coded('cancelled'));
  await quiet();

  const late = new AbortController();
  const after = await offer(blobOf(100), { signal: late.signal });
  await after.file.accept().blob();
  await after.sending;
  assert.equal(getEventListeners(late.signal, 'abort').length, 0);
});

test('cancelling the stream cancels the transfer', async () => {
  const { sending, file } = await offer(blobOf(3 * WINDOW));
  const reader = file.accept().stream().getReader();
  await reader.read();
  await reader.cancel();
  await assert.rejects(sending, coded('declined'));
});

test('what was changed on the way is found out, in the middle and in the last chunk', async () => {
  for (const changed of [3, 20]) {
    const { ours, sending, file } = await offer(blobOf(20 * CHUNK + 7));
    let chunks = 0;
    ours.tamper = (data) => {
      if (data instanceof ArrayBuffer && chunks++ === changed) new Uint8Array(data)[5] ^= 1;
      return data;
    };
    await assert.rejects(file.accept().blob(), coded('corrupted'));
    await assert.rejects(sending, coded('corrupted'));
    await settle();
    assert.equal(ours.readyState, 'closed');
  }
});

test('two chunks that change places are found out', async () => {
  const blob = blobOf(4 * CHUNK);
  const { ours, sending, file } = await offer(blob);
  const chunk = (n) => blob.slice(n * CHUNK, (n + 1) * CHUNK).arrayBuffer();
  const order = [await chunk(1), await chunk(0), await chunk(2), await chunk(3)];
  ours.tamper = (data) => (data instanceof ArrayBuffer ? order.shift() : data);
  await assert.rejects(file.accept().blob(), coded('corrupted'));
  await assert.rejects(sending, coded('corrupted'));
});

/** A sender that does what it likes. */
async function hostile(size) {
  const [ours, theirs] = fakeDataChannels();
  const receiving = offered(theirs);
  ours.send(JSON.stringify({ channel: 'room', name: '', size, type: '' }));
  const { file } = await receiving;
  const accepted = file.accept();
  await settle();
  return { ours, theirs, accepted };
}

test('a sender that overruns the window is cut off', async () => {
  const { ours, theirs, accepted } = await hostile(4 * WINDOW);
  for (let chunk = 0; chunk <= WINDOW / CHUNK; chunk++) ours.send(new ArrayBuffer(CHUNK));
  await quiet();
  assert.equal(theirs.readyState, 'closed');
  await assert.rejects(accepted.blob(), coded('corrupted'));
});

test('a sender that sends more, less or in other pieces than it said is cut off', async () => {
  for (const frames of [
    [new ArrayBuffer(100), new ArrayBuffer(1)], [new ArrayBuffer(101)], [new ArrayBuffer(1)], [new ArrayBuffer(0)],
    [new ArrayBuffer(100), new ArrayBuffer(0)],
    [JSON.stringify({ hash: [1] })], [JSON.stringify({ hash: [] })], [JSON.stringify({ result: 'done' })], ['{}'],
  ]) {
    const { ours, theirs, accepted } = await hostile(100);
    for (const frame of frames) ours.send(frame);
    await assert.rejects(accepted.blob(), coded('corrupted'));
    await settle();
    assert.equal(theirs.readyState, 'closed');
  }
});

/** Even what is not JSON. */
function say(dataChannel, data) {
  dataChannel.tamper = () => data;
  dataChannel.send('0');
}

test('rubbish ends the transfer on either side', async () => {
  for (const frame of ['null', '{', 'x']) {
    const { ours, theirs, accepted } = await hostile(100);
    say(ours, frame);
    await assert.rejects(accepted.blob());
    await settle();
    assert.equal(theirs.readyState, 'closed');
    const call = await offer(blobOf(100));
    say(call.theirs, frame);
    await assert.rejects(call.sending);
  }
});

test('rubbish for an offer harms nobody', async () => {
  for (const rubbish of ['null', '{', new ArrayBuffer(8), '{"size":{"valueOf":1,"toString":1}}']) {
    const [ours, theirs] = fakeDataChannels();
    receiveFile(theirs, () => assert.fail());
    say(ours, rubbish);
    await settle();
    assert.equal(ours.readyState, 'closed', String(rubbish));
  }
  const [ours, theirs] = fakeDataChannels();
  const receiving = offered(theirs);
  ours.send(JSON.stringify({ channel: 1, name: [2], size: '3', type: null }));
  const { file: { name, size, type } } = await receiving;
  assert.deepEqual([name, size, type], ['2', 3, 'null']);
});

test('a file in a channel that is not shared is declined', async () => {
  const [ours, theirs] = fakeDataChannels('connecting');
  receiveFile(theirs, () => false);
  const sending = sendFile(ours, blobOf(1), { channel: 'room' });
  ours.open();
  await assert.rejects(sending, coded('declined'));
});

test('a connection that is lost ends both sides', async () => {
  const early = fakeDataChannels('connecting')[0];
  const opening = sendFile(early, blobOf(1), { channel: 'room' });
  early.drop();
  await assert.rejects(opening, coded('connection_lost'));

  const unanswered = await offer(blobOf(1));
  unanswered.ours.drop();
  await assert.rejects(unanswered.sending, coded('connection_lost'));
  await assert.rejects(unanswered.file.accept().blob(), coded('connection_lost'));

  const midway = await offer(blobOf(3 * WINDOW));
  const blob = midway.file.accept({ onprogress: ({ bytes }) => bytes > WINDOW && midway.ours.drop() }).blob();
  await assert.rejects(midway.sending, coded('connection_lost'));
  await assert.rejects(blob, coded('connection_lost'));
});

test('nobody has to listen to a failure', async () => {
  const { ours, file } = await offer(blobOf(3 * WINDOW));
  file.accept().blob();
  await settle();
  ours.drop();
  await quiet();
});

test('a file that cannot be read any more', async () => {
  const broken = { size: 100, type: '', slice: () => ({ arrayBuffer: async () => { throw new DOMException('gone', 'NotReadableError'); } }) };
  const { sending, file } = await offer(/** @type {any} */ (broken));
  const blob = file.accept().blob();
  await assert.rejects(sending, { name: 'NotReadableError' });
  await assert.rejects(blob, coded('cancelled'));
});

test('a hostile name is made harmless', async () => {
  const named = async (name) => (await offer(blobOf(1), { name })).file.name;
  for (const [name, harmless] of [
    ['../../etc/passwd', '.._.._etc_passwd'], ['C:\\a.txt', 'C:_a.txt'], ['a\0b\nc', 'a_b_c'],
    ['photo\u202Egpj.exe', 'photo_gpj.exe'], ['.profile', '.profile'], ['Zoë 👩.png', 'Zoë 👩.png'],
    ['x'.repeat(300), 'x'.repeat(255)], ['x'.repeat(254) + '👩', 'x'.repeat(254) + '_'],
  ]) assert.equal(await named(name), harmless);
  assert.equal(await named(undefined), '');
});

test('without crypto.subtle the size is all that is compared', async (t) => {
  t.mock.getter(globalThis.crypto, 'subtle', () => undefined);
  const blob = blobOf(2 * CHUNK + 1);
  const { sending, file } = await offer(blob);
  assert.ok(await isSame(await file.accept().blob(), blob));
  await sending;
});

for (const [who, hash] of /** @type {const} */ ([['sender', []], ['receiver', [1, 2, 3]]])) {
  test(`only the ${who} is without crypto.subtle: then, too`, async (t) => {
    if (who === 'receiver') t.mock.getter(globalThis.crypto, 'subtle', () => undefined);
    const blob = blobOf(2 * CHUNK + 1);
    const { ours, sending, file } = await offer(blob);
    ours.tamper = (data) => String(data).startsWith('{"hash') ? JSON.stringify({ hash }) : data;
    assert.ok(await isSame(await file.accept().blob(), blob));
    await sending;
  });
}
