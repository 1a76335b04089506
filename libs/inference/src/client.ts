import type { MessagePort } from 'node:worker_threads';
import { messageOf } from '@vantage/contracts';
import { isMovable, type FrameReply, type FrameRequest, type FromSession } from './frame-port.ts';
import type { ModelOutput } from './model-output.ts';
import { weightOf } from './weight.ts';

export interface InferenceResult {
  /** One for a picture, one for each region in their order; empty after an error. */
  readonly outputs: readonly ModelOutput[];
  /** The picture's buffer, back for its pool; empty where it was shared memory. */
  readonly pixels: ArrayBuffer;
  readonly inferenceUs: number;
  readonly error?: string;
}

const UNLOADED = 'the model was unloaded';

/** The way to one of the model's sessions. */
interface Lane {
  readonly port: MessagePort;
  /** Where its pictures are counted. */
  readonly place: number;
  readonly waiting: Map<number, { readonly weight: number; readonly resolve: (reply: FrameReply) => void }>;
}

/**
 * The camera's end of a port from `LoadedModel.connect`. A model with several sessions answers to all of them: answers
 * of one session come in the order of the requests, those of several may not.
 */
export class InferenceClient {
  readonly #lanes: Lane[] = [];
  /** Pictures before each session, of all cameras; undefined until the session has said. */
  #loads: Int32Array | undefined;
  /** That a session takes at once. */
  #pictures = 1;
  #nextId = 0;
  #closing = false;

  constructor(port: MessagePort) {
    this.#open(port, 0);
  }

  /** Frames handed over and not answered yet: the caller bounds it by `capacity`. */
  get inFlight(): number {
    return this.#lanes.reduce((sum, { waiting }) => sum + waiting.size, 0);
  }

  /**
   * Frames under way that keep the model busy: one in each session and one behind; where other cameras' frames wait for
   * it anyway, one. More only makes frames older.
   */
  get capacity(): number {
    const sessions = Math.max(1, this.#lanes.length);
    let free = sessions + 1;
    if (this.#loads) {
      free = 2 * sessions * this.#pictures + this.inFlight;
      for (const { place } of this.#lanes) free -= Atomics.load(this.#loads, place);
    }
    return Math.max(1, Math.min(free, sessions + 1));
  }

  /** Moves `frame.pixels` away, unless it is shared memory. Never rejects: a failure is in `error`, and costs this frame only. */
  infer(frame: Omit<FrameRequest, 'id'>): Promise<InferenceResult> {
    const id = this.#nextId++;
    const lane = this.#freest();
    // A closed port swallows messages: nobody would ever answer.
    if (!lane) {
      const { pixels } = frame;
      return Promise.resolve({ ...failed(id, UNLOADED), ...(isMovable(pixels) ? { pixels } : {}) });
    }
    return new Promise<FrameReply>((resolve) => {
      const weight = weightOf(frame);
      lane.waiting.set(id, { weight, resolve });
      try {
        const { pixels } = frame;
        lane.port.postMessage({ id, ...frame } satisfies FrameRequest, isMovable(pixels) ? [pixels] : []);
        if (this.#loads) Atomics.add(this.#loads, lane.place, weight);
      } catch (error) {
        lane.waiting.delete(id);
        resolve(failed(id, messageOf(error)));
      }
    });
  }

  /** Closes when the last answer is in: how a model is changed without losing a frame. */
  closeWhenIdle(): void {
    this.#closing = true;
    if (this.inFlight === 0) for (const { port } of this.#lanes) port.close();
  }

  close(): void {
    for (const lane of this.#lanes) {
      lane.port.close();
      failAll(lane, 'the camera was stopped');
    }
  }

  #open(port: MessagePort, place: number): void {
    const lane: Lane = { port, place, waiting: new Map() };
    this.#lanes.push(lane);
    port.on('message', (message: FromSession) => {
      if ('lanes' in message) {
        this.#loads = message.loads;
        this.#pictures = message.pictures;
        (lane as { place: number }).place = message.places[0] ?? 0;
        // The session counts what it answers, and those that were sent before are still to be answered.
        for (const { weight } of lane.waiting.values()) Atomics.add(message.loads, lane.place, weight);
        for (const [index, other] of message.lanes.entries()) this.#open(other, message.places[index + 1] ?? 0);
        if (this.#closing) this.closeWhenIdle();
        return;
      }
      const waiting = lane.waiting.get(message.id);
      lane.waiting.delete(message.id);
      waiting?.resolve(message);
      if (this.#closing) this.closeWhenIdle();
    });
    port.on('close', () => {
      this.#lanes.splice(this.#lanes.indexOf(lane), 1);
      failAll(lane, UNLOADED);
    });
  }

  #freest(): Lane | undefined {
    let best: Lane | undefined;
    let least = Infinity;
    for (const lane of this.#lanes) {
      const load = this.#loads ? Atomics.load(this.#loads, lane.place) : 0;
      if (load < least) [best, least] = [lane, load];
    }
    return best;
  }
}

function failAll({ waiting }: Lane, reason: string): void {
  for (const [id, { resolve }] of waiting) resolve(failed(id, reason));
  waiting.clear();
}

function failed(id: number, error: string): FrameReply {
  return { id, pixels: new ArrayBuffer(0), outputs: [], inferenceUs: 0, error };
}
