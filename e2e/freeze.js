/** Stops all processes of a browser, as a laptop that is closed does, and lets them go on. */
import { execFileSync } from 'node:child_process';

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
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const rows = table.trim().split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  const tree = [root];
  for (const pid of tree) tree.push(...rows.filter(([, parent]) => parent === pid).map(([child]) => child));
  return tree;
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
