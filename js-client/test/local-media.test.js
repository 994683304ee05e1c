import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { LocalMedia } from '../client.js';
import { FakeMediaDevices, FakeMediaStream, FakeSourceTrack, settle } from './fakes.js';

globalThis.MediaStream = FakeMediaStream;

/** @type {FakeMediaDevices} */
let mediaDevices;

beforeEach(() => {
  mediaDevices = new FakeMediaDevices();
  provide({ mediaDevices });
});

function provide(navigator) {
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: navigator });
}

const both = { audio: true, video: true };
const asked = () => mediaDevices.asked.map((constraints) => Object.keys(constraints).join('+'));
const live = () => mediaDevices.live.map(({ deviceId }) => deviceId);
const slots = (media) => [...media.slots].map(({ kind, track }) => `${kind} ${track?.deviceId ?? null}`);
const preview = (media) => media.stream.getTracks().map(({ deviceId }) => deviceId);
const problems = (media) => Object.entries(media.problems).map((problem) => problem.join(' '));
const on = ({ state }) => Object.keys(state).filter((kind) => state[kind]).join(' ');
const slot = (media, kind) => [...media.slots].find((slot) => slot.kind === kind);

/** What each change left, at the time of its event. */
function watch(media) {
  const seen = [];
  media.addEventListener('change', () => seen.push([on(media), ...problems(media)].join(', ')));
  return seen;
}

// ---- Opening

test('both are opened with one question', async () => {
  const media = await LocalMedia.open(both);
  assert.deepEqual([asked(), slots(media), preview(media)], [['audio+video'], ['audio mic', 'video front'], ['mic', 'front']]);
  assert.deepEqual([media.state, media.problems], [{ audio: true, video: true, screen: false }, {}]);
  assert.ok([...media.slots].every(({ stream, track }) => stream === media.stream && track));
});

test('only what was asked for is opened and has a slot', async () => {
  const media = await LocalMedia.open({ audio: { noiseSuppression: false } });
  assert.deepEqual([asked(), slots(media), mediaDevices.asked[0].audio.noiseSuppression], [['audio'], ['audio mic'], false]);
  await media.setEnabled('video', false);
  assert.deepEqual(slots(media), ['audio mic']);
  await media.setEnabled('video', true);
  assert.deepEqual(slots(media), ['audio mic', 'video front']);
  const idle = await LocalMedia.open({});
  assert.deepEqual([on(idle), slots(idle), asked()], ['', [], ['audio', 'video']]);
});

for (const [missing, kept] of [['video', 'audio'], ['audio', 'video']]) {
  test(`without ${missing} there is ${kept}, and an empty slot`, async () => {
    mediaDevices.devices[missing] = [];
    const media = await LocalMedia.open(both);
    assert.deepEqual([on(media), problems(media), asked()], [kept, [`${missing} NotFoundError`], ['audio+video', 'audio', 'video']]);
    assert.equal(slot(media, missing).track, null);
  });
}

test('with nothing to be had, it opens all the same', async () => {
  mediaDevices.errors = { audio: 'NotReadableError', video: 'NotFoundError' };
  const media = await LocalMedia.open(both);
  assert.deepEqual([on(media), problems(media)], ['', ['audio NotReadableError', 'video NotFoundError']]);
  assert.deepEqual(slots(media), ['audio null', 'video null']);
});

test('who has forbidden the camera is still asked for the microphone', async () => {
  mediaDevices.errors.video = 'NotAllowedError';
  const media = await LocalMedia.open(both);
  assert.deepEqual([asked(), on(media)], [['audio+video', 'audio', 'video'], 'audio']);
  assert.deepEqual(problems(media), ['video NotAllowedError']);
  await media.setEnabled('audio', false);
  assert.equal(asked().length, 3, 'nobody asks again for what nobody has switched on again');
});

test('a browser that gives no devices to this page says so', async () => {
  provide({});
  const media = await LocalMedia.open(both);
  assert.deepEqual(problems(media), ['audio TypeError', 'video TypeError']);
  await media.switchDevice('video', 'back');
  await media.shareScreen();
  assert.deepEqual(problems(media), ['audio TypeError', 'video TypeError', 'screen TypeError']);
});

test('an abort gives up at once, and nothing stays open', async () => {
  const release = mediaDevices.hold();
  const stop = new AbortController();
  const opening = LocalMedia.open({ ...both, signal: stop.signal });
  await settle();
  stop.abort(new Error('enough'));
  await assert.rejects(opening, { name: 'SignalingError', code: 'aborted', message: 'enough' });
  release();
  await settle();
  assert.deepEqual([mediaDevices.opened.length, live()], [2, []]);
  await assert.rejects(LocalMedia.open({ ...both, signal: stop.signal }), { code: 'aborted' });
  assert.equal(mediaDevices.asked.length, 1);
});

test('a later abort closes', async () => {
  const stop = new AbortController();
  const media = await LocalMedia.open({ ...both, signal: stop.signal });
  stop.abort();
  assert.deepEqual([live(), on(media)], [[], '']);
});

// ---- On and off

test('a muted microphone stays open', async () => {
  const media = await LocalMedia.open(both);
  const seen = watch(media);
  media.setEnabled('audio', false);
  assert.deepEqual([slots(media), slot(media, 'audio').track.enabled, seen], [['audio mic', 'video front'], false, ['video']]);
  await media.setEnabled('audio', true);
  assert.deepEqual([live(), slot(media, 'audio').track.enabled, seen], [['mic', 'front'], true, ['video', 'audio video']]);
  assert.deepEqual(asked(), ['audio+video']);
});

test('a camera that is off is closed, and the same one comes back', async () => {
  const media = await LocalMedia.open({ video: { width: 320 } });
  await media.switchDevice('video', 'back');
  const seen = watch(media);
  const { track } = slot(media, 'video');
  media.setEnabled('video', false);
  assert.deepEqual([track.readyState, slots(media), preview(media), seen], ['ended', ['video null'], [], ['']]);
  await media.setEnabled('video', true);
  assert.deepEqual([slots(media), preview(media), live(), seen.at(-1)], [['video back'], ['back'], ['back'], 'video']);
  assert.deepEqual(mediaDevices.asked.at(-1), { video: { width: 320, deviceId: { exact: 'back' } } });
});

test('the camera that was first opened comes back without having been chosen', async () => {
  mediaDevices.devices.video.reverse();
  const media = await LocalMedia.open(both);
  await media.setEnabled('video', false);
  mediaDevices.devices.video.reverse();
  await media.setEnabled('video', true);
  assert.deepEqual(live(), ['mic', 'back']);
});

for (const end of [true, false]) {
  test(`of many toggles while a camera opens the last one counts: ${end ? 'on' : 'off'}`, async () => {
    const media = await LocalMedia.open({});
    const release = mediaDevices.hold();
    const toggles = [];
    for (const on of [true, false, true, false, end]) toggles.push(media.setEnabled('video', on));
    await settle();
    toggles.push(media.setEnabled('video', !end), media.setEnabled('video', end));
    release();
    await Promise.all(toggles);
    assert.deepEqual([live(), on(media), slots(media)], end ? [['front'], 'video', ['video front']] : [[], '', ['video null']]);
    assert.deepEqual(media.problems, {});
  });
}

test('a microphone that arrives after it was switched off is muted', async () => {
  const media = await LocalMedia.open({});
  const release = mediaDevices.hold();
  const opening = media.setEnabled('audio', true);
  await settle();
  media.setEnabled('audio', false);
  release();
  await opening;
  assert.deepEqual([slots(media), slot(media, 'audio').track.enabled, on(media)], [['audio mic'], false, '']);
});

test('what was denied can be tried again, and the problem goes', async () => {
  mediaDevices.errors.video = 'NotAllowedError';
  const media = await LocalMedia.open({ video: true });
  const seen = watch(media);
  mediaDevices.errors = {};
  await media.setEnabled('video', true);
  assert.deepEqual([seen, live()], [['', 'video'], ['front']]);
});

test('a device that is unplugged is off, with a problem', async () => {
  const media = await LocalMedia.open(both);
  const seen = watch(media);
  slot(media, 'video').track.end();
  assert.deepEqual([seen, slots(media), preview(media)], [['audio, video ended'], ['audio mic', 'video null'], ['mic']]);
  mediaDevices.devices.video = ['back'];
  await media.setEnabled('video', true);
  assert.deepEqual([on(media), slots(media), problems(media)], ['audio video', ['audio mic', 'video back'], []]);
});

test('a camera that is in use when it shall come back is not replaced by another', async () => {
  const media = await LocalMedia.open({ video: true });
  await media.setEnabled('video', false);
  mediaDevices.errors.front = 'NotReadableError';
  await media.setEnabled('video', true);
  assert.deepEqual([asked(), problems(media)], [['video', 'video'], ['video NotReadableError']]);
});

test('constraints that no device meets are a problem', async () => {
  mediaDevices.errors.video = 'OverconstrainedError';
  const media = await LocalMedia.open({ video: { width: { exact: 1 } } });
  assert.deepEqual([asked(), problems(media)], [['video'], ['video OverconstrainedError']]);
});

// ---- Another device

test('switching opens the new camera before the old one is stopped', async () => {
  const media = await LocalMedia.open(both);
  const kept = slot(media, 'video');
  const release = mediaDevices.hold();
  const switching = media.switchDevice('video', 'back');
  await settle();
  assert.deepEqual(live(), ['mic', 'front']);
  release();
  await switching;
  assert.deepEqual([live(), slots(media), slot(media, 'video') === kept], [['mic', 'back'], ['audio mic', 'video back'], true]);
});

test('a camera that is off is only remembered', async () => {
  const media = await LocalMedia.open(both);
  await media.setEnabled('video', false);
  await media.switchDevice('video', 'back');
  assert.deepEqual([live(), asked()], [['mic'], ['audio+video']]);
  await media.setEnabled('video', true);
  assert.deepEqual(live(), ['mic', 'back']);
});

test('a muted microphone is switched and stays muted', async () => {
  mediaDevices.devices.audio.push('headset');
  const media = await LocalMedia.open(both);
  await media.setEnabled('audio', false);
  await media.switchDevice('audio', 'headset');
  assert.deepEqual([live(), on(media), slot(media, 'audio').track.enabled], [['front', 'headset'], 'video', false]);
});

test('a camera that was switched off while another one opened stays off', async () => {
  const media = await LocalMedia.open(both);
  const release = mediaDevices.hold();
  const switching = media.switchDevice('video', 'back');
  await settle();
  media.setEnabled('video', false);
  release();
  await switching;
  assert.deepEqual([live(), on(media)], [['mic'], 'audio']);
  await media.setEnabled('video', true);
  assert.deepEqual(live(), ['mic', 'back']);
});

for (const [name, device] of [['OverconstrainedError', 'gone'], ['NotAllowedError', 'back']]) {
  test(`after ${name} the old camera goes on`, async () => {
    const media = await LocalMedia.open(both);
    const { track } = slot(media, 'video');
    mediaDevices.errors.back = 'NotAllowedError';
    await media.switchDevice('video', device);
    assert.deepEqual([live(), on(media), problems(media)], [['mic', 'front'], 'audio video', [`video ${name}`]]);
    assert.equal(slot(media, 'video').track, track);
    await media.setEnabled('video', false);
    await media.setEnabled('video', true);
    assert.deepEqual([live(), problems(media)], [['mic', 'front'], []]);
  });
}

test('a camera that is chosen while another one fails is opened', async () => {
  mediaDevices.errors.front = 'NotReadableError';
  const media = await LocalMedia.open({ audio: true });
  const release = mediaDevices.hold();
  media.setEnabled('video', true);
  await settle();
  const switching = media.switchDevice('video', 'back');
  release();
  await switching;
  assert.deepEqual([live(), on(media), problems(media)], [['mic', 'back'], 'audio video', []]);
});

test('a phone with one camera at a time is switched while it is off', async () => {
  mediaDevices.exclusive = true;
  const media = await LocalMedia.open(both);
  await media.switchDevice('video', 'back');
  assert.deepEqual([live(), problems(media)], [['mic', 'front'], ['video NotReadableError']]);
  await media.setEnabled('video', false);
  await media.switchDevice('video', 'back');
  await media.setEnabled('video', true);
  assert.deepEqual([live(), slots(media), problems(media)], [['mic', 'back'], ['audio mic', 'video back'], []]);
});

test('a camera that was chosen while it was off, and does not open: any other comes next', async () => {
  const media = await LocalMedia.open({ video: true });
  await media.setEnabled('video', false);
  await media.switchDevice('video', 'gone');
  await media.setEnabled('video', true);
  assert.deepEqual([live(), on(media), problems(media)], [[], '', ['video OverconstrainedError']]);
  await media.setEnabled('video', true);
  assert.deepEqual([live(), on(media), problems(media)], [['front'], 'video', []]);
});

test('who has no camera gets the one that is chosen', async () => {
  mediaDevices.errors.front = 'NotReadableError';
  const media = await LocalMedia.open({ video: true });
  await media.switchDevice('video', 'back');
  assert.deepEqual([live(), slots(media), problems(media)], [['back'], ['video back'], []]);
});

// ---- A track of the application

test('a track of the application takes the place of the camera, and is not ours to stop', async () => {
  const media = await LocalMedia.open(both);
  const canvas = new FakeSourceTrack('video', 'canvas');
  await media.replaceTrack('video', canvas);
  assert.deepEqual([live(), slots(media), preview(media)], [['mic'], ['audio mic', 'video canvas'], ['mic']]);
  await media.setEnabled('video', false);
  assert.deepEqual([canvas.enabled, on(media), canvas.readyState], [false, 'audio', 'live']);
  await media.setEnabled('video', true);
  assert.deepEqual([slots(media), canvas.enabled, asked()], [['audio mic', 'video canvas'], true, ['audio+video']]);
  await media.replaceTrack('video', null);
  assert.deepEqual([slots(media), canvas.readyState], [['audio mic', 'video front'], 'live']);
});

test('a track of the application does not switch on what is off', async () => {
  const media = await LocalMedia.open({ audio: true });
  await media.setEnabled('audio', false);
  const [voice, canvas] = [new FakeSourceTrack('audio', 'voice'), new FakeSourceTrack('video', 'canvas')];
  await media.replaceTrack('audio', voice);
  await media.replaceTrack('video', canvas);
  assert.deepEqual([on(media), slots(media), live()], ['', ['audio voice', 'video canvas'], []]);
  assert.deepEqual([voice.enabled, canvas.enabled], [false, false]);
  await media.setEnabled('video', true);
  await media.setEnabled('audio', true);
  assert.deepEqual([on(media), slots(media), asked()], ['audio video', ['audio voice', 'video canvas'], ['audio']]);
  assert.deepEqual([voice.enabled, canvas.enabled], [true, true]);
});

test('a camera that is chosen while it is replaced comes after the track of the application', async () => {
  const media = await LocalMedia.open({ video: true });
  await media.replaceTrack('video', new FakeSourceTrack('video', 'canvas'));
  await media.switchDevice('video', 'back');
  assert.deepEqual([slots(media), live()], [['video canvas'], []]);
  await media.replaceTrack('video', null);
  assert.deepEqual([slots(media), live()], [['video back'], ['back']]);
});

test('a camera that arrives after it was replaced is stopped', async () => {
  const media = await LocalMedia.open({});
  const release = mediaDevices.hold();
  const opening = media.setEnabled('video', true);
  await settle();
  media.replaceTrack('video', new FakeSourceTrack('video', 'canvas'));
  release();
  await opening;
  assert.deepEqual([live(), slots(media)], [[], ['video canvas']]);
});

// ---- The screen

test('the screen goes beside the camera, in a stream of its own', async () => {
  mediaDevices.screen = ['video', 'audio'];
  const media = await LocalMedia.open(both);
  const seen = watch(media);
  await media.shareScreen({ audio: true });
  assert.deepEqual(mediaDevices.asked.at(-1), { video: true, audio: true });
  assert.deepEqual(slots(media), ['audio mic', 'video front', 'video screen', 'audio screen']);
  assert.deepEqual([...media.slots].map(({ stream }) => stream === media.screen), [false, false, true, true]);
  assert.equal(media.screen.getTracks().length, 2);
  media.stopScreen();
  assert.deepEqual([slots(media), live(), media.screen.getTracks()], [['audio mic', 'video front'], ['mic', 'front'], []]);
  assert.deepEqual(seen, ['audio video', 'audio video screen', 'audio video']);
});

test('the screen takes the place of the camera, which comes back', async () => {
  mediaDevices.screen = ['video', 'audio'];
  const media = await LocalMedia.open(both);
  await media.shareScreen({ audio: true, instead: true });
  assert.deepEqual([slots(media), preview(media)], [['audio mic', 'video screen', 'audio screen'], ['mic', 'front']]);
  assert.deepEqual([on(media), slot(media, 'video').stream], ['audio video screen', media.stream]);
  media.stopScreen();
  assert.deepEqual([slots(media), live()], [['audio mic', 'video front'], ['mic', 'front']]);
});

test('a camera that is switched off while the screen is in its place does not come back', async () => {
  const media = await LocalMedia.open(both);
  await media.shareScreen({ instead: true });
  await media.setEnabled('video', false);
  assert.deepEqual([slots(media), live()], [['audio mic', 'video screen'], ['mic', 'screen']]);
  media.stopScreen();
  assert.deepEqual([slots(media), on(media)], [['audio mic', 'video null'], 'audio']);
});

test('the screen needs no camera', async () => {
  const media = await LocalMedia.open({});
  await media.shareScreen({ instead: true });
  assert.deepEqual([slots(media), on(media)], [['video screen'], 'video screen']);
});

for (const instead of [false, true]) {
  test(`"Stop sharing" of the browser stops the share (instead: ${instead})`, async () => {
    mediaDevices.screen = ['video', 'audio'];
    const media = await LocalMedia.open(both);
    await media.shareScreen({ instead });
    const seen = watch(media);
    const [picture, sound] = media.screen.getTracks();
    sound.end(); // The tab that is shared now has none.
    assert.deepEqual([seen, media.state.screen], [[], true]);
    picture.end();
    assert.deepEqual([seen, live(), slots(media)], [['audio video'], ['mic', 'front'], ['audio mic', 'video front']]);
  });
}

test('another choice replaces the share; a "no" leaves it alone', async () => {
  const media = await LocalMedia.open({});
  await media.shareScreen();
  const [first] = media.screen.getTracks();
  await media.shareScreen();
  assert.deepEqual([first.readyState, slots(media), on(media)], ['ended', ['video screen'], 'screen']);
  mediaDevices.screen = 'NotAllowedError';
  await media.shareScreen();
  assert.deepEqual([on(media), live(), problems(media)], ['screen', ['screen'], ['screen NotAllowedError']]);
});

test('of two choices at once the later question counts', async () => {
  const media = await LocalMedia.open({});
  await Promise.all([media.shareScreen(), media.shareScreen({ instead: true })]);
  assert.deepEqual([live(), on(media), slots(media)], [['screen'], 'video screen', ['video screen']]);
});

test('why there is no screen is a problem until the next try', async () => {
  const media = await LocalMedia.open({});
  const seen = watch(media);
  mediaDevices.getDisplayMedia = undefined; // As on phones.
  await media.shareScreen();
  assert.deepEqual([seen, live()], [[', screen TypeError'], []]);
  delete mediaDevices.getDisplayMedia;
  await media.shareScreen();
  assert.deepEqual([on(media), problems(media)], ['screen', []]);
});

test('stopScreen comes before a choice that the user is still making', async () => {
  const media = await LocalMedia.open({});
  const release = mediaDevices.hold();
  const sharing = media.shareScreen();
  media.stopScreen();
  release();
  await sharing;
  assert.deepEqual([live(), on(media), slots(media)], [[], '', []]);
});

// ---- The end

test('close stops every track, and what is switched on opens again', async () => {
  const media = await LocalMedia.open(both);
  await media.shareScreen();
  const seen = watch(media);
  media.close();
  assert.deepEqual([seen, slots(media), preview(media)], [[''], ['audio null', 'video null'], []]);
  assert.ok(mediaDevices.opened.every(({ readyState }) => readyState === 'ended'));
  await media.switchDevice('video', 'back');
  assert.deepEqual(live(), []);
  await media.setEnabled('video', true);
  assert.deepEqual([live(), slots(media)], [['back'], ['audio null', 'video back']]);
});

test('what arrives after close is stopped', async () => {
  const media = await LocalMedia.open(both);
  const release = mediaDevices.hold();
  const pending = [media.switchDevice('video', 'back'), media.shareScreen()];
  await settle();
  media.close();
  release();
  await Promise.all(pending);
  assert.deepEqual([mediaDevices.opened.length, live(), on(media), slots(media)], [4, [], '', ['audio null', 'video null']]);
});
