import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ASSETS, describeWithAssets } from './support/assets.ts';
import { vantage } from './support/vantage.ts';

/**
 * Every truth that is no plain detection (`detection-truth.spec.ts`), through the product's own path: a twin, validated
 * and compiled as the modules do, the ai-pipeline's engine, its insights.
 */

interface Scored {
  readonly classId: number;
  readonly score: number;
}

interface Preprocess {
  readonly width: number;
  readonly height: number;
  readonly layout: string;
  readonly colorOrder: 'RGB' | 'BGR' | 'GRAY';
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

type Corners = readonly [left: number, top: number, right: number, bottom: number];

interface Truth {
  readonly schema: string;
  readonly image: string;
  readonly model: string;
  readonly primary: string;
  readonly secondary: string;
  readonly preprocess: Preprocess;
  readonly labels: readonly string[];
  readonly stable: boolean;
  readonly top5: readonly Scored[];
  readonly text: string;
  readonly score: number;
  readonly variants: Readonly<Record<string, unknown>>;
  readonly results: readonly {
    readonly parentBox: Corners;
    readonly classId: number;
    readonly raw: readonly number[];
    readonly variants: Readonly<Record<string, readonly number[]>>;
    readonly embedding: readonly number[];
  }[];
  // Videos.
  readonly video: string;
  readonly conf: number;
  readonly nmsIoU: number;
  readonly decodedFrames: number;
  readonly frames: readonly {
    readonly frame: number;
    readonly detections: readonly (Scored & { readonly box: Corners })[];
  }[];
}

interface Said extends Scored {
  readonly label: string;
  readonly confidence: number;
}

interface Line {
  readonly file?: string;
  readonly frame: number;
  readonly detections: readonly {
    readonly classId: number;
    readonly confidence: number;
    readonly box: Corners;
    readonly attributes: readonly Said[];
    readonly embedding?: readonly number[];
  }[];
  readonly classifications?: readonly Said[];
  readonly text?: { readonly text: string; readonly score: number };
}

/** The truths of detectors, by model: how a primary is configured. */
interface DetectorTruth {
  readonly model: string;
  readonly nvinferEquivalent: Readonly<Record<string, string | number>>;
  readonly thresholds: { readonly conf: number; readonly nmsIoU: number };
  readonly labels: string | readonly string[];
}

/** All 2,500 frames take minutes: the first of each video unless they are asked for. */
const LAST_FRAME = process.env['VANTAGE_ALL_FRAMES'] === undefined ? 200 : Infinity;

describeWithAssets('what models say agrees with the truth', () => {
  const folder = path.join(ASSETS, 'truth');
  const read = (name: string): unknown => JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
  const all = readdirSync(folder)
    .filter((name) => name.startsWith('shared__') && name.endsWith('.json'))
    .map(read);
  const truths = all as readonly Truth[];
  const detectors = (all as readonly DetectorTruth[]).filter(
    ({ nvinferEquivalent }) => nvinferEquivalent !== undefined,
  );
  const videos = readdirSync(path.join(folder, 'video')).map((name) => read(path.join('video', name)) as Truth);
  const of = (schema: string): readonly Truth[] => truths.filter((truth) => truth.schema === `${schema}-truth/1`);
  let work: string;

  beforeAll(() => {
    work = mkdtempSync(path.join(os.tmpdir(), 'vantage-truth-'));
  });
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  /** One run for all pictures of a model, or the frames of a video. */
  async function infer(name: string, args: readonly string[], input: string): Promise<Line[]> {
    const { status, stdout, stderr } = await vantage(['infer', ...args, '--json', input]);
    if (status !== 0) throw new Error(`vantage infer with ${name} ended with ${status}: ${stderr}`);
    return stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as Line);
  }

  function pictures(name: string, images: readonly string[]): string {
    const place = path.join(work, `${name}.pictures`);
    mkdirSync(place, { recursive: true });
    for (const image of images) symlinkSync(path.join(ASSETS, 'images', image), path.join(place, image));
    return place;
  }

  function config(
    name: string,
    model: string,
    properties: Readonly<Record<string, string | number>>,
    more = '',
  ): string {
    const file = path.join(work, `${name}.txt`);
    const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}`);
    writeFileSync(file, `[property]\nonnx-file=${path.join(ASSETS, 'models', model)}\n${lines.join('\n')}\n${more}`);
    return file;
  }

  function primary(model: string, conf?: number, nmsIoU?: number): string {
    const { nvinferEquivalent, thresholds, labels } = detectors.find((truth) => truth.model === model)!;
    const properties = Object.fromEntries(Object.entries(nvinferEquivalent).filter(([key]) => key !== 'note'));
    return config(
      `${model}.primary`,
      model,
      {
        ...properties,
        'gie-unique-id': 1,
        'network-type': 0,
        'cluster-mode': 2,
        'num-detected-classes': typeof labels === 'string' ? 80 : labels.length,
      },
      `[class-attrs-all]\npre-cluster-threshold=${conf ?? thresholds.conf}\nnms-iou-threshold=${nmsIoU ?? thresholds.nmsIoU}\n`,
    );
  }

  test('there are truths of every kind', () => {
    expect(['classification', 'cascade', 'embedding', 'ocr'].map((schema) => of(schema).length)).toEqual([5, 3, 2, 3]);
    expect(videos).toHaveLength(4);
  });

  test.each(['SqueezeNet_fp16.onnx', 'mnist.onnx'])(
    'classes: %s',
    async (model) => {
      const own = of('classification').filter((truth) => truth.model === model);
      const labels = model === 'mnist.onnx' ? 'mnist.txt' : 'imagenet_labels_wml.txt';
      const file = config(model, model, {
        ...prepared(own[0]!.preprocess),
        // Bilinear, as the truth: on one picture the kernel moves the score by more than the tolerance.
        'scaling-filter': 1,
        'labelfile-path': path.join(ASSETS, 'labels', labels),
        'network-type': 1,
      });
      const lines = await infer(
        model,
        ['--config', file],
        pictures(
          model,
          own.map(({ image }) => image),
        ),
      );
      for (const [at, truth] of own.entries()) {
        const { classifications = [] } =
          lines.find((line) => (line.file ?? own[0]!.image) === truth.image) ?? lines[at]!;
        const [said] = classifications;
        const references = [
          truth.top5,
          ...(truth.stable ? [] : Object.values(truth.variants as Record<string, Scored[]>)),
        ];
        const right = references.some(
          ([best]) => best!.classId === said?.classId && Math.abs(best!.score - said.confidence) <= 0.02,
        );
        expect([truth.image, right, said, references.map(([best]) => best)]).toEqual([
          truth.image,
          true,
          said,
          expect.anything(),
        ]);
      }
    },
    120_000,
  );

  test('text of three pictures', async () => {
    const own = of('ocr');
    const [{ model, preprocess }] = own as [Truth];
    const file = config(model, model, {
      ...prepared(preprocess),
      'infer-dims': '3;32;320',
      'maintain-aspect-ratio': 1,
      'vantage-pad-value': 128,
      'labelfile-path': path.join(ASSETS, 'labels', 'ppocr_en_dict.txt'),
      'network-type': 1,
    });
    const lines = await infer(
      model,
      ['--config', file],
      pictures(
        model,
        own.map(({ image }) => image),
      ),
    );
    for (const { image, text, score } of own) {
      const said = lines.find((line) => line.file === image)?.text;
      expect([image, said?.text]).toEqual([image, text]);
      expect(Math.abs((said?.score ?? 9) - score)).toBeLessThanOrEqual(0.02);
    }
  }, 120_000);

  test('a cascade: the colour of plates', async () => {
    const own = of('cascade');
    const [first] = own as [Truth];
    writeFileSync(path.join(work, 'colours.txt'), `${first.labels.join('\n')}\n`);
    const secondary = config(first.secondary, first.secondary, {
      ...prepared(first.preprocess),
      'labelfile-path': path.join(work, 'colours.txt'),
      'network-type': 1,
      'process-mode': 2,
      'gie-unique-id': 2,
      'operate-on-gie-id': 1,
    });
    const args = ['--config', primary(first.primary), '--secondary', secondary];
    const lines = await infer(
      first.primary,
      args,
      pictures(
        'cascade',
        own.map(({ image }) => image),
      ),
    );
    for (const { image, results } of own) {
      const { detections } = lines.find((line) => line.file === image)!;
      for (const { parentBox, classId, raw, variants } of results) {
        const said = nearest(detections, parentBox)?.attributes[0];
        const scores = [raw, ...Object.values(variants)].map((one) => one[classId]!);
        expect([image, said?.classId]).toEqual([image, classId]);
        expect(Math.min(...scores.map((score) => Math.abs(score - said!.confidence)))).toBeLessThanOrEqual(0.03);
      }
    }
  }, 120_000);

  test.each(of('embedding').map((truth) => [truth.image, truth] as const))(
    'embeddings of the people on %s',
    async (image, { primary: detector, secondary: model, preprocess, results }) => {
      const secondary = config(`${model}.${image}`, model, {
        ...prepared(preprocess),
        'network-type': 100,
        'parse-bbox-func-name': 'embedding',
        'process-mode': 2,
        'gie-unique-id': 2,
        'operate-on-gie-id': 1,
        'operate-on-class-ids': 0,
      });
      const args = ['--config', primary(detector), '--secondary', secondary];
      const [line] = await infer(model, args, path.join(ASSETS, 'images', image));
      for (const { parentBox, embedding } of results) {
        const said = nearest(line!.detections, parentBox)?.embedding ?? [];
        const norm = Math.hypot(...embedding);
        const cosine = said.reduce((sum, value, i) => sum + (value * embedding[i]!) / norm, 0);
        // Boxes come from pixels scaled by another kernel: the crop may differ by a pixel.
        expect(cosine).toBeGreaterThanOrEqual(0.97);
        expect(Math.hypot(...said)).toBeCloseTo(1, 4);
      }
    },
    120_000,
  );

  test.each(videos.map((truth) => [truth.video, truth] as const))(
    'frames of %s',
    async (video, { model, conf, nmsIoU, frames, decodedFrames }) => {
      const looked = frames.filter(({ frame }) => frame <= LAST_FRAME);
      const last = looked.at(-1)!.frame;
      const args = ['--config', primary(model, conf, nmsIoU), '--max-frames', String(last + 1)];
      const lines = await infer(model, args, path.join(ASSETS, 'videos', video));
      // Every frame is looked at, in order: a file is never too fast.
      expect(lines.map(({ frame }) => frame)).toEqual(Array.from({ length: last + 1 }, (_, frame) => frame));
      expect(last).toBeLessThan(decodedFrames);
      for (const { frame, detections } of looked) {
        for (const expected of detections.filter(({ score }) => score >= conf + 0.15)) {
          const found = lines[frame]!.detections.some(
            ({ classId, confidence, box }) =>
              classId === expected.classId &&
              overlap(box, expected.box) >= 0.8 &&
              Math.abs(confidence - expected.score) <= 0.08,
          );
          expect([frame, expected, found]).toEqual([frame, expected, true]);
        }
      }
    },
    600_000,
  );
});

/** A truth's preprocessing as properties of nvinfer. */
function prepared({ colorOrder, mean, std, layout }: Preprocess): Record<string, string | number> {
  const [scale = 1] = std;
  return {
    'net-scale-factor': 1 / scale,
    ...(mean.some((value) => value !== 0) ? { offsets: mean.join(';') } : {}),
    'model-color-format': { RGB: 0, BGR: 1, GRAY: 2 }[colorOrder],
    'network-input-order': layout.startsWith('NHWC') ? 1 : 0,
  };
}

function nearest(detections: Line['detections'], corners: Corners): Line['detections'][number] | undefined {
  return detections.find(({ box }) => overlap(box, corners) >= 0.8);
}

/** Intersection over union of [left, top, width, height] and [left, top, right, bottom]. */
function overlap([left, top, width, height]: Corners, [x1, y1, x2, y2]: Corners): number {
  const w = Math.min(left + width, x2) - Math.max(left, x1);
  const h = Math.min(top + height, y2) - Math.max(top, y1);
  if (w <= 0 || h <= 0) return 0;
  return (w * h) / (width * height + (x2 - x1) * (y2 - y1) - w * h);
}
