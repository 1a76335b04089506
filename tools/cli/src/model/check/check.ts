import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readModelConfig, type PipelineStatus } from '@vantage/ai-pipeline';
import { VantageError } from '@vantage/contracts';
import { resolveFfmpeg, type Ffmpeg } from '@vantage/media';
import { silentLogger } from '@vantage/observability';
import type { FrameInsights } from '@vantage/skill';
import { drawDetections } from '../../infer/draw.ts';
import { listInputs, type InferInput } from '../../infer/inputs.ts';
import { Looker } from '../../infer/looker.ts';
import type { Preparation } from '../proposal/preparation.ts';
import { measure, type Speed } from './measure.ts';
import { planCheck, withPreparation, type CheckPlan } from './plan.ts';
import { openSubject, type Subject } from './subject.ts';
import { tryPreparations, type Tried } from './try-preparations.ts';

export interface CheckOptions {
  readonly given: string;
  /** Pictures, folders of pictures, videos. */
  readonly images: readonly string[];
  /** PNG of the first picture with what was found. */
  readonly draw?: string;
  readonly labels?: string;
  readonly parser?: string;
  readonly select?: string;
  /** Of each measurement; 0: nothing is measured. */
  readonly seconds: number;
}

export interface Check {
  readonly subject: Subject;
  readonly plan: CheckPlan;
  /** What the loaded model reports; undefined when it was not loaded. */
  readonly model: PipelineStatus['model'];
  readonly seen: readonly { readonly file: string; readonly frame: FrameInsights }[];
  readonly tried?: readonly Tried[];
  readonly drawn?: string;
  readonly speed?: Speed;
}

const MAX_INPUTS = 1000;
/** Pictures that ways of preparation are tried on. */
const TRIED_PICTURES = 3;

/** Looks at a model from all sides: file, parser, preparation, pictures, speed. Nothing of the user's is changed. */
export async function checkModel(options: CheckOptions): Promise<Check> {
  const cacheFolder = path.join(os.tmpdir(), 'vantage-models');
  const subject = await openSubject(options.given, cacheFolder, silentLogger);
  const inputs = await allInputs(options.images);
  if (options.draw !== undefined && inputs.length === 0) {
    throw new VantageError('INPUT_MISSING', '--draw needs a picture: give one with --images');
  }
  const first = await planCheck(subject, options);
  const ffmpeg = await resolveFfmpeg();
  const bench = new Bench(ffmpeg, cacheFolder, options.parser);
  try {
    const trial = await tryWays(first, inputs, bench, options.parser);
    const plan = trial ? withPreparation(first, trial.best, options.parser) : first;
    const { frames, model } = await bench.look(plan, inputs);
    const [input] = inputs;
    const [frame] = frames;
    if (options.draw !== undefined && input && frame) {
      await drawDetections({ ffmpeg, input: input.file, output: options.draw, frame });
    }
    const video = inputs.find(({ isImage }) => !isImage)?.file;
    return {
      subject,
      plan,
      model,
      seen: frames.map((each, at) => ({ file: inputs[at]?.file ?? '', frame: each })),
      ...(trial ? { tried: trial.tried } : {}),
      ...(options.draw === undefined ? {} : { drawn: options.draw }),
      ...(options.seconds > 0
        ? {
            speed: await measure(await readModelConfig(await bench.configFile(plan), silentLogger), {
              seconds: options.seconds,
              ffmpeg,
              ...(video === undefined ? {} : { video }),
            }),
          }
        : {}),
    };
  } finally {
    await bench.dispose();
  }
}

async function allInputs(named: readonly string[]): Promise<InferInput[]> {
  const inputs = (await Promise.all(named.map(listInputs))).flat();
  if (inputs.length > MAX_INPUTS) {
    throw new VantageError(
      'INPUT_MISSING',
      `${inputs.length} pictures are too many for a check; give ${MAX_INPUTS} at most`,
    );
  }
  return inputs;
}

async function tryWays(
  plan: CheckPlan,
  inputs: readonly InferInput[],
  bench: Bench,
  parser: string | undefined,
): ReturnType<typeof tryPreparations> {
  const chosen = plan.proposal?.preparation;
  if (!chosen || chosen.sure || inputs.length === 0) return undefined;
  const few = inputs.slice(0, TRIED_PICTURES);
  return tryPreparations(
    chosen,
    async (way: Preparation) => (await bench.look(withPreparation(plan, way, parser), few)).frames,
  );
}

/** Runs plans: writes the configurations that were made into a folder of its own. */
class Bench {
  readonly #ffmpeg: Ffmpeg;
  readonly #cacheFolder: string;
  readonly #parser: string | undefined;
  readonly #folders: string[] = [];

  constructor(ffmpeg: Ffmpeg, cacheFolder: string, parser: string | undefined) {
    this.#ffmpeg = ffmpeg;
    this.#cacheFolder = cacheFolder;
    this.#parser = parser;
  }

  /** The first frame of each input. Without inputs the model is not loaded. */
  async look(
    plan: CheckPlan,
    inputs: readonly InferInput[],
  ): Promise<{ frames: FrameInsights[]; model: PipelineStatus['model'] }> {
    if (inputs.length === 0) return { frames: [], model: undefined };
    const looker = new Looker(
      { config: await this.configFile(plan), secondaries: plan.secondaries, parser: this.#parser },
      { ffmpeg: this.#ffmpeg, cacheFolder: this.#cacheFolder, logger: silentLogger },
    );
    try {
      const frames: FrameInsights[] = [];
      for (const input of inputs) {
        await looker.look(input, (frame) => {
          frames.push(frame);
          return 'enough';
        });
      }
      return { frames, model: looker.status?.model };
    } finally {
      await looker.stop();
    }
  }

  async configFile({ configFile, text, labels, facts }: CheckPlan): Promise<string> {
    if (configFile !== undefined) return configFile;
    const folder = await mkdtemp(path.join(os.tmpdir(), 'vantage-check-'));
    this.#folders.push(folder);
    const file = path.join(folder, 'config_infer.txt');
    await writeFile(file, text ?? '');
    if (labels) await writeFile(path.join(folder, 'labels.txt'), `${labels.names.join('\n')}\n`);
    for (const name of facts ? [path.basename(facts.file), ...facts.model.externalFiles] : []) {
      await symlink(path.join(path.dirname(facts?.file ?? ''), name), path.join(folder, name));
    }
    return file;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#folders.map((folder) => rm(folder, { recursive: true, force: true })));
  }
}
