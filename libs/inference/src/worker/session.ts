import { readFile } from 'node:fs/promises';
import { messageOf } from '@vantage/contracts';
import type { Box, TensorData } from '@vantage/vision';
import { meanFileUnusable, modelLoadFailed } from '../errors.ts';
import type { FrameRequest } from '../frame-port.ts';
import { EMPTY_OUTPUT, type ModelOutput } from '../model-output.ts';
import type { ModelReport, ModelSpec } from '../model-spec.ts';
import { InputTensor, type Placement } from '../picture/input-tensor.ts';
import { readMeanFile, type MeanPicture } from '../picture/mean-file.ts';
import { describe, findPictureInput, otherInputs, type PictureInput } from '../picture/picture-input.ts';
import { openBuiltInReader } from '../reading/built-in-reader.ts';
import type { ModelReader } from '../reading/reader.ts';
import { openRunner } from '../runners/open-runner.ts';
import type { RunnerOptions, TensorRunner } from '../runners/runner.ts';

/** A picture, or a region of one, that waits for its output. */
export interface SessionItem {
  readonly frame: Omit<FrameRequest, 'id'>;
  readonly region?: Box;
}

/** What became of an item: its output, or why there is none. */
export type SessionAnswer = { readonly output: ModelOutput } | { readonly error: string };

/** A batch of the input's memory may not be larger than this. */
const MAX_BATCH_BYTES = 256 * 1024 * 1024;
const MAX_SLOTS = 256;

/** A network that is loaded, on the thread that opened it: from pictures to what the model says about them. */
export class Session {
  readonly report: ModelReport;
  /** Pictures that fit into one run. */
  readonly slots: number;
  readonly #runner: TensorRunner;
  readonly #input: PictureInput;
  readonly #tensor: InputTensor;
  readonly #others: ((count: number) => TensorData[]) | undefined;
  readonly #reader: ModelReader;

  private constructor(parts: {
    report: ModelReport;
    runner: TensorRunner;
    input: PictureInput;
    tensor: InputTensor;
    slots: number;
    others: ((count: number) => TensorData[]) | undefined;
    reader: ModelReader;
  }) {
    this.report = parts.report;
    this.slots = parts.slots;
    this.#runner = parts.runner;
    this.#input = parts.input;
    this.#tensor = parts.tensor;
    this.#others = parts.others;
    this.#reader = parts.reader;
  }

  /** @throws VantageError `MODEL_LOAD_FAILED` and the other codes of `errors.ts` and of the parsers */
  static async open(spec: ModelSpec, options: RunnerOptions): Promise<Session> {
    const started = performance.now();
    const runner = await openRunner(spec, options);
    try {
      const loadMs = performance.now() - started;
      return await Session.#open(spec, runner, loadMs);
    } catch (error) {
      await runner.close();
      throw error;
    }
  }

  static async #open(spec: ModelSpec, runner: TensorRunner, loadMs: number): Promise<Session> {
    const { infer, name } = spec;
    const input = findPictureInput(name, runner.inputs, infer);
    const others = otherInputs(name, runner.inputs, input);
    const reader = openBuiltInReader(spec, runner.outputs, input);
    const mean = await meanPicture(spec, input);
    const open = (slots: number): Session =>
      new Session({
        runner,
        input,
        others,
        reader,
        slots,
        tensor: new InputTensor({
          input,
          infer,
          slots,
          isTextLine: reader.isText,
          padValue: infer.padValue ?? reader.padValue ?? (reader.isText ? undefined : 0),
          ...(mean === undefined ? {} : { mean }),
        }),
        report: {
          name,
          input: describe(runner.inputs.filter((one) => one.name === input.name)),
          outputs: runner.outputs.map((output) => describe([output])),
          network: { width: input.width, height: input.height },
          parser: reader.parser,
          parserReason: reader.reason,
          provider: runner.provider,
          ...(runner.providerReason === undefined ? {} : { providerReason: runner.providerReason }),
          loadMs: Math.round(loadMs),
          warmUpMs: 0,
        },
      });
    const slots = slotsFor(input, infer.batchSize);
    const session = open(slots);
    const warmUpStarted = performance.now();
    let warm = session;
    try {
      await session.#trial();
    } catch (error) {
      // Some models leave the batch open and cannot do more than one picture for all that.
      if (slots === 1 || input.batch !== 'open') throw modelLoadFailed(name, messageOf(error));
      warm = open(1);
      await warm.#trial().catch((again: unknown) => {
        throw modelLoadFailed(name, messageOf(again));
      });
    }
    (warm.report as { warmUpMs: number }).warmUpMs = Math.round(performance.now() - warmUpStarted);
    return warm;
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

  async close(): Promise<void> {
    await this.#reader.close?.();
    await this.#runner.close();
  }

  async #runBatch(items: readonly SessionItem[]): Promise<SessionAnswer[]> {
    const answers: SessionAnswer[] = [];
    const written: { at: number; placement: Placement }[] = [];
    for (const [at, { frame, region }] of items.entries()) {
      try {
        const placement = this.#tensor.write(written.length, frame, region);
        if (placement === undefined) answers[at] = { output: EMPTY_OUTPUT };
        else written.push({ at, placement });
      } catch (error) {
        answers[at] = { error: messageOf(error) };
      }
    }
    if (written.length === 0) return answers;
    try {
      const results = await this.#runner.run(this.#feeds(written.length));
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
      return { output: await this.#reader.read(results, slot, placement) };
    } catch (error) {
      return { error: messageOf(error) };
    }
  }

  #feeds(pictures: number): TensorData[] {
    const { batch } = this.#input;
    const count = typeof batch === 'number' ? batch : pictures;
    return [this.#tensor.feed(count), ...(this.#others?.(count) ?? [])];
  }

  /** A full batch, read to its end: what does not work shows when the model is loaded. */
  async #trial(): Promise<void> {
    const { width, height } = this.#input;
    const frame = {
      pixels: new ArrayBuffer(3 * width * height),
      pictureWidth: width,
      pictureHeight: height,
      view: { left: 0, top: 0, width, height },
    };
    const answers = await this.#runBatch(Array.from({ length: this.slots }, () => ({ frame })));
    for (const answer of answers) if ('error' in answer) throw new Error(answer.error);
  }
}

function slotsFor({ batch, channels, width, height }: PictureInput, wanted: number): number {
  if (batch === 'none') return 1;
  if (typeof batch === 'number') return batch;
  const room = Math.floor(MAX_BATCH_BYTES / (4 * channels * width * height));
  return Math.max(1, Math.min(wanted, room, MAX_SLOTS));
}

async function meanPicture({ meanFile }: ModelSpec, { width, height }: PictureInput): Promise<MeanPicture | undefined> {
  if (meanFile === undefined) return undefined;
  let bytes: Buffer;
  try {
    bytes = await readFile(meanFile);
  } catch (error) {
    throw meanFileUnusable(meanFile, messageOf(error));
  }
  return readMeanFile(bytes, meanFile, width, height);
}
