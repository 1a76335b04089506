import os from 'node:os';
import path from 'node:path';
import { VantageError } from '@vantage/contracts';
import type { ModelReport } from '@vantage/inference';
import { resolveFfmpeg } from '@vantage/media';
import { createLogger, silentLogger } from '@vantage/observability';
import type { FrameInsights } from '@vantage/skill';
import { drawDetections } from './draw.ts';
import { findConfig } from './find-config.ts';
import { frameJson } from './frame-json.ts';
import { frameText } from './frame-text.ts';
import { listInputs } from './inputs.ts';
import { Looker } from './looker.ts';

export interface InferOptions {
  readonly input: string;
  readonly config: string;
  /** Configurations of secondary models, in the order of the cascade. */
  readonly secondary: readonly string[];
  readonly parser?: string;
  readonly parserFile?: string;
  /** The built-in one. */
  readonly tracker: boolean;
  readonly trackerConfig?: string;
  readonly json: boolean;
  readonly draw?: string;
  readonly maxFrames?: number;
  readonly verbose: boolean;
}

/** Runs the engine of the ai-pipeline on files, as fast as it goes, and prints a line a frame. */
export async function runInfer(options: InferOptions): Promise<void> {
  const { secondary, parser, parserFile, tracker, trackerConfig, json, draw, maxFrames, verbose } = options;
  const logger = verbose
    ? createLogger({ module: 'infer', level: 'debug', destination: process.stderr })
    : silentLogger;
  const inputs = await listInputs(options.input);
  const cacheFolder = path.join(os.tmpdir(), 'vantage-models');
  const configOf = async (named: string): Promise<string> => (await findConfig(named, cacheFolder, logger)).file;
  const config = await configOf(options.config);
  const secondaries = await Promise.all(secondary.map(configOf));
  if (parser !== undefined && parserFile !== undefined) {
    throw new VantageError('OPTIONS_EXCLUSIVE', '--parser and --parser-file exclude each other; give one of them');
  }
  const ffmpeg = await resolveFfmpeg();
  const looker = new Looker(
    { config, secondaries, parser, parserFile, tracker: trackerConfig ?? (tracker ? 'light-tracker' : undefined) },
    { ffmpeg, cacheFolder, logger },
  );
  try {
    for (const [index, input] of inputs.entries()) {
      let frames = 0;
      let first: FrameInsights | undefined;
      await looker.look(input, (frame) => {
        if (maxFrames !== undefined && frames >= maxFrames) return 'enough';
        const name = inputs.length > 1 ? path.basename(input.file) : undefined;
        process.stdout.write(`${json ? frameJson(frame, name) : frameText(frame, name)}\n`);
        frames += 1;
        first ??= frame;
        return 'more';
      });
      if (index === 0 && first && draw !== undefined) {
        await drawDetections({ ffmpeg, input: input.file, output: draw, frame: first });
      }
    }
    const model = looker.status?.model;
    if (verbose && model) printModel(model);
  } finally {
    await looker.stop();
  }
}

function printModel(model: ModelReport): void {
  process.stderr.write(`input ${model.input}\noutputs ${model.outputs.join(', ')}\n`);
  process.stderr.write(`parser ${model.parser}: ${model.parserReason}\n`);
  process.stderr.write(`provider ${model.provider}, loaded in ${model.loadMs} ms, first run ${model.warmUpMs} ms\n`);
}
