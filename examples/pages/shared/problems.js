// Why devices are missing, in words for the user.

const DEVICES = { audio: 'microphone', video: 'camera' };

/**
 * Empty when nothing is missing.
 * @param {import('./devices.js').Devices['problems']} problems
 */
export function explain({ audio, video }) {
  if (audio && audio === video) return reason(audio, 'camera or microphone');
  return [video && reason(video, DEVICES.video), audio && reason(audio, DEVICES.audio)].filter(Boolean).join(' ');
}

/** @param {string} problem @param {string} device */
function reason(problem, device) {
  if (!isSecureContext) return `Browsers give out the ${device} only to pages on https or localhost.`;
  switch (problem) {
    case 'NotFoundError': return `No ${device} found.`;
    case 'NotAllowedError': return `This page may not use your ${device}. Allow it next to the address bar, then try again.`;
    case 'NotReadableError':
    case 'AbortError': return `Your ${device} is in use by another app or does not start.`;
    case 'ended': return `Your ${device} was disconnected.`;
    default: return `Your ${device} does not work here.`;
  }
}
