/**
 * What is on and what is off cannot be seen in the media themselves: a muted microphone sends silence, a camera that is
 * off leaves its track as it is. So it is told, as the member `media` of the userdata.
 *
 * @typedef {{ audio: boolean, video: boolean, screen: boolean }} MediaState
 * @typedef {'microphone' | 'camera' | 'screen'} Source
 */

/** Our userdata, as the others get it now. @param {import('./channel.js').JoinOptions} options */
export function withMediaState({ userdata, media }) {
  if (!media || !('slots' in media)) return userdata;
  if (userdata && typeof userdata !== 'object') throw new TypeError('userdata');
  return { ...userdata, media: { ...media.state, screenId: media.screen.id } };
}

/** The other side's claim: anything may stand there. @param {any} userdata @returns {MediaState | null} */
export function mediaState(userdata) {
  const media = userdata?.media;
  return media ? { audio: !!media.audio, video: !!media.video, screen: !!media.screen } : null;
}

/** @param {import('./link.js').TrackFields} fields @param {any} userdata @returns {Source} */
export function sourceOf({ track, streams: [stream] }, userdata) {
  if (stream && stream.id === userdata?.media?.screenId) return 'screen';
  return track.kind === 'audio' ? 'microphone' : 'camera';
}
