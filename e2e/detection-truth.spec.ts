import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ASSETS, describeWithAssets } from './support/assets.ts';
import { vantage } from './support/vantage.ts';

interface Truth {
  readonly model: string;
  readonly image: string;
  readonly nvinferEquivalent: Readonly<Record<string, string | number>>;
  readonly thresholds: { readonly conf: number; readonly nmsIoU: number };
  readonly decode: { readonly family: string };
  readonly labels: string | readonly string[];
  readonly detections: readonly { readonly required: boolean }[];
}

interface Mine {
  readonly classId: number;
  readonly score: number;
  readonly box: readonly number[];
}

interface Line {
  readonly file?: string;
  readonly detections: readonly {
    readonly classId: number;
    readonly confidence: number;
    readonly box: readonly [number, number, number, number];
  }[];
}

const FAMILIES = ['yolox', 'fastestdet', 'ultraface', 'hyperlpr', 'yunet'];

/** Real models on real pictures through the product's own path: nvinfer file, ffmpeg, worker, parser, suppression. */
describeWithAssets('detections agree with the truth', () => {
  const folder = path.join(ASSETS, 'truth');
  const truths = readdirSync(folder)
    .filter((name) => name.startsWith('shared__') && name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Truth)
    .filter((truth) => FAMILIES.includes(truth.decode?.family));
  const models = [...new Set(truths.map((truth) => truth.model))];
  const found = new Map<string, Mine[]>();
  let compare: (truth: Truth, mine: readonly Mine[]) => unknown[];
  let work: string;

  beforeAll(async () => {
    ({ compare } = (await import(path.join(folder, 'compare.mjs'))) as { compare: typeof compare });
    work = mkdtempSync(path.join(os.tmpdir(), 'vantage-truth-'));
    for (const model of models) await lookAtAll(model);
  }, 420_000);

  afterAll(() => rmSync(work, { recursive: true, force: true }));

  /** One run a model: a folder of its pictures, as a user would look at a folder. */
  async function lookAtAll(model: string): Promise<void> {
    const own = truths.filter((truth) => truth.model === model);
    const pictures = path.join(work, `${model}.pictures`);
    const config = path.join(work, `${model}.txt`);
    writeFileSync(config, nvinferConfig(own[0]!));
    mkdirSync(pictures);
    for (const { image } of own) symlinkSync(path.join(ASSETS, 'images', image), path.join(pictures, image));
    const { status, stdout, stderr } = await vantage(['infer', '--config', config, '--json', pictures]);
    if (status !== 0) throw new Error(`vantage infer with ${model} ended with ${status}: ${stderr}`);
    const lines = stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as Line);
    for (const line of lines) found.set(`${model} ${line.file ?? own[0]!.image}`, line.detections.map(toMine));
  }

  test('there are models of five families', () => {
    expect(models.length).toBe(5);
    expect(truths.length).toBeGreaterThanOrEqual(18);
  });

  test.each(truths.map((truth) => [truth.model, truth.image, truth] as const))('%s on %s', (model, image, truth) => {
    const mine = found.get(`${model} ${image}`);
    expect(mine).toBeDefined();
    expect(mine!.length).toBeGreaterThanOrEqual(truth.detections.filter((detection) => detection.required).length);
    expect(compare(truth, mine!)).toEqual([]);
  });
});

function nvinferConfig({ model, nvinferEquivalent, thresholds, labels }: Truth): string {
  const properties = Object.entries(nvinferEquivalent).filter(([key]) => key !== 'note');
  const lines = properties.map(([key, value]) => `${key}=${value}`);
  return [
    '[property]',
    `onnx-file=${path.join(ASSETS, 'models', model)}`,
    ...lines,
    `num-detected-classes=${typeof labels === 'string' ? 80 : labels.length}`,
    'network-type=0',
    'cluster-mode=2',
    '[class-attrs-all]',
    `pre-cluster-threshold=${thresholds.conf}`,
    `nms-iou-threshold=${thresholds.nmsIoU}`,
    '',
  ].join('\n');
}

function toMine({ classId, confidence, box: [left, top, width, height] }: Line['detections'][number]): Mine {
  return { classId, score: confidence, box: [left, top, left + width, top + height] };
}
