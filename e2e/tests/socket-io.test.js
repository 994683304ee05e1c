/** Pages written against a small Socket.IO server, with the published clients: their calls are real. */
import assert from 'node:assert/strict';

import { BLANK, enter } from '../call.js';
import { elsewhereTest } from '../elsewhere.js';
import { mediaFlows, waitFor } from '../harness.js';
import { groupChat, meetingRoom, roomForTwo, stranger } from '../socket-io.js';

const PATH = '/socket.io/';

elsewhereTest('group chat: three call each other, in two channels at once', {}, async ({ server, page }) => {
  const pages = [];
  for (const channels of [['tea', 'coffee'], ['coffee', 'tea'], ['tea']]) {
    const next = await page();
    await next.evaluate(groupChat, server.url, PATH, channels);
    pages.push(next);
  }
  for (const one of pages) await mediaFlows(one, { peers: 2 });
  const [ann, ben, cem] = pages;
  // They share another one.
  await ben.evaluate(() => window.socket.emit('part', 'coffee'));
  await cem.evaluate(() => window.socket.disconnect());
  for (const one of [ann, ben]) await waitFor(one, () => Object.keys(window.seen.peers).length === 1);
  for (const one of [ann, ben]) await mediaFlows(one, { peers: 1 });
  await ben.evaluate(() => window.socket.emit('part', 'tea'));
  for (const one of [ann, ben]) await waitFor(one, () => Object.keys(window.seen.peers).length === 0);
  for (const one of pages) assert.deepEqual(await one.evaluate(() => window.seen.errors), []);
});

elsewhereTest('group chat: in a call with the group call of our own client', {}, async ({ server, open, page }) => {
  const native = await open(server.url + BLANK);
  await enter(native);
  const first = await page();
  await first.evaluate(groupChat, server.url, `/group${PATH}`, ['room']);
  // Our client sends a picture alone here.
  await mediaFlows(first, { peers: 1, kinds: ['video'] });
  await mediaFlows(native);
  // And the other way round: the one with Socket.IO is there first.
  const second = await open(server.url + BLANK);
  await enter(second);
  await mediaFlows(first, { peers: 2, kinds: ['video'] });
  await mediaFlows(second, { kinds: ['video'] });
  assert.deepEqual(await native.evaluate(() => window.call.errors), []);
  await first.close();
  await waitFor(native, () => window.call.tiles.filter(([type]) => type === 'peerleave').length === 1);
});

elsewhereTest('room for two: a call, a third that is told that it is full, and a place that is free again', {}, async ({ server, page }) => {
  const [ann, ben, cem] = [await page(), await page(), await page()];
  await ann.evaluate(roomForTwo, server.url, 'tea');
  await waitFor(ann, () => window.seen.events.includes('created tea'));
  await ben.evaluate(roomForTwo, server.url, 'tea');
  for (const one of [ann, ben]) await mediaFlows(one, { peers: 1 });
  await cem.evaluate(roomForTwo, server.url, 'tea');
  await waitFor(cem, () => window.seen.events.includes('full tea'));
  // It vanishes without a word.
  await ben.close();
  await waitFor(ann, () => window.seen.events.at(-1) === 'leave');
  await cem.evaluate(() => window.socket.emit('join', 'tea'));
  for (const one of [ann, cem]) await waitFor(one, () => window.seen.connection?.connectionState === 'connected');
});

elsewhereTest('meeting room, by long polling, with calls of PeerJS', {}, async ({ server, page }) => {
  const pages = [];
  for (let number = 0; number < 3; number += 1) {
    const next = await page();
    await next.evaluate(meetingRoom, server.url, server.port, 'tea');
    pages.push(next);
    for (const one of pages) await waitFor(one, (others) => window.seen.users.length === others, { args: [number] });
  }
  for (const one of pages) await mediaFlows(one);
  const [ann, ben, cem] = pages;
  await ann.evaluate(() => window.socket.emit('mic-toggle', window.seen.id, false));
  const id = await ann.evaluate(() => window.seen.id);
  for (const one of [ben, cem]) assert.deepEqual(await waitFor(one, () => window.seen.toggled[0]), [id, false]);
  await ann.evaluate(() => window.socket.disconnect());
  for (const one of [ben, cem]) await waitFor(one, (gone) => !window.seen.users.includes(gone), { args: [id] });
});

elsewhereTest('strangers: four become two pairs, with calls of PeerJS', {}, async ({ server, page }) => {
  const pages = [];
  for (let number = 0; number < 4; number += 1) {
    const next = await page();
    await next.evaluate(stranger, server.url, server.port);
    if (number % 2 === 1) await waitFor(pages.at(-1), () => window.seen.met.length === 1);
    pages.push(next);
  }
  for (const one of pages) await mediaFlows(one);
  const met = await Promise.all(pages.map((one) => one.evaluate(() => window.seen.met)));
  const ids = await Promise.all(pages.map((one) => one.evaluate(() => window.seen.id)));
  assert.deepEqual(met, [[ids[1]], [], [ids[3]], []]);
});
