import { messageOf } from '@vantage/contracts';
import type { Box, TensorData } from '@vantage/vision';
import type { FrameRequest } from '../frame-port.ts';
import { EMPTY_OUTPUT, type ModelOutput } from '../model-output.ts';
import type { InputTensor, Placement } from '../picture/input-tensor.ts';
import type { PictureInput } from '../picture/picture-input.ts';
import type { ModelReader } from '../reading/reader.ts';
import type { TensorRunner } from '../runners/runner.ts';

/** A picture, or a region of one, that waits for its output. */
export interface SessionItem {
  readonly frame: Omit<FrameRequest, 'id'>;
  readonly region?: Box;
}

/** What became of an item: its output, or why there is none. */
export type SessionAnswer = { readonly output: ModelOutput } | { readonly error: string };

export interface SessionParts {
  readonly runner: TensorRunner;
  readonly input: PictureInput;
  readonly tensor: InputTensor;
  /** Pictures that fit into one run. */
  readonly slots: number;
  /** Room for one line of text that is longer than the others; undefined where the network takes none. */
  readonly longLine?: ((width: number) => InputTensor) | undefined;
  readonly others: ((count: number) => TensorData[]) | undefined;
  readonly reader: ModelReader;
}

/** Lines of text: steps of their width, the longest in heights, and how many widths are kept in memory. */
const LINE_STEP = 32;
const LONGEST_LINE = 40;
const LONG_LINES = 8;

/** A network that is loaded, on the thread that opened it: from pictures to what the model says about them. */
export class Session {
  readonly slots: number;
  readonly #parts: SessionParts;
  readonly #longLines = new Map<number, InputTensor>();

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.slots = parts.slots;
  }

  /**
   * Looks at items, as many at once as there are slots. Never rejects: an item that fails costs itself only, a run that
   * fails its batch. Pixels are not touched any more when it resolves.
   */
  async run(items: readonly SessionItem[]): Promise<SessionAnswer[]> {
    const answers = new Map<SessionItem, SessionAnswer>();
    const { tensor, longLine } = this.#parts;
    const long = longLine ? items.filter((item) => this.#widthOf(item) > this.#parts.input.width) : [];
    for (const item of long) await this.#runBatch([item], this.#longLine(this.#widthOf(item)) ?? tensor, answers);
    const usual = long.length === 0 ? items : items.filter((item) => !long.includes(item));
    for (let start = 0; start < usual.length; start += this.slots) {
      await this.#runBatch(usual.slice(start, start + this.slots), tensor, answers);
    }
    return items.map((item) => answers.get(item) ?? { error: 'the model gave no answer' });
  }

  /** A full batch of black pictures, read to its end. Rejects with what does not work. */
  async rehearse(): Promise<void> {
    const { width, height } = this.#parts.input;
    const frame = {
      pixels: new ArrayBuffer(3 * width * height),
      pictureWidth: width,
      pictureHeight: height,
      view: { left: 0, top: 0, width, height },
    };
    if (!this.#parts.reader.canRehearse) return void (await this.#parts.runner.run(this.#feeds(this.slots)));
    for (const answer of await this.run(Array.from({ length: this.slots }, () => ({ frame })))) {
      if ('error' in answer) throw new Error(answer.error);
    }
  }

  /** Mean time of a run with so many pictures, milliseconds: runs until `forMs` have passed, at least one. */
  async time(pictures: number, forMs: number): Promise<number> {
    const started = performance.now();
    let runs = 0;
    let spent = 0;
    do {
      await this.#parts.runner.run(this.#feeds(pictures));
      runs += 1;
      spent = performance.now() - started;
    } while (spent < forMs);
    return spent / runs;
  }

  async close(): Promise<void> {
    await this.#parts.reader.close?.();
    await this.#parts.runner.close();
  }

  async #runBatch(
    items: readonly SessionItem[],
    tensor: InputTensor,
    answers: Map<SessionItem, SessionAnswer>,
  ): Promise<void> {
    const written: { item: SessionItem; placement: Placement }[] = [];
    for (const item of items) {
      try {
        const placement = tensor.write(written.length, item.frame, item.region);
        if (placement === undefined) answers.set(item, { output: EMPTY_OUTPUT });
        else written.push({ item, placement });
      } catch (error) {
        answers.set(item, { error: messageOf(error) });
      }
    }
    if (written.length === 0) return;
    try {
      const results = await this.#parts.runner.run(this.#feeds(written.length, tensor));
      for (const [slot, { item, placement }] of written.entries()) {
        answers.set(item, await this.#read(results, slot, placement, item.frame.peaks === true));
      }
    } catch (error) {
      for (const { item } of written) answers.set(item, { error: messageOf(error) });
    }
  }

  /** Width in network pixels at the network's height, in steps: each shape is planned anew by the runtime. */
  #widthOf({ frame: { view }, region = view }: SessionItem): number {
    const { height } = this.#parts.input;
    const width = Math.ceil((height * region.width) / region.height / LINE_STEP) * LINE_STEP;
    return Math.min(width, height * LONGEST_LINE) || 0;
  }

  #longLine(width: number): InputTensor | undefined {
    let tensor = this.#longLines.get(width);
    if (tensor === undefined) {
      tensor = this.#parts.longLine?.(width);
      if (tensor === undefined) return undefined;
      const [oldest] = this.#longLines.keys();
      if (this.#longLines.size >= LONG_LINES && oldest !== undefined) this.#longLines.delete(oldest);
      this.#longLines.set(width, tensor);
    }
    return tensor;
  }

  async #read(
    results: readonly TensorData[],
    slot: number,
    placement: Placement,
    withPeaks: boolean,
  ): Promise<SessionAnswer> {
    const { reader } = this.#parts;
    try {
      // Before the first wait: the runtime's memory is its own.
      const reading = reader.read(results, slot, placement);
      const peaks = withPeaks ? reader.peaks?.(results, slot) : undefined;
      const output = await reading;
      return { output: peaks ? { ...output, peaks } : output };
    } catch (error) {
      return { error: messageOf(error) };
    }
  }

  #feeds(pictures: number, tensor = this.#parts.tensor): TensorData[] {
    const { input, others } = this.#parts;
    const count = typeof input.batch === 'number' ? input.batch : pictures;
    return [tensor.feed(count), ...(others?.(count) ?? [])];
  }
}
