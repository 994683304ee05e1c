const FIRST = 300;
const BASE = 500;

/**
 * Full jitter: after a restart of the server thousands come back, and must not come back in step.
 * The first attempt after a loss comes almost at once, because most losses are a blip.
 *
 * @param {number} attempt 0 for the first after a loss
 * @param {number} cap
 */
export function retryDelay(attempt, cap) {
  const ceiling = attempt === 0 ? FIRST : BASE * 2 ** (attempt - 1);
  return Math.random() * Math.min(ceiling, cap);
}
