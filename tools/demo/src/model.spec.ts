import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { demo, scoreFrame, type ClassScore, type DemoTruth, type ScoredDetection } from './index.ts';

const vantage = path.resolve(import.meta.dirname, '../../cli/src/main.ts');
const run = promisify(execFile);

/** The product's own path: nvinfer file, ffmpeg, worker, parser, suppression. */
test('vantage finds what is in the film, and little else', async () => {
  const query = [
    '--disable-warning=ExperimentalWarning',
    vantage,
    'infer',
    '--json',
    '--config',
    demo.modelConfig,
    demo.video,
  ];
  const { stdout } = await run(process.execPath, query, { maxBuffer: 1 << 26 });
  const truth = JSON.parse(await readFile(demo.truth, 'utf8')) as DemoTruth;
  const frames = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { detections: ScoredDetection[] });
  expect(frames).toHaveLength(truth.frames.length);

  const sums = new Map<string, ClassScore>();
  frames.forEach(({ detections }, at) => {
    for (const [label, score] of scoreFrame(detections, truth.frames[at]!, truth.classes)) {
      const { wanted, found, falseAlarms } = sums.get(label) ?? { wanted: 0, found: 0, falseAlarms: 0 };
      sums.set(label, {
        wanted: wanted + score.wanted,
        found: found + score.found,
        falseAlarms: falseAlarms + score.falseAlarms,
      });
    }
  });
  for (const label of demo.labels) {
    const { wanted, found, falseAlarms } = sums.get(label)!;
    expect([label, wanted > 100, found / wanted > 0.88, falseAlarms / found < 0.1]).toEqual([label, true, true, true]);
  }
}, 300_000);
