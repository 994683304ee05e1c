// Phones would go dark in the middle of the call.

/** @param {AbortSignal} signal */
export function keepAwake(signal) {
  const request = async () => {
    try {
      const lock = await navigator.wakeLock.request('screen');
      if (signal.aborted) lock.release();
      signal.addEventListener('abort', () => lock.release());
    } catch {
      // not supported, or the battery is low
    }
  };
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && request(), { signal });
  request();
}
