import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QualityMeter } from '../client/quality.js';

// Entries, fields and ids are those of Chromium 156 and Firefox 153, reduced to what is read and to what could be
// mistaken for it; the values are rounder.

const START = 1_795_259_091_000;

/** A connection whose reports are given one after the other. */
function measuring(...reports) {
  const connection = {
    connectionState: 'connected',
    getStats: async () => new Map(reports.shift().map((entry) => [entry.id, entry])),
  };
  const meter = new QualityMeter();
  return { connection, measure: () => meter.measure(connection) };
}

async function measureAll(...reports) {
  const { measure } = measuring(...reports);
  const qualities = [];
  for (const _ of [...reports]) qualities.push(await measure());
  return qualities;
}

/** The `n`th report, two seconds each; every part can be changed. */
function chromium(n, { pair, audio, video, local } = {}) {
  const timestamp = START + 2_000 * n;
  return [
    // Was nominated and used before the one that is selected now.
    { id: 'CPold', type: 'candidate-pair', timestamp, state: 'succeeded', nominated: true, writable: false,
      bytesSent: 17_235, bytesReceived: 17_471, currentRoundTripTime: 0.9,
      localCandidateId: 'IL', remoteCandidateId: 'Irelay' },
    { id: 'CPidle', type: 'candidate-pair', timestamp, state: 'waiting', nominated: false, writable: false,
      bytesSent: 0, bytesReceived: 0, localCandidateId: 'IL', remoteCandidateId: 'Irelay' },
    { id: 'CPnow', type: 'candidate-pair', timestamp, state: 'succeeded', nominated: true, writable: true,
      bytesSent: 400_000 + 150_000 * n, bytesReceived: 400_000 + 125_000 * n, currentRoundTripTime: 0.005,
      localCandidateId: 'IL', remoteCandidateId: 'IR', ...pair },
    { id: 'IL', type: 'local-candidate', timestamp, candidateType: 'host', ...local },
    { id: 'IR', type: 'remote-candidate', timestamp, candidateType: 'prflx' },
    { id: 'Irelay', type: 'remote-candidate', timestamp, candidateType: 'relay' },
    { id: 'IT01A3404056072', type: 'inbound-rtp', kind: 'audio', timestamp, packetsReceived: 305 + 100 * n,
      packetsLost: 0, bytesReceived: 17_717, ...audio },
    { id: 'IT01V321651128', type: 'inbound-rtp', kind: 'video', timestamp, packetsReceived: 399 + 100 * n,
      packetsLost: 0, bytesReceived: 368_096, framesDecoded: 121 + 40 * n, framesPerSecond: 20, ...video },
    { id: 'OT01V3279744444', type: 'outbound-rtp', kind: 'video', timestamp, packetsSent: 398, framesPerSecond: 30 },
    { id: 'RIA1193673492', type: 'remote-inbound-rtp', kind: 'audio', timestamp: timestamp - 300, packetsLost: 0,
      fractionLost: 0, roundTripTime: 0.001114 },
    { id: 'RIV3279744444', type: 'remote-inbound-rtp', kind: 'video', timestamp: timestamp - 54, packetsLost: 0,
      fractionLost: 0, roundTripTime: 0.002075 },
    { id: 'T01', type: 'transport', timestamp, selectedCandidatePairId: 'CPnow' },
  ];
}

function firefox(n, { pair } = {}) {
  const timestamp = START + 2_000 * n;
  return [
    { id: '8cccc0c4', type: 'inbound-rtp', kind: 'audio', timestamp, packetsReceived: 304 + 100 * n, packetsLost: 0 },
    { id: 'f42b325', type: 'inbound-rtp', kind: 'video', timestamp, packetsReceived: 188 + 60 * n, packetsLost: 0,
      framesDecoded: 181 + 60 * n, framesPerSecond: 30 },
    // Before its first sender report was answered: no round-trip time.
    { id: 'c7c0f539', type: 'remote-inbound-rtp', kind: 'audio', timestamp: timestamp - 1_000, packetsLost: 0,
      fractionLost: 0, totalRoundTripTime: 0, roundTripTimeMeasurements: 0 },
    { id: 'f4657086', type: 'remote-inbound-rtp', kind: 'video', timestamp: timestamp - 500, packetsLost: 0, fractionLost: 0,
      roundTripTime: 0.303 },
    { id: '335af23', type: 'candidate-pair', timestamp, state: 'succeeded', nominated: true, selected: false,
      bytesSent: 0, bytesReceived: 0, currentRoundTripTime: 0.7,
      localCandidateId: '6c20fab7', remoteCandidateId: 'bea015f9' },
    { id: '335af24', type: 'candidate-pair', timestamp, state: 'succeeded', nominated: true, selected: true,
      bytesSent: 225_700 + 75_000 * n, bytesReceived: 229_294 + 50_000 * n, currentRoundTripTime: 0,
      localCandidateId: '6c20fab7', remoteCandidateId: 'bea015f9', ...pair },
    { id: '6c20fab7', type: 'local-candidate', timestamp, candidateType: 'relay' },
    { id: 'bea015f9', type: 'remote-candidate', timestamp, candidateType: 'prflx' },
    { id: 'f7ca3fe2', type: 'transport', timestamp, selectedCandidatePairId: '335af24' },
  ];
}

const withoutMedia = (report) => report.filter(({ type }) => !type.includes('rtp'));

test('a call in Chromium', async () => {
  const [first, second] = await measureAll(chromium(0), chromium(1));
  const quality = { level: 'excellent', roundTripTime: 5, loss: 0, framesPerSecond: 20, relayed: false };
  assert.deepEqual(first, { ...quality, kilobitsPerSecond: { incoming: 0, outgoing: 0 } });
  assert.deepEqual(second, { ...quality, kilobitsPerSecond: { incoming: 500, outgoing: 600 } });
});

test('a call in Firefox', async () => {
  const pair = { currentRoundTripTime: 0.303 };
  const [, second] = await measureAll(firefox(0, { pair }), firefox(1, { pair }));
  assert.deepEqual(second, {
    level: 'good', roundTripTime: 303, loss: 0, framesPerSecond: 30,
    kilobitsPerSecond: { incoming: 200, outgoing: 300 }, relayed: true,
  });
});

test('without media there is a round-trip time, what flows and the path', async () => {
  const [, second] = await measureAll(withoutMedia(chromium(0)), withoutMedia(chromium(1)));
  assert.deepEqual(second, {
    level: 'excellent', roundTripTime: 5, loss: 0, framesPerSecond: null,
    kilobitsPerSecond: { incoming: 500, outgoing: 600 }, relayed: false,
  });
});

test('a round-trip time that was never measured is not 0', async () => {
  const [quality] = await measureAll(withoutMedia(firefox(0)));
  assert.equal(quality.roundTripTime, null);
  assert.equal(quality.level, 'excellent');
});

test('before there is a path, nothing is known', async () => {
  const { connection, measure } = measuring([]);
  connection.connectionState = 'connecting';
  assert.deepEqual(await measure(), {
    level: 'lost', roundTripTime: null, loss: 0, framesPerSecond: null,
    kilobitsPerSecond: { incoming: 0, outgoing: 0 }, relayed: null,
  });
});

test('not connected is lost, however good it was', async () => {
  for (const state of ['disconnected', 'failed', 'closed']) {
    const { connection, measure } = measuring(chromium(0), chromium(1));
    assert.equal((await measure()).level, 'excellent');
    connection.connectionState = state;
    assert.equal((await measure()).level, 'lost', state);
  }
});

test('loss is what did not come in since the last measurement', async () => {
  const [first, second, third] = await measureAll(
    chromium(0, { audio: { packetsReceived: 90, packetsLost: 10 }, video: { packetsReceived: 100 } }),
    chromium(1, { audio: { packetsReceived: 186, packetsLost: 14 }, video: { packetsReceived: 200 } }),
    chromium(2, { audio: { packetsReceived: 286, packetsLost: 14 }, video: { packetsReceived: 300 } }),
  );
  assert.deepEqual([first.loss, second.loss, third.loss], [0, 0.02, 0]);
});

test('the level is the worse of round-trip time and loss', async () => {
  const level = async (currentRoundTripTime, packetsLost) => {
    const stream = { packetsReceived: 1_000 - packetsLost, packetsLost };
    const none = { packetsReceived: 0, packetsLost: 0 };
    const [, quality] = await measureAll(
      chromium(0, { audio: none, video: none }),
      chromium(1, { audio: none, video: stream, pair: { currentRoundTripTime } }),
    );
    return quality.level;
  };
  assert.equal(await level(0.15, 20), 'excellent');
  assert.equal(await level(0.151, 0), 'good');
  assert.equal(await level(0, 21), 'good');
  assert.equal(await level(0.4, 50), 'good');
  assert.equal(await level(0.401, 0), 'poor');
  assert.equal(await level(0, 51), 'poor');
});

test('counters that restart, shrink or vanish give no negative numbers', async () => {
  const restarted = chromium(1, {
    pair: { bytesSent: 76_155, bytesReceived: 35_409 }, audio: { packetsReceived: 3, packetsLost: -2 },
    video: { packetsReceived: 0, packetsLost: 0, framesPerSecond: undefined },
  });
  const qualities = await measureAll(
    chromium(0, { audio: { packetsLost: 7 } }), restarted, [], withoutMedia(chromium(3)),
    chromium(4, { audio: { packetsLost: -1 } }),
  );
  for (const { loss, kilobitsPerSecond: { incoming, outgoing }, framesPerSecond } of qualities) {
    assert.ok(loss >= 0 && loss <= 1, `loss ${loss}`);
    assert.ok(incoming >= 0 && outgoing >= 0 && incoming + outgoing < 100_000, `${incoming} and ${outgoing} kbit/s`);
    assert.ok(framesPerSecond === null || framesPerSecond > 0, `${framesPerSecond} fps`);
  }
  assert.deepEqual(qualities[1].kilobitsPerSecond, { incoming: 0, outgoing: 0 });
  assert.equal(qualities[1].framesPerSecond, null);
});

test('a stream that ends does not look like loss', async () => {
  for (const packetsLost of [0, 500]) {
    const before = chromium(0, { video: { packetsReceived: 100_000, packetsLost } });
    const after = chromium(1, { audio: { packetsReceived: 395, packetsLost: 10 } })
      .filter(({ kind }) => kind !== 'video');
    const [, { loss }] = await measureAll(before, after);
    assert.ok(loss >= 0 && loss < 0.01, `${loss}`);
  }
});

test('a new pair counts once it was measured', async () => {
  const moved = (n) => [...chromium(n).filter(({ type }) => type !== 'transport'),
    { id: 'CPnew', type: 'candidate-pair', timestamp: START + 2_000 * n, bytesSent: 50_000 * n, bytesReceived: 25_000 * n,
      currentRoundTripTime: 0.1, localCandidateId: 'IL', remoteCandidateId: 'Irelay' },
    { id: 'T01', type: 'transport', timestamp: START + 2_000 * n, selectedCandidatePairId: 'CPnew' }];
  const [, first, second] = await measureAll(chromium(0), moved(1), moved(2));
  assert.deepEqual(first.kilobitsPerSecond, { incoming: 0, outgoing: 0 });
  assert.deepEqual(second.kilobitsPerSecond, { incoming: 100, outgoing: 200 });
  assert.equal(second.relayed, true);
});

test('the same report twice, as browsers give it within a moment, is no measurement', async () => {
  const [, second, third] = await measureAll(chromium(0), chromium(0), chromium(1));
  assert.deepEqual(second.kilobitsPerSecond, { incoming: 0, outgoing: 0 });
  assert.equal(second.loss, 0);
  assert.ok(third.kilobitsPerSecond.incoming < 1_000);
});

test('relayed is also what only our side relays', async () => {
  const [{ relayed }] = await measureAll(chromium(0, { local: { candidateType: 'relay' } }));
  assert.equal(relayed, true);
});
