import { once } from 'node:events';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Engine, resolveModel, type CameraStatus, type PipelineStatus, type Problem } from '@vantage/ai-pipeline';
import { VantageError, validateConfiguration, type Components } from '@vantage/contracts';
import { WorkerPool } from '@vantage/inference';
import type { Ffmpeg } from '@vantage/media';
import { ModelStore } from '@vantage/model-store';
import type { Logger } from '@vantage/observability';
import { compileComponents, type FrameInsights, type SkillGraph } from '@vantage/skill';
import { PARSER_NAMES } from '@vantage/vision';
import type { InferInput } from './inputs.ts';

/** What a twin would say about the models; paths on this machine. */
export interface LookerModels {
  readonly config: string;
  readonly secondaries: readonly string[];
  /** Output parser by name. */
  readonly parser?: string | undefined;
  /** A parser of the user's own: `.py`, `.js` or `.ts`. */
  readonly parserFile?: string | undefined;
  /** `light-tracker` or a tracker configuration; absent: none. */
  readonly tracker?: string | undefined;
}

export interface LookerOptions {
  readonly ffmpeg: Ffmpeg;
  /** Where packages are kept. */
  readonly cacheFolder: string;
  readonly logger: Logger;
}

const PIPELINE = 'infer';

/**
 * The ai-pipeline without an edge: a twin, validated and compiled as the modules do, in the same engine, on files, as
 * fast as it goes. Models stay loaded from one file to the next.
 */
export class Looker {
  readonly #models: LookerModels;
  readonly #engine: Engine;
  #files = 0;

  constructor(models: LookerModels, { ffmpeg, cacheFolder, logger }: LookerOptions) {
    this.#models = models;
    const store = new ModelStore({ root: cacheFolder, logger });
    this.#engine = new Engine({
      ffmpeg,
      backend: new WorkerPool({
        parserHost: import.meta.resolve('@vantage/parser-host'),
        log: (level, text, fields) => logger[level](text, fields),
      }),
      resolveModel: (node, signal) => resolveModel(node, { store, localRoot: process.cwd(), logger }, signal),
      logger,
    });
  }

  /** Of the pipeline: model, cameras, problems. Undefined before the first file. */
  get status(): PipelineStatus | undefined {
    return this.#engine.status()[0];
  }

  /**
   * One file through the engine, from its first frame to its last.
   *
   * @throws VantageError with the code of the problem that ended it, `INPUT_UNREADABLE`, `PIPELINE_INVALID`
   */
  async look(input: InferInput, onFrame: (frame: FrameInsights) => 'more' | 'enough'): Promise<void> {
    const sensor = `file-${this.#files}`;
    this.#files += 1;
    const engine = this.#engine;
    const abort = new AbortController();
    let outcome: VantageError | undefined;
    const onInsights = (_pipeline: string, frame: FrameInsights): void => {
      if (frame.sensor === sensor && !abort.signal.aborted && onFrame(frame) === 'enough') abort.abort();
    };
    const onProblem = (problem: Problem): void => {
      outcome ??= new VantageError(problem.code, problem.message);
      // It cost one frame; the others are shown, and the first of them is told in the end.
      if (problem.code !== 'INFERENCE_FAILED') abort.abort();
    };
    const onStatus = (): void => {
      const camera = this.status?.cameras.find((one) => one.sensor === sensor);
      if (!camera || !hasEnded(camera)) return;
      if (camera.state === 'failed') {
        outcome ??= new VantageError('INPUT_UNREADABLE', `${input.file}: ${camera.reason}`);
      }
      abort.abort();
    };
    engine.on('insights', onInsights).on('problem', onProblem).on('status', onStatus);
    try {
      const ended = once(abort.signal, 'abort');
      await engine.apply(graphsOf(sensor, input, this.#models));
      onStatus();
      await ended;
    } finally {
      engine.off('insights', onInsights).off('problem', onProblem).off('status', onStatus);
    }
    if (outcome) throw outcome;
  }

  stop(): Promise<void> {
    return this.#engine.stop();
  }
}

function hasEnded({ state }: CameraStatus): boolean {
  return state === 'ended' || state === 'failed';
}

function graphsOf(sensor: string, input: InferInput, models: LookerModels): readonly SkillGraph[] {
  const { graphs, notes } = compileComponents(componentsOf(sensor, input, models));
  const [note] = notes;
  if (note) throw new VantageError('PIPELINE_INVALID', note.message);
  return graphs;
}

/** The twin of the controllermodule that asks for this, through the validation that every twin goes through. */
function componentsOf(sensor: string, input: InferInput, models: LookerModels): Components {
  const { config, secondaries, parser, parserFile, tracker } = models;
  const { components, errors } = validateConfiguration(
    {
      platform: 'DeepStream',
      components: {
        sensors: [
          {
            name: sensor,
            kind: { type: 'vision', subtype: 'File' },
            endpoint: pathToFileURL(input.file).href,
            regionsOfInterest: [],
            playback: { loop: false, paced: false },
          },
        ],
        deepStream: {
          enable: true,
          pipelineConfigs: [
            {
              id: PIPELINE,
              unsecureZipUrl: '',
              primaryModelConfigPath: {
                configFile: config,
                ...(parser === undefined ? {} : { parser }),
                ...(parserFile === undefined ? {} : { [parserKey(parserFile)]: path.resolve(parserFile) }),
              },
              secondaryModelConfigPaths: [...secondaries],
              trackerConfigPath:
                tracker === undefined || tracker === 'light-tracker' ? (tracker ?? '') : path.resolve(tracker),
              deepstreamPassthrough: '',
              pipelineOptions: {},
            },
          ],
          streams: [{ name: sensor, configId: PIPELINE }],
        },
      },
    },
    // One that is not known is told by the model that cannot use it, with all there are.
    { parsers: [...PARSER_NAMES, ...(parser === undefined ? [] : [parser])] },
  );
  const [error] = errors;
  if (error || !components) throw new VantageError('PIPELINE_INVALID', error?.message ?? 'nothing is left to run');
  return components;
}

function parserKey(file: string): 'pyFile' | 'jsFile' {
  return /\.py$/i.test(file) ? 'pyFile' : 'jsFile';
}
