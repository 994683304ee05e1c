import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryDelay } from '../client/backoff.js';
import { FakeClock } from './fakes.js';

test('a thousand clients are spread over the whole range', () => {
  const tenths = new Array(10).fill(0);
  for (let client = 0; client < 1_000; client++) tenths[Math.floor(retryDelay(6, 15_000) / 1_500)]++;
  assert.ok(tenths.every((count) => count > 40), String(tenths));
});

test('the first attempt comes almost at once, the ceiling of the others doubles up to the cap', () => {
  new FakeClock().chance = 1;
  const ceilings = [0, 1, 2, 3, 4, 5, 6, 7].map((attempt) => retryDelay(attempt, 15_000));
  assert.deepEqual(ceilings, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
});
