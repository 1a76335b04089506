import { describe, expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const assets = resolve(here, '../../..', process.env['VANTAGE_ASSETS'] ?? '../shared/assets');
const ffmpeg = process.env['FFMPEG_PATH'] ?? 'ffmpeg';

interface Outcome {
  readonly file: string;
  readonly parser: string;
  readonly found: number;
  readonly points: number;
  readonly wrong: readonly object[];
}

/** Why the test cannot run here, or undefined. */
function obstacle(): string | undefined {
  if (!existsSync(join(assets, 'truth/compare.mjs'))) return `no assets in ${assets} (VANTAGE_ASSETS)`;
  return spawnSync(ffmpeg, ['-version']).status === 0 ? undefined : `'${ffmpeg}' does not run (FFMPEG_PATH)`;
}

const missing = obstacle();
if (missing !== undefined) process.stderr.write(`truth.spec.ts is skipped: ${missing}\n`);

(missing === undefined ? describe : describe.skip)('real models on real pictures', () => {
  test('find what the reference finds, with the parser that was chosen by itself', () => {
    const outcomes = run<Outcome>('truth-run.ts');
    expect(outcomes.length).toBeGreaterThanOrEqual(18);
    expect(outcomes.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
    const families = new Set(outcomes.map(({ parser }) => parser));
    expect([...families].sort()).toEqual(['fastestdet', 'scores-boxes', 'yolov5-landmarks', 'yolox', 'yunet']);
    for (const { parser, points, found } of outcomes) {
      expect(points).toBe(parser === 'yunet' || parser === 'yolov5-landmarks' ? found : 0);
    }
  }, 60_000);

  test('say what the reference says: classes, attributes, embeddings and text', () => {
    const outcomes = run<{ file: string; reason: string; wrong: readonly object[] }>('task-truth-run.ts');
    expect(outcomes.length).toBeGreaterThanOrEqual(13);
    expect(outcomes.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
    const families = new Set(outcomes.map(({ reason }) => reason.split(':')[0]));
    expect([...families].sort()).toEqual(['classifier', 'ctc-text', 'embedding']);
  }, 60_000);
});

function run<T>(script: string): T[] {
  const output = execFileSync(process.execPath, [join(here, script), assets, ffmpeg], {
    encoding: 'utf8',
    env: { ...process.env, NODE_NO_WARNINGS: '1', ORT_DISABLE_TELEMETRY: '1' },
  });
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}
