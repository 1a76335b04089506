import { Worker } from 'node:worker_threads';

/** Also while the node keeps the main thread busy: a thread of its own waits for the end of standard input. */
const WATCHDOG = `
const { Socket } = require('node:net');
function die() {
  try { process.kill(-process.pid, 'SIGKILL'); } catch { process.kill(process.pid, 'SIGKILL'); }
}
new Socket({ fd: 0 }).on('data', () => undefined).once('close', die).on('error', die);
`;

/** Ends this process, and what it has started, when the host is gone. */
export function endWithHost(): void {
  new Worker(WATCHDOG, {
    eval: true,
    execArgv: [],
    stdin: false,
    resourceLimits: { maxOldGenerationSizeMb: 16 },
  }).unref();
}
