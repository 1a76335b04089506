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
  readonly others: ((count: number) => TensorData[]) | undefined;
  readonly reader: ModelReader;
}

/** A network that is loaded, on the thread that opened it: from pictures to what the model says about them. */
export class Session {
  readonly slots: number;
  readonly #parts: SessionParts;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.slots = parts.slots;
  }

  /**
   * Looks at items, as many at once as there are slots. Never rejects: an item that fails costs itself only, a run that
   * fails its batch. Pixels are not touched any more when it resolves.
   */
  async run(items: readonly SessionItem[]): Promise<SessionAnswer[]> {
    const answers: SessionAnswer[] = [];
    for (let start = 0; start < items.length; start += this.slots) {
      answers.push(...(await this.#runBatch(items.slice(start, start + this.slots))));
    }
    return answers;
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
    for (const answer of await this.#runBatch(Array.from({ length: this.slots }, () => ({ frame })))) {
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

  async #runBatch(items: readonly SessionItem[]): Promise<SessionAnswer[]> {
    const { tensor, runner } = this.#parts;
    const answers: SessionAnswer[] = [];
    const written: { at: number; placement: Placement }[] = [];
    for (const [at, { frame, region }] of items.entries()) {
      try {
        const placement = tensor.write(written.length, frame, region);
        if (placement === undefined) answers[at] = { output: EMPTY_OUTPUT };
        else written.push({ at, placement });
      } catch (error) {
        answers[at] = { error: messageOf(error) };
      }
    }
    if (written.length === 0) return answers;
    try {
      const results = await runner.run(this.#feeds(written.length));
      for (const [slot, { at, placement }] of written.entries()) {
        answers[at] = await this.#read(results, slot, placement);
      }
    } catch (error) {
      for (const { at } of written) answers[at] = { error: messageOf(error) };
    }
    return answers;
  }

  async #read(results: readonly TensorData[], slot: number, placement: Placement): Promise<SessionAnswer> {
    try {
      return { output: await this.#parts.reader.read(results, slot, placement) };
    } catch (error) {
      return { error: messageOf(error) };
    }
  }

  #feeds(pictures: number): TensorData[] {
    const { input, tensor, others } = this.#parts;
    const count = typeof input.batch === 'number' ? input.batch : pictures;
    return [tensor.feed(count), ...(others?.(count) ?? [])];
  }
}
