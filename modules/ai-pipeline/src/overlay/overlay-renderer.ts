import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf } from '@vantage/contracts';
import type { Ffmpeg } from '@vantage/media';
import { overlayFailed } from '../errors.ts';
import type { OverlayResult } from './overlay-worker.ts';

export interface OverlayRendererOptions {
  readonly ffmpeg: Ffmpeg;
  /** Clips that may wait; then the one that has waited longest gets no overlays. Default 64. */
  readonly capacity?: number;
  readonly onRendered?: (path: string) => void;
  readonly onProblem: (pipeline: string, message: string) => void;
}

interface Entry {
  readonly pipeline: string;
  readonly clip: string;
}

const CAPACITY = 64;
const STOP_TIMEOUT_MS = 5000;

/** Makes the clips with overlays, one after the other, on a thread of low priority that lives as long as a clip takes. */
export class OverlayRenderer {
  readonly #options: OverlayRendererOptions;
  readonly #waiting: Entry[] = [];
  #running: Promise<void> | undefined;
  #worker: Worker | undefined;
  #stopped = false;

  constructor(options: OverlayRendererOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** @param clip a finished clip with its JSON beside it */
  add(pipeline: string, clip: string): void {
    if (this.#stopped) return;
    this.#waiting.push({ pipeline, clip });
    if (this.#waiting.length > (this.#options.capacity ?? CAPACITY)) {
      const late = this.#waiting.shift();
      if (late) this.#drop(late);
    }
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
  }

  /** Gives up what is under way; nothing half done is left. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.length = 0;
    const worker = this.#worker;
    worker?.postMessage('stop');
    const timer = setTimeout(() => void worker?.terminate(), STOP_TIMEOUT_MS);
    await this.#running;
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    for (let entry = this.#waiting.shift(); entry && !this.#stopped; entry = this.#waiting.shift()) {
      const result = await this.#render(entry.clip);
      if (this.#stopped) return;
      if ('error' in result) this.#options.onProblem(entry.pipeline, result.error);
      else this.#options.onRendered?.(result.path);
    }
  }

  #render(clip: string): Promise<OverlayResult> {
    return new Promise((resolve) => {
      const worker = new Worker(new URL('./overlay-worker.ts', import.meta.url), {
        workerData: { ffmpeg: this.#options.ffmpeg, clip },
        name: 'overlays',
        // As for cameras: pipes are closed by their sockets.
        trackUnmanagedFds: false,
      });
      this.#worker = worker;
      const failed = (reason: string): OverlayResult => ({ error: overlayFailed(path.basename(clip), reason).message });
      let result = failed('its thread ended');
      worker.on('message', (message: OverlayResult) => (result = message));
      worker.on('error', (error) => (result = failed(messageOf(error))));
      worker.once('exit', () => {
        this.#worker = undefined;
        resolve(result);
      });
    });
  }

  #drop({ pipeline, clip }: Entry): void {
    const { message } = overlayFailed(path.basename(clip), 'clips come faster than they can be encoded');
    this.#options.onProblem(pipeline, message);
  }
}
