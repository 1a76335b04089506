/**
 * Runs every truth of the assets that is no plain detection (classification, cascade, embedding, text) through tensor
 * writing and the reader that was chosen, and prints a line of JSON for each. A process of its own: ONNX Runtime does
 * not work inside of Jest's realm.
 *
 * usage: node task-truth-run.ts <assets> <ffmpeg>
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  TensorWriter,
  chooseOutputs,
  createOutputReader,
  fillPad,
  fitPicture,
  parseSettings,
  tensorLength,
  type ModelResult,
  type NetworkInfo,
  type OutputRequest,
  type TensorData,
  type TensorElements,
  type TensorInfo,
  type TensorLayout,
} from '../src/index.ts';

interface Preprocess {
  readonly width: number;
  readonly height: number;
  readonly layout: string;
  readonly colorOrder: 'RGB' | 'BGR' | 'GRAY';
  readonly mean: [number, number, number];
  readonly std: [number, number, number];
}

interface Scored {
  readonly classId: number;
  readonly score: number;
}

interface Truth {
  readonly schema: string;
  readonly image: string;
  readonly model?: string;
  readonly secondary?: string;
  readonly preprocess: Preprocess;
  readonly labels?: string[];
  readonly top5?: Scored[];
  readonly stable?: boolean;
  readonly text?: string;
  readonly score?: number;
  readonly variants?: Record<string, Scored[]>;
  readonly results?: {
    cropPixels: [number, number, number, number];
    classId: number;
    raw: number[];
    variants?: Record<string, number[]>;
    embedding: number[];
  }[];
}

type Crop = readonly [left: number, top: number, right: number, bottom: number];

const [assets = '', ffmpeg = 'ffmpeg'] = process.argv.slice(2);
const sessions = new Map<string, InferenceSession>();
const lines = (file: string): string[] =>
  readFileSync(join(assets, 'labels', file), 'utf8')
    .replace(/\n$/, '')
    .split('\n');

for (const file of readdirSync(join(assets, 'truth')).filter((name) => name.endsWith('.json'))) {
  const truth = JSON.parse(readFileSync(join(assets, 'truth', file), 'utf8')) as Truth;
  const check = {
    'classification-truth/1': classify,
    'cascade-truth/1': cascade,
    'embedding-truth/1': embed,
    'ocr-truth/1': read,
  }[truth.schema];
  if (check === undefined) continue;
  process.stdout.write(`${JSON.stringify({ file, ...(await check(truth)) })}\n`);
}

async function classify(truth: Truth): Promise<object> {
  const labels = truth.model === 'mnist.onnx' ? lines('mnist.txt') : lines('imagenet_labels_wml.txt');
  const { result, reason } = await look(truth, truth.model ?? '', { labels, networkType: 'classifier' });
  const [top] = result.task === 'classification' ? result.classifications : [];
  const expected = [truth.top5, ...(truth.stable ? [] : Object.values(truth.variants ?? {}))].map((five) => five?.[0]);
  const right = expected.some(
    (one) => one?.classId === top?.classId && Math.abs((one?.score ?? 9) - (top?.confidence ?? 0)) <= 0.02,
  );
  return { reason, wrong: right ? [] : [{ top, expected }] };
}

async function cascade(truth: Truth): Promise<object> {
  const wrong: object[] = [];
  let reason = '';
  for (const expected of truth.results ?? []) {
    const looked = await look(
      truth,
      truth.secondary ?? '',
      { labels: truth.labels ?? [], networkType: 'classifier' },
      expected.cropPixels,
    );
    reason = looked.reason;
    const [top] = looked.result.task === 'classification' ? looked.result.classifications : [];
    const references = [expected.raw, ...Object.values(expected.variants ?? {})];
    const right =
      top?.classId === expected.classId &&
      references.some((raw) => Math.abs((raw[expected.classId] ?? 9) - top.confidence) <= 0.03);
    if (!right) wrong.push({ top, expected: expected.raw });
  }
  return { reason, wrong };
}

async function embed(truth: Truth): Promise<object> {
  const wrong: object[] = [];
  let reason = '';
  for (const { embedding, cropPixels } of truth.results ?? []) {
    const looked = await look(truth, truth.secondary ?? '', { labels: [] }, cropPixels);
    reason = looked.reason;
    const values = looked.result.task === 'embedding' ? [...looked.result.embedding.values] : [];
    const norm = Math.hypot(...embedding);
    const cosine = values.reduce((sum, value, i) => sum + (value * (embedding[i] ?? 0)) / norm, 0);
    if (!(cosine >= 0.97) || Math.abs(Math.hypot(...values) - 1) > 1e-5) wrong.push({ cosine, cropPixels });
  }
  return { reason, wrong };
}

async function read(truth: Truth): Promise<object> {
  const { result, reason } = await look(truth, truth.model ?? '', {
    labels: lines('ppocr_en_dict.txt'),
    networkType: 'classifier',
  });
  const [reading] = result.task === 'text' ? result.readings : [];
  const right = reading?.text === truth.text && Math.abs((reading?.score ?? 0) - (truth.score ?? 9)) <= 0.02;
  return { reason, wrong: right ? [] : [{ reading, text: truth.text, score: truth.score }] };
}

async function look(
  { image, preprocess, schema }: Truth,
  model: string,
  { labels, networkType }: { labels: string[]; networkType?: OutputRequest['networkType'] },
  crop?: Crop,
): Promise<{ result: ModelResult; reason: string }> {
  const session =
    sessions.get(model) ??
    (await InferenceSession.create(join(assets, 'models', model), { intraOpNumThreads: 1, logSeverityLevel: 3 }));
  sessions.set(model, session);
  const { width, height } = preprocess;
  const net: NetworkInfo = { width, height, labels };
  const outputs = session.outputMetadata.map((value): TensorInfo => {
    const shape = 'shape' in value ? value.shape : [];
    return {
      name: value.name,
      dims: shape.map((dim) => (typeof dim === 'number' ? dim : -1)),
      type: 'type' in value ? value.type : '',
    };
  });
  const choice = chooseOutputs({ outputs, net, networkType });
  const { data, fit } = pictureTensor(preprocess, image, schema === 'ocr-truth/1', crop);
  const [input] = session.inputMetadata;
  const half = input !== undefined && 'type' in input && input.type === 'float16';
  const channels = preprocess.colorOrder === 'GRAY' ? 1 : 3;
  const dims = preprocess.layout.startsWith('NHWC') ? [1, height, width, channels] : [1, channels, height, width];
  const tensor = half ? new Tensor('float16', Uint16Array.from(data, toHalf), dims) : new Tensor('float32', data, dims);
  const results = await session.run({ [input?.name ?? '']: tensor });
  const tensors = outputs.map(({ name, type }): TensorData => {
    const value = results[name];
    if (value === undefined) throw new Error(`${model} gave no ${name}`);
    return { name, dims: value.dims, data: value.data as TensorElements, type };
  });
  const reader = createOutputReader({
    choice,
    outputs,
    net,
    labels,
    componentId: 1,
    settings: parseSettings(0.3),
    suppression: { mode: 'none', iouThreshold: 0.5 },
  });
  return { result: reader.read(tensors, 0, fit), reason: choice.reason };
}

function pictureTensor(
  { width, height, layout: order, colorOrder, mean, std }: Preprocess,
  image: string,
  keepHeight: boolean,
  crop: Crop | undefined,
): { data: Float32Array; fit: ReturnType<typeof fitPicture> } {
  const file = join(assets, 'images', image);
  const probe = execFileSync(ffmpeg, ['-v', 'error', '-i', file, '-frames:v', '1', '-f', 'framehash', '-'], {
    encoding: 'utf8',
  });
  const [, w = '1', h = '1'] = /dimensions 0: (\d+)x(\d+)/.exec(probe) ?? [];
  const source = crop
    ? { width: crop[2] - crop[0], height: crop[3] - crop[1] }
    : { width: Number(w), height: Number(h) };
  const shown = keepHeight ? Math.min(width, Math.ceil((height * source.width) / source.height)) : width;
  const fit = {
    ...fitPicture({
      sourceWidth: source.width,
      sourceHeight: source.height,
      networkWidth: shown,
      networkHeight: height,
      keepAspect: false,
      symmetric: false,
    }),
  };
  const filters = [
    ...(crop ? [`crop=${source.width}:${source.height}:${crop[0]}:${crop[1]}:exact=1`] : []),
    `scale=${shown}:${height}:flags=bilinear`,
  ];
  const gray = colorOrder === 'GRAY';
  // Cutting is exact only where every pixel has its own colour.
  const chain = ['format=gbrp', ...filters].join(',');
  const pixels = execFileSync(
    ffmpeg,
    [
      '-v',
      'error',
      '-i',
      file,
      '-vf',
      chain,
      '-frames:v',
      '1',
      '-pix_fmt',
      gray ? 'gray' : 'gbrp',
      '-f',
      'rawvideo',
      '-',
    ],
    { maxBuffer: 1e8 },
  );
  if (gray) return { data: Float32Array.from(pixels), fit };
  const layout: TensorLayout = {
    networkWidth: width,
    networkHeight: height,
    offsetX: 0,
    offsetY: 0,
    order: colorOrder,
    layout: order.startsWith('NHWC') ? 'NHWC' : 'NCHW',
  };
  const norm = { scale: 1 / std[0], offsets: mean };
  const data = new Float32Array(tensorLength(layout));
  fillPad(data, mean[0], layout, norm);
  new TensorWriter(layout, norm).write(pixels, shown, height, data);
  return { data, fit };
}

/** IEEE half precision of a number without a fraction that matters, as pixels are. */
function toHalf(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024);
}
