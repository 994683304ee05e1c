const FIRST = 250;

/**
 * Full jitter: after a restart of the server thousands come back, and must not come back in step.
 * The first attempt after a loss comes almost at once, because most losses are a blip.
 *
 * @param {number} attempt 0 for the first after a loss
 * @param {number} cap
 */
export function retryDelay(attempt, cap) {
  return Math.random() * Math.min(FIRST * 2 ** attempt, cap);
}
