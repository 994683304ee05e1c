import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { IncomingFile, receiveFile, sendFile } from '../client/files.js';
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

/** What settles without anybody who awaits it must not end the process: so nothing here is awaited. */
async function offer(blob, { readyState, ...options } = {}) {
  const [ours, theirs] = fakeDataChannels(readyState);
  const receiving = receiveFile(theirs);
  const sending = sendFile(ours, blob, { channel: 'room', ...options });
  if (readyState) ours.open();
  const received = await receiving;
  return { ours, theirs, sending, file: received.file, channel: received.channel };
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
  assert.deepEqual([call.ours, call.theirs].map((end) => [end.readyState, end.hasListeners]), [['closed', false], ['closed', false]]);
});

test('the receiver says what was read once for each quarter of the window', async () => {
  const { theirs, sending, file } = await offer(blobOf(3 * WINDOW));
  await file.accept().blob();
  await sending;
  const credits = theirs.sent.filter(({ consumed }) => consumed > 0);
  assert.ok(credits.length >= 8 && credits.length <= 12, `${credits.length}`);
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

test('a receiver that confirms at once cannot make the sender buffer more than the window', async () => {
  const [ours, theirs] = fakeDataChannels();
  sendFile(ours, blobOf(4 * WINDOW), { channel: 'room' });
  theirs.onmessage = () => {};
  let most = 0;
  const send = ours.send;
  ours.send = (data) => {
    send.call(ours, data);
    most = Math.max(most, ours.bufferedAmount);
    // As if the network were slow, and the receiver knew what is to come.
    if (data instanceof ArrayBuffer) ours.bufferedAmount += CHUNK;
    ours.onmessage?.({ data: JSON.stringify({ consumed: chunksOf(ours).length * CHUNK - CHUNK }) });
  };
  await settle();
  ours.onmessage({ data: '{"consumed":0}' });
  await until(() => chunksOf(ours).length >= 8);
  await quiet();
  assert.ok(most <= WINDOW, `${most}`);
  const { length } = chunksOf(ours);
  assert.ok(length <= WINDOW / CHUNK, `${length}`);
  ours.bufferedAmount = 0;
  ours.onbufferedamountlow({});
  await until(() => chunksOf(ours).length > length);
  ours.close();
});

test('a file of no bytes', async () => {
  const { sending, file } = await offer(new Blob([]));
  assert.equal((await file.accept().blob()).size, 0);
  await sending;
});

test('declined', async () => {
  const { ours, sending, file } = await offer(blobOf(10));
  file.decline();
  await assert.rejects(sending, coded('declined'));
  assert.throws(() => file.decline(), coded('closed'));
  assert.throws(() => file.accept(), coded('closed'));
  await settle();
  assert.deepEqual([ours.readyState, ours.hasListeners], ['closed', false]);
});

test('accepted once', async () => {
  const { file } = await offer(blobOf(10));
  file.accept();
  assert.throws(() => file.accept(), coded('closed'));
  assert.throws(() => file.decline(), coded('closed'));
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
  assert.ok(!midway.ours.hasListeners && !midway.theirs.hasListeners);

  const late = new AbortController();
  const after = await offer(blobOf(100), { signal: late.signal });
  await after.file.accept().blob();
  await after.sending;
  assert.equal(getEventListeners(late.signal, 'abort').length, 0);
});

test('the receiver aborts before, midway and after', async () => {
  const before = await offer(blobOf(1));
  await assert.rejects(before.file.accept({ signal: AbortSignal.abort() }).blob(), coded('aborted'));
  await assert.rejects(before.sending, coded('cancelled'));

  const aborting = new AbortController();
  const midway = await offer(blobOf(3 * WINDOW));
  const onprogress = ({ bytes }) => bytes > WINDOW && aborting.abort();
  await assert.rejects(midway.file.accept({ signal: aborting.signal, onprogress }).blob(), coded('aborted'));
  await assert.rejects(midway.sending, coded('cancelled'));
  await quiet();
  assert.ok(!midway.ours.hasListeners && !midway.theirs.hasListeners);

  const late = new AbortController();
  const after = await offer(blobOf(100));
  const blob = await after.file.accept({ signal: late.signal }).blob();
  assert.equal(getEventListeners(late.signal, 'abort').length, 0);
  late.abort();
  await after.sending;
  assert.equal(blob.size, 100);
});

test('cancelling the stream cancels the transfer', async () => {
  const { theirs, sending, file } = await offer(blobOf(3 * WINDOW));
  const reader = file.accept().stream().getReader();
  await reader.read();
  await reader.cancel();
  await assert.rejects(sending, coded('cancelled'));
  assert.ok(!theirs.hasListeners);
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
  const receiving = receiveFile(theirs);
  ours.send(JSON.stringify({ channel: 'room', name: '', size, type: '' }));
  const { file } = await receiving;
  const accepted = file.accept();
  await settle();
  return { ours, theirs, accepted };
}

test('a sender that overruns the window is cut off', async () => {
  const { ours, theirs, accepted } = await hostile(4 * WINDOW);
  for (let chunk = 0; chunk <= WINDOW / CHUNK; chunk++) ours.send(new ArrayBuffer(CHUNK));
  await settle();
  assert.equal(theirs.readyState, 'closed');
  await assert.rejects(accepted.blob(), coded('corrupted'));
});

test('a sender that sends more, less or in other pieces than it said is cut off', async () => {
  for (const frames of [
    [new ArrayBuffer(100), new ArrayBuffer(1)], [new ArrayBuffer(101)], [new ArrayBuffer(1)], [new ArrayBuffer(0)],
    [new ArrayBuffer(100), new ArrayBuffer(0)],
    [JSON.stringify({ hash: [1] })], [JSON.stringify({ hash: [] })],
  ]) {
    const { ours, theirs, accepted } = await hostile(100);
    for (const frame of frames) ours.send(frame);
    await assert.rejects(accepted.blob(), coded('corrupted'));
    await settle();
    assert.equal(theirs.readyState, 'closed');
  }
});

test('a last word that is said twice', async () => {
  const { ours, accepted } = await hostile(100);
  for (const frame of [new ArrayBuffer(100), '{"hash":[]}', '{"hash":[]}']) ours.send(frame);
  assert.equal((await accepted.blob()).size, 100);
});

test('what waits to be hashed counts as not read', async (t) => {
  t.mock.method(crypto.subtle, 'digest', () => new Promise(() => {}));
  const { ours, theirs, accepted } = await hostile(4 * WINDOW);
  const reader = accepted.stream().getReader();
  for (let chunk = 0; chunk < WINDOW / CHUNK; chunk++) {
    ours.send(new ArrayBuffer(CHUNK));
    await reader.read();
  }
  await settle();
  assert.deepEqual(theirs.sent, [{ consumed: 0 }]);
  ours.close();
});

test('words that nobody knows end the transfer on either side', async () => {
  for (const frame of ['{}', 'null', '5']) {
    const { ours, accepted } = await hostile(100);
    ours.send(frame);
    await assert.rejects(accepted.blob(), coded('cancelled'));
  }
  for (const frame of [
    {}, null, { consumed: -1 }, { consumed: 1 }, { consumed: 0.5 }, { consumed: 'much' }, { result: 'done' }, { result: 'constructor' },
  ]) {
    const { theirs, sending } = await offer(blobOf(100));
    theirs.send(JSON.stringify(frame));
    await assert.rejects(sending, coded('cancelled'));
  }
});

test('rubbish for an offer is none', async () => {
  const offers = [
    'null', '5', '[]', '{}', new ArrayBuffer(8),
    ...[{ channel: 1 }, { name: null }, { type: {} }, { size: -1 }, { size: 1.5 }, { size: '1' }, { size: 2 ** 60 }]
      .map((wrong) => JSON.stringify({ channel: 'room', name: 'a', size: 1, type: '', ...wrong })),
  ];
  for (const rubbish of offers) {
    const [ours, theirs] = fakeDataChannels();
    ours.send(rubbish);
    assert.equal(await receiveFile(theirs), null, String(rubbish));
    await settle();
    assert.deepEqual([ours.readyState, theirs.hasListeners], ['closed', false]);
  }
});

test('a channel that closes before the offer', async () => {
  const [ours, theirs] = fakeDataChannels();
  const receiving = receiveFile(theirs);
  ours.close();
  assert.equal(await receiving, null);
});

test('a connection that is lost ends both sides', async () => {
  const early = fakeDataChannels('connecting')[0];
  const opening = sendFile(early, blobOf(1), { channel: 'room' });
  early.drop();
  await assert.rejects(opening, coded('connection_lost'));
  await assert.rejects(sendFile(early, blobOf(1), { channel: 'room' }), coded('connection_lost'));

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

test('a hostile name is made harmless, and what is offered cannot be changed', () => {
  const named = (name) => new IncomingFile(/** @type {any} */ ({}), { name, size: 1, type: '' });
  assert.deepEqual(
    ['../../etc/passwd', 'C:\\a.txt', '..', '.', 'a\0b\nc', 'photo\u202Egpj.exe', '.profile', 'Zoë 👩‍👩‍👧.png'].map((name) => named(name).name),
    ['.._.._etc_passwd', 'C:_a.txt', '_', '_', 'a_b_c', 'photo_gpj.exe', '.profile', 'Zoë 👩‍👩‍👧.png'],
  );
  assert.equal(named('x'.repeat(300)).name.length, 255);
  assert.equal(named('x'.repeat(254) + '👩').name, 'x'.repeat(254) + '_');
  assert.throws(() => Object.assign(named('a'), { name: '/' }), TypeError);
});

test('without crypto.subtle, on either side or both, the size is all that is compared', async (t) => {
  const whole = async () => {
    const blob = blobOf(2 * CHUNK + 1);
    const { sending, file } = await offer(blob);
    assert.ok(await isSame(await file.accept().blob(), blob));
    await sending;
  };
  const handmade = async (hash) => {
    const { ours, accepted } = await hostile(100);
    ours.send(new ArrayBuffer(100));
    ours.send(JSON.stringify({ hash }));
    return accepted.blob();
  };
  assert.equal((await handmade([])).size, 100);
  await assert.rejects(handmade([1, 2, 3]), coded('corrupted'));
  t.mock.getter(globalThis.crypto, 'subtle', () => undefined);
  await whole();
  assert.equal((await handmade([1, 2, 3])).size, 100);
});
