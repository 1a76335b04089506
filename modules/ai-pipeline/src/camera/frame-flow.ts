import type { InferenceClient, InferenceResult } from '@vantage/inference';

/** A decoded picture on its way to the model. */
export interface FlowPicture {
  readonly frameId: number;
  readonly ptsUs: number;
  readonly captureTimeMs: number;
  readonly buffer: ArrayBuffer;
  readonly width: number;
  readonly height: number;
}

export interface FrameFlowOptions {
  /** `latest`: a newer picture takes the place of the one that waits. `block`: the source waits. */
  readonly policy: 'latest' | 'block';
  readonly view: () => { left: number; top: number; width: number; height: number };
  readonly onResult: (picture: FlowPicture, result: InferenceResult) => void;
}

/** One picture in the session and one behind it keep the session busy; more would only make frames older. */
const IN_FLIGHT = 2;

interface UnderWay {
  readonly picture: FlowPicture;
  result?: InferenceResult;
}

/** The edge between a camera and its model: bounded, counted, in order, and it gives every buffer back to the pool. */
export class FrameFlow {
  readonly counters = { analysed: 0, busy: 0, error: 0, inferenceUs: 0 };
  readonly #options: FrameFlowOptions;
  readonly #pool: ArrayBuffer[] = [];
  /** Oldest first. Two models answer at once while they are exchanged: results wait here for those before them. */
  readonly #underWay: UnderWay[] = [];
  #client: InferenceClient | undefined;
  #waiting: FlowPicture | undefined;
  #wake: (() => void) | undefined;
  #idle: (() => void) | undefined;

  constructor(options: FrameFlowOptions) {
    this.#options = options;
  }

  /** A buffer of exactly `bytes`: used ones first. */
  takeBuffer(bytes: number): ArrayBuffer {
    for (let buffer = this.#pool.pop(); buffer; buffer = this.#pool.pop()) {
      if (buffer.byteLength === bytes) return buffer;
    }
    return new ArrayBuffer(bytes);
  }

  /** From the next picture on, `client` answers. The old one is closed when its last answer is in. */
  use(client: InferenceClient | undefined): void {
    const old = this.#client;
    // A picture that waits has the size that the old model wants: it is the last one to go there.
    if (old) this.#submitWaiting(old);
    old?.closeWhenIdle();
    this.#client = client;
  }

  /** Takes the picture over. A returned promise means: wait before the next one. */
  push(picture: FlowPicture): void | Promise<void> {
    const client = this.#client;
    if (!client) return this.#recycle(picture.buffer);
    if (!this.#waiting && client.inFlight < IN_FLIGHT) return this.#submit(client, picture);
    if (this.#waiting) {
      this.counters.busy += 1;
      this.#recycle(this.#waiting.buffer);
    }
    this.#waiting = picture;
    if (this.#options.policy === 'block') return new Promise((resolve) => (this.#wake = resolve));
  }

  /** Resolves when nothing is under way any more. */
  async drain(): Promise<void> {
    if (this.#underWay.length > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  #submit(client: InferenceClient, picture: FlowPicture): void {
    const { buffer, width, height } = picture;
    const entry: UnderWay = { picture };
    this.#underWay.push(entry);
    void client
      .infer({ pixels: buffer, pictureWidth: width, pictureHeight: height, view: this.#options.view() })
      .then((result) => this.#finish(entry, result));
  }

  #submitWaiting(client: InferenceClient): void {
    const picture = this.#waiting;
    if (!picture) return;
    this.#waiting = undefined;
    this.#submit(client, picture);
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #finish(entry: UnderWay, result: InferenceResult): void {
    this.#recycle(result.pixels);
    // Hand the next picture over before this one's insights are worked on: the session must not wait for them.
    if (this.#client && this.#client.inFlight < IN_FLIGHT) this.#submitWaiting(this.#client);

    entry.result = result;
    for (let first = this.#underWay[0]; first?.result; first = this.#underWay[0]) {
      this.#underWay.shift();
      this.#deliver(first.picture, first.result);
    }
    if (this.#underWay.length > 0) return;
    const idle = this.#idle;
    this.#idle = undefined;
    idle?.();
  }

  #deliver(picture: FlowPicture, result: InferenceResult): void {
    if (result.error === undefined) {
      this.counters.analysed += 1;
      this.counters.inferenceUs += result.inferenceUs;
    } else this.counters.error += 1;
    this.#options.onResult(picture, result);
  }

  #recycle(buffer: ArrayBuffer): void {
    if (buffer.byteLength > 0 && this.#pool.length < IN_FLIGHT + 2) this.#pool.push(buffer);
  }
}
