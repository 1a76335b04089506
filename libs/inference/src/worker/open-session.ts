import { readFile } from 'node:fs/promises';
import { codeOf, messageOf } from '@vantage/contracts';
import { meanFileUnusable, modelLoadFailed } from '../errors.ts';
import type { Batching, ModelReport, ModelSpec } from '../model-spec.ts';
import { InputTensor } from '../picture/input-tensor.ts';
import { readMeanFile, type MeanPicture } from '../picture/mean-file.ts';
import { describe, otherInputs, type PictureInput } from '../picture/picture-input.ts';
import { openBuiltInReader } from '../reading/built-in-reader.ts';
import { openCustomReader, type CustomReaderOptions } from '../reading/custom-reader.ts';
import type { RunnerOptions } from '../runners/runner.ts';
import { openAsItIs, openEdited, type Network } from './open-network.ts';
import { Session } from './session.ts';

export interface OpenSession {
  readonly session: Session;
  readonly report: ModelReport;
  readonly batching: Batching;
}

/** Pictures of a batch may not take more memory than this. */
const MAX_BATCH_BYTES = 256 * 1024 * 1024;
const MAX_SLOTS = 256;
/** Pictures share a run where that makes so much less of it. */
const WORTH = 0.9;
const MAX_WAIT_MS = 10;

/**
 * Loads a model and tries it: what does not work shows now.
 *
 * @throws VantageError `MODEL_LOAD_FAILED` and the other codes of `errors.ts` and of the parsers
 */
export async function openSession(
  spec: ModelSpec,
  options: RunnerOptions,
  custom: CustomReaderOptions,
): Promise<OpenSession> {
  const started = performance.now();
  for (const open of [openEdited, openAsItIs]) {
    const network = await open(spec, options);
    if (network === undefined) continue;
    try {
      const prepared = await prepare(spec, network, custom, started);
      if (prepared) return prepared;
    } catch (error) {
      // The edited network may not run where the original does.
      if (open === openAsItIs || codeOf(error) !== 'MODEL_LOAD_FAILED') {
        await network.runner.close();
        throw error;
      }
    }
    await network.runner.close();
  }
  throw modelLoadFailed(spec.name, 'its input cannot be written');
}

/** @returns undefined when the padding cannot be written before the network: it has to be opened as it is */
async function prepare(
  spec: ModelSpec,
  { runner, input, declared, infer, preprocessing }: Network,
  custom: CustomReaderOptions,
  started: number,
): Promise<OpenSession | undefined> {
  const { name } = spec;
  const others = otherInputs(name, runner.inputs, input);
  const mean = await meanPicture(spec, input);
  const reader = spec.customParser
    ? await openCustomReader(spec, spec.customParser, runner.outputs, input, custom)
    : openBuiltInReader(spec, runner.outputs, input);
  const padValue = infer.padValue ?? reader.padValue ?? (reader.isText ? undefined : 0);
  // What is zero after normalisation is no byte before it.
  if (padValue === undefined && preprocessing === 'in the session') return undefined;
  const sessionOf = (slots: number): Session => {
    const isTextLine = reader.isText;
    const options = { infer, isTextLine, padValue, ...(mean === undefined ? {} : { mean }) };
    // PaddleOCR, tools/infer/predict_rec.py: a line that is longer than the network's width makes it wider.
    const longLine =
      isTextLine && input.widthIsOpen && infer.maintainAspectRatio && mean === undefined
        ? (width: number): InputTensor => new InputTensor({ ...options, input: { ...input, width }, slots: 1 })
        : undefined;
    const tensor = new InputTensor({ ...options, input, slots });
    return new Session({ runner, input, others, reader, slots, tensor, longLine });
  };
  const loaded = performance.now();
  const session = await rehearsed(input, slotsFor(input, infer.batchSize), sessionOf).catch(async (error: unknown) => {
    await reader.close?.();
    throw modelLoadFailed(name, messageOf(error));
  });
  const { runMs, batching } = await batchingOf(session, input, spec);
  return {
    session,
    batching,
    report: {
      name,
      input: declared,
      outputs: runner.outputs.map((output) => describe([output])),
      network: { width: input.width, height: input.height },
      parser: reader.parser,
      parserReason: reader.reason,
      provider: runner.provider,
      ...(runner.providerReason === undefined ? {} : { providerReason: runner.providerReason }),
      loadMs: Math.round(loaded - started),
      warmUpMs: Math.round(performance.now() - loaded),
      runMs: Math.round(runMs * 10) / 10,
      preprocessing,
      batching,
    },
  };
}

/** Some models leave the batch open and cannot do more than one picture for all that. */
async function rehearsed(
  { batch }: PictureInput,
  slots: number,
  sessionOf: (slots: number) => Session,
): Promise<Session> {
  const session = sessionOf(slots);
  try {
    await session.rehearse();
    return session;
  } catch (error) {
    if (slots === 1 || batch !== 'open') throw error;
    const single = sessionOf(1);
    await single.rehearse();
    return single;
  }
}

/**
 * Whether pictures of different cameras share a run: only where that is faster, as what a picture yields may then
 * differ in its last bits with its company. Regions of a picture always do.
 */
async function batchingOf(
  session: Session,
  { batch }: PictureInput,
  { infer }: ModelSpec,
): Promise<{ runMs: number; batching: Batching }> {
  const { slots } = session;
  // The first run of another shape pays for its memory.
  if (slots > 1 && batch === 'open') await session.time(1, 0);
  const runMs = await session.time(1, 0);
  const alone = (reason: string): { runMs: number; batching: Batching } => {
    return { runMs, batching: { pictures: 1, waitMs: 0, regions: slots, reason } };
  };
  if (slots === 1) {
    return alone(infer.batchSize > 1 ? `the model takes one picture a run` : 'the configuration asks for no batches');
  }
  const waitMs = Math.min(MAX_WAIT_MS, Math.round(runMs));
  if (batch !== 'open') {
    const reason = `the model takes ${slots} pictures a run, whether they are there or not`;
    return { runMs, batching: { pictures: slots, waitMs, regions: slots, reason } };
  }
  if (infer.processMode === 'secondary') return alone('regions of a picture share runs');
  const tried = Math.min(slots, 4);
  if (tried < slots) await session.time(tried, 0);
  const sharedMs = (await session.time(tried, 0)) / tried;
  const measured = `${tried} pictures in one run: ${sharedMs.toFixed(1)} ms each, one alone: ${runMs.toFixed(1)} ms`;
  if (sharedMs > runMs * WORTH) return alone(measured);
  return { runMs, batching: { pictures: slots, waitMs, regions: slots, reason: measured } };
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
