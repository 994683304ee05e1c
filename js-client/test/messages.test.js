import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Messages } from '../client/messages.js';
import { settle } from './fakes.js';

let now = 1_000;
mock.method(Date, 'now', () => ++now);

/** One side: what it heard, what it gave to the server, and its data channel when one was made. */
function side({ knows = () => true } = {}) {
  const heard = [];
  const relayed = [];
  const complaints = [];
  const it = {
    heard, relayed, complaints, knows,
    messages: new Messages({
      deliver: (channel, data) => it.knows(channel) && heard.push([channel, data]) > 0,
      relay: async (frame) => void relayed.push(structuredClone(frame)),
      debug: (...complaint) => complaints.push(complaint),
    }),
    /** The data channel of a new RTCPeerConnection. */
    connect() {
      const dataChannel = { readyState: 'connecting', outbox: [], send: (data) => dataChannel.outbox.push(data) };
      it.dataChannel = dataChannel;
      it.messages.attach({
        createDataChannel: (label, options) => Object.assign(dataChannel, { label, options }),
      });
    },
  };
  return it;
}

/** Both sides get a data channel, and it opens. */
function connect(...sides) {
  for (const it of sides) it.connect();
  for (const { dataChannel } of sides) {
    dataChannel.readyState = 'open';
    dataChannel.onopen();
  }
  exchange(...sides);
}

/** Carries what is on the way until nothing is. @returns the number of frames */
function exchange(ann, bob) {
  if (!bob) return 0;
  let frames = 0;
  while (ann.dataChannel.outbox.length + bob.dataChannel.outbox.length > 0) {
    for (const [from, to] of [[ann, bob], [bob, ann]]) {
      for (const data of from.dataChannel.outbox.splice(0)) {
        frames++;
        to.dataChannel.onmessage({ data: data instanceof ArrayBuffer ? data.slice(0) : data });
      }
    }
  }
  return frames;
}

/** What the server has from one side arrives at the other. */
function deliver(from, to) {
  for (const frame of from.relayed.splice(0)) to.messages.receive(frame);
}

const data = ({ heard }) => heard.map(([, value]) => value);

test('over the data channel, in order, and nothing through the server', async () => {
  const [ann, bob] = [side(), side()];
  connect(ann, bob);
  assert.deepEqual(ann.dataChannel.options, { negotiated: true, id: 0 });
  await ann.messages.send('room', 'one');
  await bob.messages.send('room', { two: [2, null] });
  await ann.messages.send('other', null);
  exchange(ann, bob);
  assert.deepEqual(bob.heard, [['room', 'one'], ['other', null]]);
  assert.deepEqual(ann.heard, [['room', { two: [2, null] }]]);
  assert.deepEqual([ann.relayed, bob.relayed], [[], []]);
});

test('through the server while no data channel is open', async () => {
  const [ann, bob] = [side(), side()];
  await ann.messages.send('room', 'early');
  ann.connect();
  bob.connect();
  await ann.messages.send('room', Uint8Array.of(0, 255, 7));
  deliver(ann, bob);
  assert.deepEqual(bob.heard[0], ['room', 'early']);
  assert.deepEqual(new Uint8Array(bob.heard[1][1]), Uint8Array.of(0, 255, 7));
});

test('what is on the way through the server when the data channel opens is heard once, and in order', async () => {
  const [ann, bob] = [side(), side()];
  await ann.messages.send('room', 1);
  deliver(ann, bob);
  await ann.messages.send('room', 2);
  await ann.messages.send('room', 3);
  const late = ann.relayed.splice(0);
  connect(ann, bob);
  await ann.messages.send('room', 4);
  exchange(ann, bob);
  for (const frame of late) bob.messages.receive(frame);
  assert.deepEqual(data(bob), [1, 2, 3, 4]);
});

test('what overtook the data channel through the server waits for the rest', async () => {
  const [ann, bob] = [side(), side()];
  for (const number of [1, 2, 3]) await ann.messages.send('room', number);
  ann.relayed.shift();
  deliver(ann, bob);
  assert.deepEqual(data(bob), []);
  connect(ann, bob);
  assert.deepEqual(data(bob), [1, 2, 3]);
});

test('a new data channel begins with what the old one lost', async () => {
  const [ann, bob] = [side(), side()];
  connect(ann, bob);
  await ann.messages.send('room', 1);
  exchange(ann, bob);
  await ann.messages.send('room', 2);
  await ann.messages.send('room', new ArrayBuffer(3));
  await bob.messages.send('room', 'back');
  ann.dataChannel.outbox = bob.dataChannel.outbox = [];
  connect(ann, bob);
  assert.deepEqual(data(bob).map((value) => value.byteLength ?? value), [1, 2, 3]);
  assert.deepEqual(data(ann), ['back']);
});

test('when the data channel closes, the server takes over', async () => {
  const [ann, bob] = [side(), side()];
  connect(ann, bob);
  await ann.messages.send('room', 1);
  exchange(ann, bob);
  ann.dataChannel.readyState = 'closed';
  await ann.messages.send('room', 2);
  deliver(ann, bob);
  assert.deepEqual(data(bob), [1, 2]);
});

test('the buffer of a binary message is the application\'s again at once', async () => {
  const [ann, bob] = [side(), side()];
  const bytes = Uint8Array.of(9, 1, 2, 9);
  await ann.messages.send('room', bytes.subarray(1, 3));
  await ann.messages.send('room', bytes.buffer);
  bytes.fill(0);
  connect(ann, bob);
  assert.deepEqual(data(bob).map((buffer) => [...new Uint8Array(buffer)]), [[1, 2], [9, 1, 2, 9]]);
});

test('a binary message of no bytes is one, too', async () => {
  const [ann, bob] = [side(), side()];
  await ann.messages.send('room', new ArrayBuffer(0));
  connect(ann, bob);
  assert.ok(data(bob)[0] instanceof ArrayBuffer);
  assert.equal(data(bob)[0].byteLength, 0);
});

test('16 messages are confirmed by one frame, and no longer kept', async () => {
  const [ann, bob] = [side(), side()];
  connect(ann, bob);
  for (let number = 0; number < 40; number++) await ann.messages.send('room', number);
  assert.equal(exchange(ann, bob), 42);
  connect(ann);
  ann.dataChannel.outbox = [];
  ann.dataChannel.onmessage({ data: '{"of":1,"to":0,"received":0}' }); // Has forgotten everything.
  assert.deepEqual(ann.dataChannel.outbox.map((text) => JSON.parse(text).n), [33, 34, 35, 36, 37, 38, 39, 40]);
});

/** Sends until no more is taken. @returns how many were */
async function fill(ann, message) {
  for (let number = 0; ; number++) {
    try {
      await ann.messages.send('room', message);
    } catch (error) {
      assert.equal(error.code, 'queue_full');
      return number;
    }
  }
}

test('more than 4 MiB that nobody confirms are refused, and what was taken arrives', async () => {
  const [ann, bob] = [side(), side()];
  connect(ann, bob);
  const taken = await fill(ann, new ArrayBuffer(48_000));
  assert.ok(taken > 60 && taken < 70, `${taken}`);
  exchange(ann, bob);
  await ann.messages.send('room', 'again');
  exchange(ann, bob);
  assert.equal(bob.heard.length, taken + 1);
  assert.equal(data(bob).at(-1), 'again');
});

test('what was confirmed counts no longer', async () => {
  const [ann, bob] = [side(), side()];
  connect(ann, bob);
  for (let number = 0; number < 320; number++) {
    await ann.messages.send('room', 'x'.repeat(60_000));
    exchange(ann, bob);
  }
  assert.equal(bob.heard.length, 320);
});

test('who never answers may be none of us, and hears everything through the server', async () => {
  const ann = side();
  for (let number = 0; number < 200; number++) await ann.messages.send('room', String(number).padEnd(60_000));
  assert.equal(ann.relayed.length, 200);
  const bob = side();
  connect(ann, bob);
  const numbers = data(bob).map(Number);
  assert.ok(numbers.length > 60 && numbers.length < 80, `${numbers.length}`);
  assert.deepEqual(numbers, Array.from(numbers, (_, index) => 200 - numbers.length + index));
});

test('more than 4 MiB through the server, between two who never get a data channel', async () => {
  const [ann, bob] = [side(), side()];
  await bob.messages.send('room', 'hello');
  deliver(bob, ann);
  for (let number = 0; number < 200; number++) {
    await ann.messages.send('room', String(number).padEnd(60_000));
    deliver(ann, bob);
    deliver(bob, ann);
  }
  assert.equal(bob.heard.length, 200);
  connect(ann, bob);
  await ann.messages.send('room', 'directly');
  assert.equal(exchange(ann, bob), 1);
  assert.equal(bob.heard.length, 201);
});

test('a message has at most 48,000 bytes when binary, 64,000 as JSON', async () => {
  const [ann, bob] = [side(), side()];
  connect(ann, bob);
  await ann.messages.send('room', new ArrayBuffer(48_000));
  await ann.messages.send('room', 'x'.repeat(63_998));
  for (const big of [new ArrayBuffer(48_500), new ArrayBuffer(1 << 24), 'é'.repeat(32_500), 'x'.repeat(64_501)]) {
    await assert.rejects(ann.messages.send('room', big), { code: 'too_large' });
  }
  await ann.messages.send('room', 'after');
  exchange(ann, bob);
  assert.deepEqual(data(bob).map((value) => value.byteLength ?? value.length), [48_000, 63_998, 5]);
});

test('who has begun anew is understood from its first message on', async () => {
  const [ann, bob] = [side(), side()];
  connect(ann, bob);
  for (const number of [1, 2, 3]) await ann.messages.send('room', number);
  await bob.messages.send('room', 'kept');
  ann.dataChannel.outbox = [];
  const again = side();
  connect(again, bob);
  await again.messages.send('room', 'new');
  exchange(again, bob);
  deliver(ann, bob);
  assert.deepEqual(data(bob), ['new']);
  assert.deepEqual(data(again), ['kept']);
});

test('a late message of the one before is dropped', async () => {
  const [ann, again, bob] = [side(), side(), side()];
  await ann.messages.send('room', 'old');
  await again.messages.send('room', 'new');
  deliver(again, bob);
  deliver(ann, bob);
  assert.deepEqual(data(bob), ['new']);
});

test('what comes before its channel is known waits for it, 64 at most', async () => {
  const [ann, bob] = [side(), side({ knows: (channel) => channel === 'room' })];
  connect(ann, bob);
  for (let number = 0; number < 70; number++) await ann.messages.send('new', number);
  await ann.messages.send('room', 'known');
  exchange(ann, bob);
  assert.deepEqual(data(bob), ['known']);
  bob.knows = () => true;
  bob.messages.introduced();
  assert.equal(bob.heard.length, 65);
  assert.deepEqual(bob.heard[1], ['new', 0]);
});

test('whoever floods the data channel is answered there, not through the server', async () => {
  const ann = side();
  connect(ann);
  for (let n = 16; n <= 160; n += 16) ann.dataChannel.onmessage({ data: JSON.stringify({ of: 1, n, channel: 'room', data: n }) });
  assert.deepEqual(ann.relayed, []);
  assert.equal(JSON.parse(ann.dataChannel.outbox.at(-1)).received, 160);
});

test('rubbish harms nobody', async () => {
  const [ann, bob] = [side(), side()];
  connect(ann, bob);
  for (const rubbish of ['{', 'null', '1', '{"n":"x"}', '{"received":"x"}', '{"of":{}}', new ArrayBuffer(2)]) {
    bob.dataChannel.onmessage({ data: rubbish });
  }
  bob.messages.receive({ of: 1, n: 1, channel: 'room', binary: '!' });
  bob.messages.receive({});
  assert.ok(bob.complaints.length > 0);
  connect(ann, bob);
  await ann.messages.send('room', 'fine');
  exchange(ann, bob);
  await settle();
  assert.deepEqual(data(bob), ['fine']);
});

/** Numbers from 0 to 1, the same ones each time (mulberry32). */
function chances(seed) {
  return () => {
    let hash = Math.imul((seed += 0x6d2b79f5) ^ (seed >>> 15), 1 | seed);
    hash = (hash + Math.imul(hash ^ (hash >>> 7), 61 | hash)) ^ hash;
    return ((hash ^ (hash >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('whatever is lost on the way, and whoever begins anew: each message is heard once and in order', async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const chance = chances(seed);
    let generation = 0;
    let last = 0;
    /** Who is there, what is due to be heard of it from then on, and on which generation of data channels it is. */
    const ends = [0, 1].map(() => Object.assign(side(), { due: [], generation }));

    const open = (it) => {
      if (it.dataChannel?.readyState !== 'connecting') return;
      it.dataChannel.readyState = 'open';
      it.dataChannel.onopen();
    };
    const renew = (it) => {
      it.connect();
      it.generation = generation;
    };
    const carry = (from, to) => {
      if (!from.dataChannel || to.dataChannel?.readyState === 'connecting') return;
      const [text] = from.dataChannel.outbox.splice(0, 1);
      if (text && from.generation === to.generation && to.dataChannel?.readyState === 'open') {
        to.dataChannel.onmessage({ data: text });
      } else if (text) {
        from.dataChannel.outbox = []; // Ordered: nothing comes after what is lost.
        from.dataChannel.readyState = 'closed';
      }
    };

    for (let step = 0; step < 200; step++) {
      const [one, other] = chance() < 0.5 ? [0, 1] : [1, 0];
      const [it, its] = [ends[one], ends[other]];
      const what = chance();
      if (what < 0.35) {
        its.due.push(++last);
        await it.messages.send('room', last);
      } else if (what < 0.6) {
        carry(it, its);
      } else if (what < 0.75) {
        if (it.relayed[0]) its.messages.receive(it.relayed.shift());
      } else if (what < 0.8) {
        it.relayed.shift();
      } else if (what < 0.92) {
        if (it.generation === its.generation) open(it);
      } else if (what < 0.94) {
        if (it.dataChannel) it.dataChannel.readyState = 'closed';
      } else if (what < 0.98) {
        if (it.generation === generation) generation++;
        renew(it);
      } else if (what < 0.982) {
        ends[one] = Object.assign(side(), { due: [], generation: ++generation });
        its.due = []; // Who is gone repeats nothing.
      }
    }
    generation++;
    ends.forEach(renew);
    ends.forEach(open);
    exchange(...ends);
    for (const it of ends) {
      const heard = data(it);
      assert.deepEqual(heard, [...new Set(heard)].sort((a, b) => a - b), `seed ${seed}`);
      assert.deepEqual(it.due.filter((number) => !heard.includes(number)), [], `seed ${seed}`);
    }
  }
});
