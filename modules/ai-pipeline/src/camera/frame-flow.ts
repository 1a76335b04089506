import type { InferenceClient, InferenceResult } from '@vantage/inference';
import type { GraphEdge } from '@vantage/skill';
import { BufferPool } from './buffer-pool.ts';
import { EdgeQueue, type EdgeCounters } from './edge-queue.ts';
import type { SharedPicture } from './graph/stage.ts';
import type { View } from './view.ts';

/** A decoded picture on its way to the model. */
export interface FlowPicture {
  readonly frameId: number;
  readonly ptsUs: number;
  readonly captureTimeMs: number;
  readonly buffer: ArrayBuffer;
  readonly width: number;
  readonly height: number;
  /** What the picture shows. */
  readonly view: View;
  /** The best score of each class is wanted, too. */
  readonly peaks?: true;
  /** The same frame at the source's resolution, for secondary models and graphs: one reference to it. */
  readonly full?: SharedPicture;
}

export interface FrameFlowOptions {
  readonly queue: GraphEdge['queue'];
  /**
   * One after the other, in the order of the frames; a returned promise holds the next one back. Without a result the
   * model was not asked (`interval`). Releases the full picture.
   */
  readonly onFrame: (picture: FlowPicture, result: InferenceResult | undefined) => void | Promise<void>;
}

/** Buffers of a size that are kept: a model has few sessions, and each has few pictures at once. */
const POOLED = 8;
/** Frames that the model has looked at and that wait for their secondary models. */
const BEHIND = 1;
/** Frames that were not looked at and wait for one that is; fewer where each holds a full picture. */
const MAX_SKIPPED = 64;
const MAX_SKIPPED_FULL = 8;

interface UnderWay {
  readonly picture: FlowPicture;
  done: boolean;
  result?: InferenceResult;
}

/** The edge between a camera and its model: bounded, counted, in order, and it gives every buffer back to the pool. */
export class FrameFlow {
  readonly counters = { analysed: 0, error: 0, inferenceUs: 0 };
  readonly #options: FrameFlowOptions;
  readonly #pool = new BufferPool(POOLED, (bytes) => new ArrayBuffer(bytes));
  readonly #waiting: EdgeQueue<FlowPicture>;
  /** Oldest first. Two models answer at once while they are exchanged: results wait here for those before them. */
  readonly #underWay: UnderWay[] = [];
  readonly #retiring = new Map<InferenceClient, () => void>();
  #client: InferenceClient | undefined;
  #delivering = false;
  #room: (() => void)[] = [];
  #idle: (() => void) | undefined;

  constructor(options: FrameFlowOptions) {
    this.#options = options;
    this.#waiting = new EdgeQueue(options.queue, (picture) => this.#discard(picture));
  }

  get edge(): EdgeCounters {
    return this.#waiting.counters;
  }

  takeBuffer(bytes: number): ArrayBuffer {
    return this.#pool.take(bytes);
  }

  recycle(buffer: ArrayBuffer): void {
    this.#pool.give(buffer);
  }

  /**
   * From the next picture on, `client` answers. Resolves when the old one has given its last answer: then it may be
   * unloaded.
   */
  use(client: InferenceClient | undefined): Promise<void> {
    const old = this.#client;
    // Pictures that wait have the size that the old model wants: they are the last ones to go there.
    for (let picture = old && this.#waiting.shift(); old && picture; picture = this.#waiting.shift()) {
      this.#submit(old, picture);
    }
    this.#client = client;
    if (!old) return Promise.resolve();
    const last = old.inFlight === 0;
    old.closeWhenIdle();
    return last ? Promise.resolve() : new Promise((resolve) => this.#retiring.set(old, resolve));
  }

  /** Takes the picture over. A returned promise means: wait before the next one. */
  push(picture: FlowPicture): void | Promise<void> {
    const client = this.#client;
    if (!client) return this.#discard(picture);
    const held = this.#waiting.push(picture);
    this.#pump();
    // The queue had room at once.
    return this.#waiting.size === 0 ? undefined : held;
  }

  /** A frame that the model does not look at: it only takes its place in the order. */
  skip(picture: FlowPicture): void | Promise<void> {
    this.recycle(picture.buffer);
    this.#underWay.push({ picture, done: true });
    this.#settle();
    if (this.#underWay.length <= (picture.full ? MAX_SKIPPED_FULL : MAX_SKIPPED)) return undefined;
    return new Promise((resolve) => void this.#room.push(resolve));
  }

  /** Resolves when nothing is under way any more. */
  async drain(): Promise<void> {
    if (this.#underWay.length > 0 || this.#delivering) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  #pump(): void {
    const client = this.#client;
    if (!client) return;
    while (this.#waiting.size > 0 && client.inFlight < client.capacity && !this.#secondariesAreBehind) {
      const picture = this.#waiting.shift();
      if (picture) this.#submit(client, picture);
    }
  }

  get #secondariesAreBehind(): boolean {
    return this.#delivering && this.#underWay.reduce((sum, { result }) => sum + (result ? 1 : 0), 0) >= BEHIND;
  }

  #submit(client: InferenceClient, picture: FlowPicture): void {
    const { buffer, width, height, view, peaks } = picture;
    const entry: UnderWay = { picture, done: false };
    this.#underWay.push(entry);
    void client
      .infer({ pixels: buffer, pictureWidth: width, pictureHeight: height, view, ...(peaks ? { peaks } : {}) })
      .then((result) => this.#finish(client, entry, result));
  }

  #finish(client: InferenceClient, entry: UnderWay, result: InferenceResult): void {
    this.recycle(result.pixels);
    // Hand the next picture over before this one's insights are worked on: the session must not wait for them.
    this.#pump();
    const retired = this.#retiring.get(client);
    if (retired && client.inFlight === 0) {
      this.#retiring.delete(client);
      retired();
    }
    entry.done = true;
    entry.result = result;
    if (result.error === undefined) {
      this.counters.analysed += 1;
      this.counters.inferenceUs += result.inferenceUs;
    } else this.counters.error += 1;
    this.#settle();
  }

  /** Hands finished frames on, in their order. */
  #settle(): void {
    while (!this.#delivering && this.#underWay[0]?.done === true) {
      const first = this.#underWay.shift();
      if (!first) break;
      const held = this.#options.onFrame(first.picture, first.result);
      if (held) {
        this.#delivering = true;
        void held.finally(() => {
          this.#delivering = false;
          this.#settle();
        });
      }
    }
    this.#pump();
    if (this.#underWay.length <= MAX_SKIPPED_FULL / 2) for (const resolve of this.#room.splice(0)) resolve();
    if (this.#underWay.length > 0 || this.#delivering) return;
    const idle = this.#idle;
    this.#idle = undefined;
    idle?.();
  }

  #discard({ buffer, full }: FlowPicture): void {
    this.recycle(buffer);
    full?.release();
  }
}
