import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Engine, readModelConfig, type CameraStatus, type Problem } from '@vantage/ai-pipeline';
import { VantageError } from '@vantage/contracts';
import { WorkerPool, type ModelReport } from '@vantage/inference';
import { resolveFfmpeg } from '@vantage/media';
import { createLogger, silentLogger } from '@vantage/observability';
import type { FrameInsights, SkillGraph } from '@vantage/skill';
import type { Detection } from '@vantage/vision';
import { drawDetections } from './draw.ts';
import { findConfig } from './find-config.ts';
import { listInputs, type InferInput } from './inputs.ts';

export interface InferOptions {
  readonly input: string;
  readonly config: string;
  readonly parser?: string;
  readonly tracker: boolean;
  readonly json: boolean;
  readonly draw?: string;
  readonly maxFrames?: number;
  readonly verbose: boolean;
}

const PIPELINE = 'infer';

/** Runs the engine of the ai-pipeline on files, as fast as it goes, and prints a line a frame. */
export async function runInfer(options: InferOptions): Promise<void> {
  const logger = options.verbose
    ? createLogger({ module: 'infer', level: 'debug', destination: process.stderr })
    : silentLogger;
  const inputs = await listInputs(options.input);
  const cache = path.join(os.tmpdir(), 'vantage-models');
  const { file } = await findConfig(options.config, cache, logger);
  const spec = await readModelConfig(file, logger);
  const model = { ...spec, ...(options.parser === undefined ? {} : { parser: options.parser }) };
  const ffmpeg = await resolveFfmpeg();
  const engine = new Engine({
    ffmpeg,
    backend: new WorkerPool(),
    resolveModel: () => Promise.resolve(model),
    logger,
  });
  try {
    for (const [index, input] of inputs.entries()) {
      let frames = 0;
      let first: FrameInsights | undefined;
      await lookAt(engine, input, index, options.tracker, (frame) => {
        if (options.maxFrames !== undefined && frames >= options.maxFrames) return 'enough';
        print(frame, input, inputs.length > 1, options.json);
        frames += 1;
        first ??= frame;
        return 'more';
      });
      if (index === 0 && first && options.draw !== undefined) {
        await drawDetections({ ffmpeg, input: input.file, output: options.draw, frame: first });
      }
    }
    const [status] = engine.status();
    if (options.verbose && status?.model) printModel(status.model);
  } finally {
    await engine.stop();
  }
}

/** One file through the engine, from its first frame to its last. */
async function lookAt(
  engine: Engine,
  input: InferInput,
  index: number,
  track: boolean,
  onFrame: (frame: FrameInsights) => 'more' | 'enough',
): Promise<void> {
  const sensor = `file-${index}`;
  const abort = new AbortController();
  let outcome: VantageError | undefined;
  const onInsights = (_pipeline: string, frame: FrameInsights): void => {
    if (frame.sensor === sensor && onFrame(frame) === 'enough') abort.abort();
  };
  const onProblem = (problem: Problem): void => {
    outcome = new VantageError(problem.code, problem.message);
    abort.abort();
  };
  const onStatus = (): void => {
    const camera = engine.status()[0]?.cameras.find((one) => one.sensor === sensor);
    if (camera && hasEnded(camera)) {
      if (camera.state === 'failed') outcome = new VantageError('INPUT_UNREADABLE', `${input.file}: ${camera.reason}`);
      abort.abort();
    }
  };
  engine.on('insights', onInsights).on('problem', onProblem).on('status', onStatus);
  try {
    const ended = once(abort.signal, 'abort');
    await engine.apply([graphFor(sensor, input, track)]);
    onStatus();
    await ended;
  } finally {
    engine.off('insights', onInsights).off('problem', onProblem).off('status', onStatus);
  }
  if (outcome) throw outcome;
}

function hasEnded(camera: CameraStatus): boolean {
  return camera.state === 'ended' || camera.state === 'failed';
}

function graphFor(sensor: string, input: InferInput, track: boolean): SkillGraph {
  return {
    id: PIPELINE,
    nodes: [
      {
        kind: 'source',
        id: `source/${sensor}`,
        sensor,
        url: pathToFileURL(input.file).href,
        regions: [],
        pace: 'asFastAsPossible',
        loop: false,
      },
      { kind: 'model', id: 'model/primary', configFile: '' },
      ...(track ? [{ kind: 'tracker', id: 'tracker', algorithm: 'light' } as const] : []),
    ],
    edges: [],
  };
}

function print(frame: FrameInsights, input: InferInput, named: boolean, json: boolean): void {
  const pts = Math.round(frame.ptsUs) / 1e6;
  if (json) {
    const detections = frame.detections.map(describe);
    const file = named ? { file: path.basename(input.file) } : {};
    process.stdout.write(`${JSON.stringify({ ...file, frame: frame.frameId, pts, detections })}\n`);
    return;
  }
  const found = frame.detections.map(({ label, confidence, trackingId }) => {
    return `${label}${trackingId > 0 ? ` #${trackingId}` : ''} ${Math.round(confidence * 100)}%`;
  });
  const where = named ? `${path.basename(input.file)} ` : '';
  process.stdout.write(`${where}frame ${frame.frameId} ${pts.toFixed(2)} s: ${found.join(', ') || 'nothing'}\n`);
}

/** The line format of `--json`: boxes in pixels of the source picture, [left, top, width, height]. */
function describe(detection: Detection): Record<string, unknown> {
  const { label, classId, confidence, box, trackingId, attributes, points } = detection;
  const round = (value: number) => Math.round(value * 100) / 100;
  return {
    label,
    classId,
    confidence: Math.round(confidence * 1e4) / 1e4,
    box: [box.left, box.top, box.width, box.height].map(round),
    trackingId,
    attributes,
    ...(points ? { points: points.map(({ x, y }) => [round(x), round(y)]) } : {}),
  };
}

function printModel(model: ModelReport): void {
  process.stderr.write(`input ${model.input}\noutputs ${model.outputs.join(', ')}\n`);
  process.stderr.write(`parser ${model.parser}: ${model.parserReason}\n`);
  process.stderr.write(`provider ${model.provider}, loaded in ${model.loadMs} ms, first run ${model.warmUpMs} ms\n`);
}
