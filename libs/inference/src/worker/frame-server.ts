import type { MessagePort } from 'node:worker_threads';
import { isMovable, type FrameReply, type FrameRequest } from '../frame-port.ts';
import type { Batching } from '../model-spec.ts';
import type { ModelOutput } from '../model-output.ts';
import { weightOf } from '../weight.ts';
import { FrameQueue, type QueuedFrame } from './frame-queue.ts';
import type { Session, SessionAnswer, SessionItem } from './session.ts';
import { buffersOf } from './transfer.ts';

/** Where the pictures before a session are counted, for its cameras. */
export interface LoadCount {
  readonly counts: Int32Array;
  readonly place: number;
}

interface Camera {
  readonly port: MessagePort;
  readonly load: LoadCount;
}

/** Serves cameras with one session: each in its turn, a batch at a time. */
export class FrameServer {
  readonly #session: Session;
  readonly #batching: Batching;
  readonly #queue = new FrameQueue<Camera>();
  readonly #cameras = new Set<Camera>();
  #working = false;
  #batchTimer: NodeJS.Timeout | undefined;

  constructor(session: Session, batching: Batching) {
    this.#session = session;
    this.#batching = batching;
  }

  /** @param onClosed the camera has closed its port */
  connect(port: MessagePort, load: LoadCount, onClosed: () => void): void {
    const camera = { port, load };
    this.#cameras.add(camera);
    port.once('close', () => {
      this.#cameras.delete(camera);
      onClosed();
    });
    port.on('message', (frame: FrameRequest) => {
      if (this.#queue.push(camera, frame)) this.#wake();
      else this.#answer({ camera, frame }, [{ error: 'too many frames of this camera wait for the model' }], 0);
    });
  }

  get cameras(): number {
    return this.#cameras.size;
  }

  #wake(): void {
    if (this.#working) return;
    const { pictures, waitMs } = this.#batching;
    const missing = Math.min(pictures, this.#cameras.size) - this.#queue.cameras;
    if (missing <= 0 || waitMs === 0) void this.#drain();
    else this.#batchTimer ??= setTimeout(() => void this.#drain(), waitMs);
  }

  async #drain(): Promise<void> {
    clearTimeout(this.#batchTimer);
    this.#batchTimer = undefined;
    if (this.#working) return;
    this.#working = true;
    const { pictures } = this.#batching;
    for (let taken = this.#queue.take(pictures); taken.length > 0; taken = this.#queue.take(pictures)) {
      await this.#serve(taken);
    }
    this.#working = false;
  }

  async #serve(taken: readonly QueuedFrame<Camera>[]): Promise<void> {
    const started = performance.now();
    const items = taken.map(({ frame }) => itemsOf(frame));
    const answers = await this.#session.run(items.flat());
    const inferenceUs = Math.round(((performance.now() - started) * 1000) / taken.length);
    let at = 0;
    for (const [index, own] of taken.entries()) {
      const end = at + (items[index]?.length ?? 0);
      this.#answer(own, answers.slice(at, end), inferenceUs);
      at = end;
    }
  }

  #answer({ camera, frame }: QueuedFrame<Camera>, answers: readonly SessionAnswer[], inferenceUs: number): void {
    const { id } = frame;
    const pixels = isMovable(frame.pixels) ? frame.pixels : new ArrayBuffer(0);
    const { port, load } = camera;
    Atomics.sub(load.counts, load.place, weightOf(frame));
    const failed = answers.find((answer) => 'error' in answer);
    const outputs = failed ? [] : answers.flatMap((one): ModelOutput[] => ('output' in one ? [one.output] : []));
    const reply: FrameReply = { id, pixels, outputs, inferenceUs, ...(failed ? { error: failed.error } : {}) };
    port.postMessage(reply, [pixels, ...buffersOf(outputs)]);
  }
}

function itemsOf(frame: FrameRequest): SessionItem[] {
  return frame.regions ? frame.regions.map((region) => ({ frame, region })) : [{ frame }];
}
