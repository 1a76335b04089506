/** Entry of a thread that paints the stream of one camera, or all of a pipeline's; it lives while somebody watches it. */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '@vantage/contracts';
import type { FromPainter, PaintSetup, PaintTaskOf, ToPainter } from './messages.ts';
import { MosaicTask } from './mosaic-task.ts';
import { PaintTask } from './paint-task.ts';

const parent = parentPort;
if (parent === null) throw new Error('paint-worker.ts runs in a worker thread only');

// On Linux this is the thread's, and that of the ffmpegs that it starts: cameras go first.
if (process.platform === 'linux') setPriority(5);
const send = (message: FromPainter): void => parent.postMessage(message);
const setup = workerData as PaintSetup;
// It is sent what its kind of task handles, and nothing else.
const task: PaintTaskOf<Exclude<ToPainter, { kind: 'stop' }>> =
  setup.kind === 'mosaic' ? new MosaicTask(setup.ffmpeg, send) : new PaintTask(setup, send);
try {
  await task.prepare();
} catch (error) {
  send({ kind: 'failed', reason: messageOf(error) });
}
parent.on('message', (message: ToPainter) => {
  if (message.kind !== 'stop') {
    task.handle(message);
    return;
  }
  task.stop();
  parent.close();
});
