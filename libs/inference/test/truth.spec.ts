import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseInferConfig } from '@vantage/deepstream';
import { fitPicture, type Box } from '@vantage/vision';
import { InferenceClient, WorkerPool, type FrameRequest, type ModelOutput, type ModelSpec } from '../src/index.ts';

const ASSETS = path.resolve(import.meta.dirname, '../../..', process.env['VANTAGE_ASSETS'] ?? '../shared/assets');
const FFMPEG = process.env['FFMPEG_PATH'] ?? 'ffmpeg';

interface Scored {
  readonly classId: number;
  readonly score: number;
}

interface Truth {
  readonly schema: string;
  readonly image: string;
  readonly model?: string;
  readonly secondary?: string;
  readonly preprocess: {
    readonly width: number;
    readonly height: number;
    readonly layout: string;
    readonly resize?: string;
    readonly colorOrder: 'RGB' | 'BGR' | 'GRAY';
    readonly mean: readonly number[];
    readonly std: readonly number[];
  };
  readonly thresholds?: { readonly conf: number; readonly nmsIoU: number };
  readonly labels?: string | string[];
  readonly detections?: readonly { readonly required: boolean }[];
  readonly top5?: readonly Scored[];
  readonly stable?: boolean;
  readonly text?: string;
  readonly score?: number;
  readonly variants?: Readonly<Record<string, readonly Scored[]>>;
  readonly results?: readonly {
    readonly cropPixels: readonly [number, number, number, number];
    readonly classId: number;
    readonly label: string;
    readonly raw: readonly number[];
    readonly variants?: Readonly<Record<string, readonly number[]>>;
    readonly embedding: readonly number[];
  }[];
}

/** Why the truths cannot be tried here, or undefined. */
function obstacle(): string | undefined {
  if (!existsSync(path.join(ASSETS, 'truth/compare.mjs'))) return `${ASSETS} is missing; set VANTAGE_ASSETS`;
  return spawnSync(FFMPEG, ['-version']).status === 0 ? undefined : `${FFMPEG} does not run; set FFMPEG_PATH`;
}

const missing = obstacle();
if (missing !== undefined) process.stderr.write(`skipped: ${missing}\n`);

/** Models of every kind, from pictures in a worker's port to what comes back from it. */
(missing === undefined ? describe : describe.skip)('what models say agrees with the truth', () => {
  const folder = path.join(ASSETS, 'truth');
  const truths = (missing === undefined ? readdirSync(folder) : [])
    .filter((name) => name.startsWith('shared__') && name.endsWith('.json'))
    .map((name) => ({ name, truth: JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Truth }));
  const of = (schema: string) =>
    truths
      .filter(({ truth }) => truth.schema === schema)
      .map(({ name, truth }) => [name.replace(/^shared__|\.json$/g, ''), truth] as const);
  const pool = new WorkerPool();
  const clients = new Map<string, Promise<InferenceClient>>();
  let compare: (truth: Truth, mine: readonly object[]) => unknown[];

  beforeAll(async () => {
    ({ compare } = (await import(path.join(folder, 'compare.mjs'))) as { compare: typeof compare });
  });
  afterAll(async () => {
    for (const client of clients.values()) (await client).close();
    await pool.stop();
  });

  async function look(spec: ModelSpec, frame: Omit<FrameRequest, 'id'>): Promise<readonly ModelOutput[]> {
    const open = async (): Promise<InferenceClient> => new InferenceClient((await pool.load(spec)).connect());
    const client = clients.get(spec.onnxFile) ?? open();
    clients.set(spec.onnxFile, client);
    const { outputs, error } = await (await client).infer(frame);
    expect(error).toBeUndefined();
    return outputs;
  }

  test.each(of('detection-truth/1'))('detection: %s', async (_name, truth) => {
    const { width, height, resize = '' } = truth.preprocess;
    const full = picture(truth.image);
    const { pictureWidth: sourceWidth, pictureHeight: sourceHeight } = full;
    const keepAspect = resize.startsWith('letterbox');
    const size = { sourceWidth, sourceHeight, networkWidth: width, networkHeight: height, keepAspect };
    const fit = fitPicture({ ...size, symmetric: false });
    const [output] = await look(specOf(truth, truth.model!, labelsOf(truth)), {
      ...picture(truth.image, `scale=${fit.width}:${fit.height}:flags=bicubic`),
      view: full.view,
    });
    const mine = output!.detections.map(({ classId, confidence, box: { left, top, ...box } }) => ({
      classId,
      score: confidence,
      box: [left, top, left + box.width, top + box.height],
    }));
    expect(mine.length).toBeGreaterThanOrEqual(truth.detections!.filter(({ required }) => required).length);
    expect(compare(truth, mine)).toEqual([]);
  });

  test.each(of('classification-truth/1'))('classification: %s', async (_name, truth) => {
    const labels = lines(truth.model === 'mnist.onnx' ? 'mnist.txt' : 'imagenet_labels_wml.txt');
    const [output] = await look(specOf(truth, truth.model!, labels, ['network-type=1']), picture(truth.image));
    const [top] = output!.attributes;
    const expected = [truth.top5, ...(truth.stable ? [] : Object.values(truth.variants ?? {}))].map(
      (five) => five![0]!,
    );
    expect(expected.map(({ classId }) => classId)).toContain(top!.classId);
    expect(Math.min(...expected.map(({ score }) => Math.abs(score - top!.confidence)))).toBeLessThanOrEqual(0.02);
    expect(top!.label).toBe(labels[top!.classId]);
  });

  test.each(of('cascade-truth/1'))('cascade, crops in one batch: %s', async (_name, truth) => {
    const spec = specOf(truth, truth.secondary!, truth.labels as string[], ['network-type=1', 'batch-size=8']);
    const outputs = await look(spec, { ...picture(truth.image), regions: truth.results!.map(regionOf) });
    expect(outputs).toHaveLength(truth.results!.length);
    for (const [index, { classId, label, raw, variants }] of truth.results!.entries()) {
      const [top] = outputs[index]!.attributes;
      expect(top).toMatchObject({ classId, label });
      const scores = [raw, ...Object.values(variants ?? {})].map((all) => all[classId]!);
      expect(Math.min(...scores.map((score) => Math.abs(score - top!.confidence)))).toBeLessThanOrEqual(0.03);
    }
  });

  test.each(of('embedding-truth/1'))('embedding: %s', async (_name, truth) => {
    const spec = specOf(truth, truth.secondary!, [], ['network-type=1'], 'embedding');
    const outputs = await look(spec, { ...picture(truth.image), regions: truth.results!.map(regionOf) });
    for (const [index, { embedding }] of truth.results!.entries()) {
      const mine = outputs[index]!.embedding!;
      expect(Math.hypot(...mine)).toBeCloseTo(1, 5);
      const norm = Math.hypot(...embedding);
      const cosine = embedding.reduce((sum, value, i) => sum + (value * mine[i]!) / norm, 0);
      expect(cosine).toBeGreaterThanOrEqual(0.97);
    }
  });

  test.each(of('ocr-truth/1'))('text: %s', async (_name, truth) => {
    const properties = ['network-type=1', 'infer-dims=3;32;320', 'maintain-aspect-ratio=1'];
    const spec = specOf(truth, truth.model!, lines('ppocr_en_dict.txt'), properties);
    const [output] = await look(spec, picture(truth.image));
    expect(output!.text!.text).toBe(truth.text);
    expect(Math.abs(output!.text!.score - truth.score!)).toBeLessThanOrEqual(0.02);
  });

  test('text: a line longer than the network is wide is not squeezed', async () => {
    const [, truth] = of('ocr-truth/1')[0]!;
    const properties = ['network-type=1', 'infer-dims=3;32;16', 'maintain-aspect-ratio=1'];
    const narrow = { ...specOf(truth, truth.model!, lines('ppocr_en_dict.txt'), properties), name: 'narrow' };
    const client = new InferenceClient((await pool.load(narrow)).connect());
    const { outputs } = await client.infer(picture(truth.image));
    client.close();
    // In 16 pixels there would be room for four characters.
    expect(outputs[0]!.text!.text).toBe('CHINA');
  });

  function labelsOf({ labels }: Truth): string[] {
    return Array.isArray(labels) ? labels : lines('coco.names');
  }
});

function lines(file: string): string[] {
  return readFileSync(path.join(ASSETS, 'labels', file), 'utf8')
    .replace(/\n$/, '')
    .split('\n');
}

function regionOf({ cropPixels: [left, top, right, bottom] }: { cropPixels: readonly number[] }): Box {
  return { left: left!, top: top!, width: right! - left!, height: bottom! - top! };
}

/** The model as an nvinfer file would describe it. */
function specOf(
  { preprocess, thresholds }: Truth,
  model: string,
  labels: string[],
  properties: readonly string[] = [],
  parser?: string,
): ModelSpec {
  const { colorOrder, mean, std, resize = '', layout } = preprocess;
  const own = [
    `onnx-file=${model}`,
    `model-color-format=${['RGB', 'BGR', 'GRAY'].indexOf(colorOrder)}`,
    `net-scale-factor=${1 / std[0]!}`,
    `offsets=${mean.join(';')}`,
    `maintain-aspect-ratio=${resize.startsWith('letterbox') ? 1 : 0}`,
    `symmetric-padding=${resize === 'letterbox-center' ? 1 : 0}`,
    `network-input-order=${layout.startsWith('NHWC') ? 1 : 0}`,
    `num-detected-classes=${labels.length}`,
    ...properties,
  ].filter((line) => !properties.some((other) => other !== line && other.split('=')[0] === line.split('=')[0]));
  const attributes = `[class-attrs-all]\npre-cluster-threshold=${thresholds?.conf ?? 0}\nnms-iou-threshold=${thresholds?.nmsIoU ?? 0.5}`;
  const { spec: infer, problems } = parseInferConfig(`[property]\n${own.join('\n')}\n${attributes}\n`, 'truth.txt');
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  const onnxFile = path.join(ASSETS, 'models', model);
  return { name: model, onnxFile, infer, labels, ...(parser === undefined ? {} : { parser }) };
}

/** The picture in its own size, or as a filter of ffmpeg makes it. */
function picture(image: string, filter?: string): Omit<FrameRequest, 'id'> {
  const input = ['-v', 'error', '-i', path.join(ASSETS, 'images', image), '-frames:v', '1'];
  const chain = ['-vf', [...(filter ? [filter] : []), 'format=gbrp'].join(',')];
  const { status, output } = spawnSync(
    FFMPEG,
    [...input, ...chain, '-f', 'rawvideo', 'pipe:1', '-frames:v', '1', ...chain, '-f', 'framehash', 'pipe:3'],
    { stdio: ['ignore', 'pipe', 'inherit', 'pipe'], maxBuffer: 1e8 },
  );
  expect(status).toBe(0);
  const [, width, height] = /dimensions 0: (\d+)x(\d+)/.exec(String(output[3])) ?? [];
  const [pictureWidth, pictureHeight] = [Number(width), Number(height)];
  const pixels = Uint8Array.from(output[1] as Buffer).buffer;
  return { pixels, pictureWidth, pictureHeight, view: { left: 0, top: 0, width: pictureWidth, height: pictureHeight } };
}
