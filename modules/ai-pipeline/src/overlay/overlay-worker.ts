import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '@vantage/contracts';
import { renderOverlay, type OverlayJob } from './render-overlay.ts';

/** What an overlay thread says at its end. */
export type OverlayResult = { readonly path: string; readonly frames: number } | { readonly error: string };

// On Linux this is the thread's, and that of the ffmpegs that it starts: cameras go first.
if (process.platform === 'linux') setPriority(10);
const abort = new AbortController();
parentPort?.once('message', () => abort.abort());
const result = await renderOverlay(workerData as OverlayJob, abort.signal).then(
  ({ path, frames }): OverlayResult => ({ path, frames }),
  (error: unknown): OverlayResult => ({ error: messageOf(error) }),
);
parentPort?.postMessage(result);
parentPort?.close();
