import type { MessagePort } from 'node:worker_threads';
import { messageOf } from '@vantage/contracts';
import type { FrameReply, FrameRequest } from './frame-port.ts';
import type { ModelOutput } from './model-output.ts';

export interface InferenceResult {
  /** One for a picture, one for each region in their order; empty after an error. */
  readonly outputs: readonly ModelOutput[];
  /** The picture's buffer, back for its pool. */
  readonly pixels: ArrayBuffer;
  readonly inferenceUs: number;
  readonly error?: string;
}

const UNLOADED = 'the model was unloaded';

/** The camera's end of a port from `LoadedModel.connect`. Answers arrive in the order of the requests. */
export class InferenceClient {
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, (reply: FrameReply) => void>();
  #nextId = 0;
  #closing = false;
  #closed = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (reply: FrameReply) => {
      const resolve = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      resolve?.(reply);
      if (this.#closing) this.closeWhenIdle();
    });
    port.on('close', () => {
      this.#closed = true;
      this.#failAll(UNLOADED);
    });
  }

  /** Frames handed over and not answered yet: the caller bounds it. */
  get inFlight(): number {
    return this.#waiting.size;
  }

  /** Moves `frame.pixels` away. Never rejects: a failure is in `error`, and costs this frame only. */
  infer(frame: Omit<FrameRequest, 'id'>): Promise<InferenceResult> {
    const id = this.#nextId++;
    // A closed port swallows messages: nobody would ever answer.
    if (this.#closed) return Promise.resolve({ ...failed(id, UNLOADED), pixels: frame.pixels });
    return new Promise<FrameReply>((resolve) => {
      this.#waiting.set(id, resolve);
      try {
        this.#port.postMessage({ id, ...frame } satisfies FrameRequest, [frame.pixels]);
      } catch (error) {
        this.#waiting.delete(id);
        resolve(failed(id, messageOf(error)));
      }
    });
  }

  /** Closes when the last answer is in: how a model is changed without losing a frame. */
  closeWhenIdle(): void {
    this.#closing = true;
    if (this.#waiting.size === 0) this.#port.close();
  }

  close(): void {
    this.#port.close();
    this.#failAll('the camera was stopped');
  }

  #failAll(reason: string): void {
    for (const [id, resolve] of this.#waiting) resolve(failed(id, reason));
    this.#waiting.clear();
  }
}

function failed(id: number, error: string): FrameReply {
  return { id, pixels: new ArrayBuffer(0), outputs: [], inferenceUs: 0, error };
}
