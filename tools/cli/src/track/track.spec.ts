import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMotText } from './mot-text.ts';
import { scoreTracks, type MotScores } from './score.ts';
import { pairUp } from './sequence.ts';
import { runTrack, type TrackOptions } from './track.ts';

const here = path.dirname(fileURLToPath(import.meta.url));
const assets = path.resolve(here, '../../../..', process.env['VANTAGE_ASSETS'] ?? '../shared/assets');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'vantage-track-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function written(name: string, text: string): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, text);
  return file;
}

function run(options: Partial<TrackOptions> & { readonly detections: string }): Promise<string> {
  return runTrack({ fps: 30, json: false, ...options });
}

function rows(name: string): { file: string; rows: ReturnType<typeof readMotText> } {
  const file = path.join(assets, name);
  return { file, rows: readMotText(readFileSync(file, 'utf8'), file) };
}

function score(truth: string, result: string): MotScores {
  return scoreTracks(
    pairUp(
      { rows: readMotText(truth, 'gt.txt'), file: 'gt.txt' },
      { rows: readMotText(result, 'r.txt'), file: 'r.txt' },
    ),
  );
}

describe('MOT-Challenge text', () => {
  test('commas, spaces, tabs; BOM, CRLF, empty lines, comments, no last newline', () => {
    const text = '\uFEFF1,-1,10,20,30,40,0.5,-1,-1,-1\r\n\r\n# a comment\r\n2 7 1 2 3 4\n3\t8\t1.5\t2\t3\t4\t1';
    expect(readMotText(text, 'a.txt').map(({ line, frame, id, confidence }) => [line, frame, id, confidence])).toEqual([
      [1, 1, -1, 0.5],
      [4, 2, 7, 1],
      [5, 3, 8, 1],
    ]);
  });

  test.each([
    ['1,1,2,3,4', /^a\.txt:1: a row needs at least frame, id, left, top, width, height$/],
    ['1,1,2,3,4,5,1\n1,1,x,3,4,5,1', /^a\.txt:2: left 'x' is not a number$/],
    ['1,1,NaN,3,4,5,1', /left 'NaN' is not a number/],
    ['1,1,,3,4,5,1', /left '' is not a number/],
    ['1,1,\u001b[2J,3,4,5,1', /left '\?\[2J' is not a number/],
    ['0,1,2,3,4,5,1', /frame 0 is not a number from 1/],
    ['1.5,1,2,3,4,5,1', /frame 1\.5 is not/],
    ['99999999,1,2,3,4,5,1', /frame 99999999 is not/],
    ['1,0.5,2,3,4,5,1', /id 0\.5 is not a whole number/],
  ])('%j names file and line', (text, message) => {
    expect(() => readMotText(text, 'a.txt')).toThrow(message);
  });

  test('an id twice in a frame cannot be scored', () => {
    expect(() => score('1,1,0,0,9,9\n1,1,5,5,9,9', '1,1,0,0,9,9')).toThrow(/^gt\.txt:2: id 1 is in frame 1 twice$/);
  });
});

describe('scores', () => {
  test('nothing found, nothing true', () => {
    expect(score('1,1,0,0,9,9', '')).toMatchObject({ MOTA: 0, IDF1: 0, HOTA: 0, FN: 1, ML: 1 });
    expect(score('', '1,1,0,0,9,9')).toMatchObject({ FP: 1, GT: 0 });
  });

  test('a change of id and a gap', () => {
    const truth = [1, 2, 3, 4, 5].map((frame) => `${frame},1,0,0,10,10`).join('\n');
    const result = '1,5,0,0,10,10\n2,5,0,0,10,10\n4,6,0,0,10,10\n5,6,0,0,10,10';
    expect(score(truth, result)).toMatchObject({ IDs: 1, FM: 1, FN: 1, FP: 0, MT: 1, IDF1: 4 / 9 });
    expect(score(truth, result).MOTA).toBeCloseTo(0.6, 9);
  });

  test('a match of before is kept although another overlaps more', () => {
    const truth = '1,1,0,0,10,10\n2,1,0,0,10,10';
    const result = '1,5,0,0,10,10\n2,5,1,0,10,10\n2,6,0,0,10,10';
    expect(score(truth, result)).toMatchObject({ IDs: 0, FP: 1 });
  });
});

describe('vantage track', () => {
  const moving = Array.from({ length: 8 }, (_, i) => `${i + 1},-1,${i * 4},10,40,80,0.9`).join('\n');

  test('writes tracks that it can read again', async () => {
    const detections = await written('det.txt', moving);
    const out = path.join(folder, 'out.txt');
    const summary = await run({ detections, out, tracker: 'SORT', minHits: 1 });
    expect(summary).toMatch(
      /^sort: its own settings\n8 frames, 8 detections -> 8 boxes of 1 tracks, [\d.]+ ms an update\n/,
    );
    const text = await readFile(out, 'utf8');
    expect(text.split('\n')[0]).toBe('1,1,0,10,40,80,0.9,-1,-1,-1');
    expect(readMotText(text, out).map(({ frame, id }) => [frame, id])).toEqual(
      Array.from({ length: 8 }, (_, i) => [i + 1, 1]),
    );
  });

  test('without --out the tracks are what is printed', async () => {
    const detections = await written('det.txt', moving);
    expect((await run({ detections, minHits: 1 })).split('\n')).toHaveLength(9);
  });

  test('nothing in, nothing out', async () => {
    const detections = await written('empty.txt', '');
    expect(JSON.parse(await run({ detections, json: true }))).toMatchObject({ frames: 0, boxes: 0, updateMs: 0 });
  });

  test('frames without detections age the tracks', async () => {
    const detections = await written('gap.txt', '1,-1,0,0,40,80,0.9\n200,-1,0,0,40,80,0.9');
    expect(JSON.parse(await run({ detections, json: true, minHits: 1 }))).toMatchObject({ frames: 200, tracks: 2 });
  });

  test('a configuration of DeepStream, by itself and through [tracker]', async () => {
    const detections = await written('det.txt', moving);
    const settings = 'BaseConfig:\n  minDetectorConfidence: 0\nTargetManagement:\n  probationAge: 1\n';
    const low = await written('low.yml', settings);
    expect(await run({ detections, config: low, out: path.join(folder, 'out.txt') })).toMatch(
      /^iou: low\.yml: no motion model .*\n8 frames, 8 detections -> 7 boxes/,
    );
    const ini = await written('tracker.txt', '[tracker]\nll-lib-file=/opt/x.so\nll-config-file=low.yml\n');
    expect(JSON.parse(await run({ detections, config: ini, json: true }))).toMatchObject({ tracker: 'iou', boxes: 7 });
    const bare = await written('bare.txt', '[tracker]\nll-lib-file=/opt/libnvds_nvdcf.so\n');
    expect(JSON.parse(await run({ detections, config: bare, json: true }))).toMatchObject({ tracker: 'nvdcf' });
  });

  test.each<[string, Partial<TrackOptions>, RegExp]>([
    ['no such file', { detections: 'nowhere.txt' }, /^nowhere\.txt does not exist$/],
    ['a folder', { detections: assets }, /is a folder|does not exist/],
    ['no such tracker', { tracker: 'klt' }, /^there is no tracker 'klt'; there are: iou, sort, bytetrack, /],
    ['two trackers', { tracker: 'iou', config: 'x.yml' }, /give one of them/],
    ['no rate', { fps: Number.NaN }, /^--fps is a number/],
    ['no hits', { minHits: 0 }, /^--min-hits counts from 1/],
    ['no ground truth', { gt: 'nowhere.txt' }, /^nowhere\.txt does not exist$/],
    ['out that cannot be', { out: '/nowhere/at/all.txt' }, /^\/nowhere\/at\/all\.txt cannot be written: .*ENOENT/],
  ])('%s is one sentence', async (_, options, message) => {
    const detections = await written('det.txt', moving);
    await expect(run({ detections, ...options })).rejects.toThrow(message);
  });

  test('an error in a configuration has its file and line', async () => {
    const detections = await written('det.txt', moving);
    const config = await written('bad.yml', 'BaseConfig:\n  minDetectorConfidence: high\n');
    await expect(run({ detections, config })).rejects.toThrow(
      /bad\.yml cannot be used: line 2: minDetectorConfidence: 'high' is not a number/,
    );
    const model = await written('pgie.txt', '[property]\nonnx-file=m.onnx\n');
    await expect(run({ detections, config: model })).rejects.toThrow(/pgie\.txt is no tracker file/);
  });
});

if (!existsSync(path.join(assets, 'mot')))
  process.stderr.write(`no real sequences: no ${assets}/mot (VANTAGE_ASSETS)\n`);

(existsSync(path.join(assets, 'mot')) ? describe : describe.skip)('real sequences', () => {
  const truthOf = (sequence: string): Record<string, MotScores> => {
    const text = readFileSync(path.join(assets, `truth/shared__mot_${sequence}.json`), 'utf8');
    return (JSON.parse(text) as { scores: Record<string, MotScores> }).scores;
  };

  test.each(['TUD-Campus', 'MOT16-13'])('scores of %s are those of the published programs', (sequence) => {
    const mine = scoreTracks(pairUp(rows(`mot/${sequence}/gt/gt.txt`), rows(`mot/${sequence}/res.txt`)));
    const theirs = { ...truthOf(sequence)['res.txt'] } as Record<string, number>;
    delete theirs['HOTA_0_5'];
    for (const [name, value] of Object.entries(theirs))
      expect([name, mine[name as keyof MotScores]]).toEqual([name, expect.closeTo(value, 6)]);
  });

  const scoresOf = async (options: Partial<TrackOptions>): Promise<MotScores> => {
    const detections = path.join(assets, 'mot/TUD-Campus/det/det.txt');
    const gt = path.join(assets, 'mot/TUD-Campus/gt/gt.txt');
    return (JSON.parse(await run({ detections, gt, fps: 25, json: true, ...options })) as { scores: MotScores }).scores;
  };

  // SORT as published has MOTA 62.7 (FP 15, FN 113, IDs 6) on these detections: abewley/sort, README.
  test.each(['sort', 'bytetrack', 'nvdcf', 'deepsort', 'light-tracker'])(
    '%s is at least as good as SORT was published',
    async (tracker) => {
      const { MOTA, IDF1, HOTA, IDs } = await scoresOf({ tracker });
      const sort = truthOf('TUD-Campus')['sort-like iou0.3 age1 hits3']!;
      expect(MOTA).toBeGreaterThanOrEqual(0.627);
      expect(IDF1).toBeGreaterThanOrEqual(sort.IDF1);
      expect(HOTA).toBeGreaterThanOrEqual(sort.HOTA);
      expect(IDs).toBeLessThanOrEqual(6);
    },
  );

  test('the default is better than both yardsticks in every score', async () => {
    const { MOTA, IDF1, HOTA } = await scoresOf({});
    for (const yardstick of Object.values(truthOf('TUD-Campus'))) {
      expect(MOTA).toBeGreaterThanOrEqual(yardstick.MOTA);
      expect(IDF1).toBeGreaterThanOrEqual(yardstick.IDF1);
      expect(HOTA).toBeGreaterThanOrEqual(yardstick.HOTA);
    }
  });

  test("NVIDIA's NvDCF settings run", async () => {
    const config =
      'deepstream-config/tracker/AzureDeepStreamAccelerator__ds-ai-pipeline__src__config_examples__tracker_NvDCF_perf.yml';
    expect((await scoresOf({ config: path.join(assets, config) })).IDF1).toBeGreaterThan(0.6);
  });

  test.each(['KITTI-17', 'PETS09-S2L1'])('%s: the same twice', async (sequence) => {
    const detections = path.join(assets, `mot/${sequence}/det/det.txt`);
    const first = await run({ detections });
    expect(await run({ detections })).toBe(first);
    expect(first.split('\n').length).toBeGreaterThan(500);
  });
});
