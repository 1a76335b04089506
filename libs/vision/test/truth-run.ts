/**
 * Runs every detection truth of the assets through letterboxing, tensor writing, parser and suppression, and prints a
 * line of JSON for each. A process of its own: ONNX Runtime does not work inside of Jest's realm.
 *
 * usage: node truth-run.ts <assets> <ffmpeg>
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  CandidateList,
  Suppressor,
  TensorWriter,
  chooseParser,
  fillPad,
  fitPicture,
  parseSettings,
  tensorLength,
  toDetections,
  type NetworkInfo,
  type TensorData,
  type TensorInfo,
  type TensorLayout,
} from '../src/index.ts';

interface Truth {
  readonly schema: string;
  readonly model: string;
  readonly image: string;
  readonly imageWidth: number;
  readonly imageHeight: number;
  readonly preprocess: {
    readonly inputName: string;
    readonly width: number;
    readonly height: number;
    readonly resize: string;
    readonly colorOrder: 'RGB' | 'BGR';
    readonly mean: [number, number, number];
    readonly std: [number, number, number];
  };
  readonly thresholds: { readonly conf: number; readonly nmsIoU: number };
  readonly labels: string | string[];
  readonly detections: readonly { readonly classId: number; readonly box: number[]; readonly landmarks?: number[] }[];
}

const [assets = '', ffmpeg = 'ffmpeg'] = process.argv.slice(2);
const { compare } = (await import(join(assets, 'truth/compare.mjs'))) as {
  compare: (truth: Truth, mine: readonly object[]) => object[];
};
const sessions = new Map<string, InferenceSession>();

for (const file of readdirSync(join(assets, 'truth')).filter((name) => name.endsWith('.json'))) {
  const truth = JSON.parse(readFileSync(join(assets, 'truth', file), 'utf8')) as Truth;
  if (truth.schema !== 'detection-truth/1') continue;
  process.stdout.write(`${JSON.stringify({ file, ...(await check(truth)) })}\n`);
}

async function check(truth: Truth): Promise<object> {
  const { preprocess } = truth;
  const session = sessions.get(truth.model) ?? (await open(truth.model));
  const labels =
    typeof truth.labels === 'string'
      ? readFileSync(join(assets, 'labels/coco.names'), 'utf8').trim().split('\n')
      : truth.labels;
  const net: NetworkInfo = { width: preprocess.width, height: preprocess.height, classCount: labels.length, labels };
  const outputs = session.outputMetadata.map(({ name, ...rest }): TensorInfo => {
    const shape = 'shape' in rest ? rest.shape : [];
    return { name, dims: shape.map((dim) => (typeof dim === 'number' ? dim : -1)), type: 'float32' };
  });
  const { parser, reason, suppression } = chooseParser({ outputs, net });

  const fit = fitPicture({
    sourceWidth: truth.imageWidth,
    sourceHeight: truth.imageHeight,
    networkWidth: preprocess.width,
    networkHeight: preprocess.height,
    keepAspect: preprocess.resize.startsWith('letterbox'),
    symmetric: preprocess.resize === 'letterbox-center',
  });
  const filter = `scale=${fit.width}:${fit.height}:flags=bicubic`;
  const picture = ['-i', join(assets, 'images', truth.image), '-vf', filter, '-frames:v', '1'];
  const raw = ['-pix_fmt', 'gbrp', '-f', 'rawvideo', '-'];
  const pixels = execFileSync(ffmpeg, ['-v', 'error', ...picture, ...raw], { maxBuffer: 1e8 });
  const layout: TensorLayout = {
    networkWidth: preprocess.width,
    networkHeight: preprocess.height,
    offsetX: fit.offsetX,
    offsetY: fit.offsetY,
    order: preprocess.colorOrder,
    layout: 'NCHW',
  };
  const norm = { scale: 1 / preprocess.std[0], offsets: preprocess.mean };
  const input = new Float32Array(tensorLength(layout));
  fillPad(input, parser.network.padValue ?? 0, layout, norm);
  new TensorWriter(layout, norm).write(pixels, fit.width, fit.height, input);

  const dims = [1, 3, preprocess.height, preprocess.width];
  const results = await session.run({ [preprocess.inputName]: new Tensor('float32', input, dims) });
  const tensors = outputs.map(({ name }): TensorData => {
    const result = results[name];
    if (!(result?.data instanceof Float32Array)) throw new Error(`${name} is no float tensor`);
    return { name, dims: result.dims, data: result.data };
  });
  const candidates = new CandidateList();
  parser.create(outputs, net)(tensors, 0, parseSettings(truth.thresholds.conf), candidates);
  const kept = new Suppressor().run(candidates, { mode: suppression, iouThreshold: truth.thresholds.nmsIoU });
  const mine = toDetections(candidates, kept, fit, { labels, componentId: 1 }).map((detection) => {
    const { left, top, width, height } = detection.box;
    const points = detection.points?.flatMap(({ x, y }) => [x, y]);
    return {
      classId: detection.classId,
      score: detection.confidence,
      box: [left, top, left + width, top + height],
      points,
    };
  });
  const points = mine.filter((detection) => detection.points !== undefined).length;
  return { parser: parser.name, reason, found: mine.length, points, wrong: compare(truth, mine) };
}

async function open(model: string): Promise<InferenceSession> {
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const;
  const session = await InferenceSession.create(join(assets, 'models', model), options);
  sessions.set(model, session);
  return session;
}
