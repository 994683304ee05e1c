// The button that shows the screen to the others.

/**
 * @param {HTMLButtonElement | null} button null on a page without one
 * @param {import('./devices.js').Devices} devices
 * @param {() => void} onproblem called when there is no screen to be had; a user who changes their mind is none
 */
export function bindShare(button, devices, onproblem) {
  if (button === null) return;
  button.hidden = !navigator.mediaDevices?.getDisplayMedia;

  button.addEventListener('click', async () => {
    const { media } = devices;
    if (media.state.screen) return media.stopScreen();
    await media.shareScreen();
    if (devices.problems.screen && devices.problems.screen !== 'NotAllowedError') onproblem();
  });

  devices.addEventListener('change', () => {
    const { screen } = devices.media.state;
    button.setAttribute('aria-pressed', String(screen));
    button.title = screen ? 'Stop sharing your screen (S)' : 'Share your screen (S)';
  });
}
