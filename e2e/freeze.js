/** Stops all processes of a browser, as a laptop that is closed does, and lets them go on. Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * @param {import('puppeteer-core').Browser} browser
 * @returns {() => void} lets it go on; repeatable
 */
export function freeze(browser) {
  const pids = processTree(browser.process().pid);
  signal(pids, 'SIGSTOP');
  return () => signal(pids, 'SIGCONT');
}

/** @param {number} root @returns {number[]} the root first, so that it starts no others while they are stopped */
function processTree(root) {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
  const rows = pids.map((pid) => [pid, parentOf(pid)]);
  const tree = [root];
  for (const pid of tree) tree.push(...rows.filter(([, parent]) => parent === pid).map(([child]) => child));
  return tree;
}

/** From `pid (name) state parent ...`; the name may contain anything. @param {number} pid */
function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined; // It has ended meanwhile.
  }
}

function signal(pids, name) {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error; // It has ended meanwhile.
    }
  }
}
