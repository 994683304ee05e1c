// The buttons that switch microphone and camera, in the lobby and in the call.

const ACTIONS = { audio: ['Unmute', 'Mute'], video: ['Turn the camera on', 'Turn the camera off'] };

/**
 * @param {import('./devices.js').Devices} devices
 * @param {() => void} onchosen called after the user has pressed one
 */
export function bindToggles(devices, onchosen) {
  const buttons = /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('[data-toggle]'));

  for (const button of buttons) {
    const kind = /** @type {import('./devices.js').Kind} */ (button.dataset.toggle);
    button.addEventListener('click', async () => {
      const { media } = devices;
      await devices.toggle(kind);
      if (devices.media === media) onchosen(); // else they were closed meanwhile
    });
    devices.addEventListener('change', () => {
      const on = devices.media.state[kind];
      button.setAttribute('aria-pressed', String(on));
      button.title = `${ACTIONS[kind][Number(on)]} (${button.getAttribute('aria-keyshortcuts')})`;
    });
  }
}
