/** Entry of a camera's thread: decode, look, track, record. One broken camera ends here and nowhere else. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '@vantage/contracts';
import { CameraTask } from './camera-task.ts';
import type { CameraSetup, FromCamera, ToCamera } from './protocol.ts';

const parent = parentPort;
if (parent === null) throw new Error('camera-worker.ts runs in a worker thread only');

const send = (message: FromCamera): void => parent.postMessage(message);
const task = new CameraTask(workerData as CameraSetup, send);

/** Changes of what is looked at go one after the other; what they wait for must not hold up the rest. */
const CHANGES: ReadonlySet<ToCamera['kind']> = new Set([
  'open',
  'model',
  'secondary',
  'branchModel',
  'graph',
  'picture',
  'tracker',
]);
let changed = Promise.resolve();

parent.on('message', (message: ToCamera) => {
  const handle = (): Promise<void> =>
    task
      .handle(message)
      .catch((error: unknown) => send({ kind: 'problem', code: 'CAMERA_TASK_FAILED', message: messageOf(error) }));
  if (CHANGES.has(message.kind)) changed = changed.then(handle);
  else {
    void handle().then(() => {
      // With the last port closed and the source stopped nothing holds the thread, and it ends by itself.
      if (message.kind === 'stop') parent.close();
    });
  }
});
