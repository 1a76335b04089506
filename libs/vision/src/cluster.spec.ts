import { describe, expect, test } from '@jest/globals';
import { CandidateList, MAX_CANDIDATES } from './candidates.ts';
import type { ClusterParameters } from './cluster.ts';
import { Suppressor, type SuppressionSettings } from './suppress.ts';

type Row = readonly [x1: number, y1: number, x2: number, y2: number, score: number, classId?: number];

function run(rows: readonly Row[], settings: Partial<SuppressionSettings>): number[][] {
  const list = new CandidateList();
  for (const [x1, y1, x2, y2, score, classId = 0] of rows) list.push(x1, y1, x2, y2, score, classId);
  const kept = new Suppressor().run(list, { mode: 'none', iouThreshold: 0.5, ...settings });
  return [...kept].map((i) =>
    [list.x1[i]!, list.y1[i]!, list.x2[i]!, list.y2[i]!, list.score[i]!].map((v) => Math.round(v * 100) / 100),
  );
}

const parameters = (given: Partial<ClusterParameters>): ClusterParameters => ({
  eps: 0.7,
  minBoxes: 3,
  minScore: 0,
  groupThreshold: 1,
  ...given,
});

/** Three boxes close together, one on its own. */
const CROWD: Row[] = [
  [0, 0, 10, 10, 0.5],
  [2, 0, 12, 10, 0.25],
  [4, 0, 14, 10, 0.25],
  [100, 100, 110, 110, 0.9],
];

describe('DBSCAN', () => {
  test('a cluster is the mean by score, with its best score; a lone box is noise', () => {
    expect(run(CROWD, { mode: 'dbscan', clustering: parameters({}) })).toEqual([[1.5, 0, 11.5, 10, 0.5]]);
  });

  test('boxes that only touch a dense region do not count', () => {
    // Chain: 1 - IoU of direct neighbours is 0.57, of the next but one more than 0.7.
    const chain: Row[] = [0, 4, 8].map((x, i) => [x, 0, x + 10, 10, 0.5 + i / 10]);
    expect(run(chain, { mode: 'dbscan', clustering: parameters({}) })).toEqual([[4, 0, 14, 10, 0.6]]);
  });

  test('least sum of scores, minBoxes 0, boxes too large for their number', () => {
    expect(run(CROWD, { mode: 'dbscan', clustering: parameters({ minScore: 1.1 }) })).toEqual([]);
    expect(run(CROWD, { mode: 'dbscan', clustering: parameters({ minBoxes: 0 }) })).toHaveLength(4);
    const large: Row[] = [0, 1, 2].map((x) => [x, 0, x + 300, 300, 0.5]);
    expect(run(large, { mode: 'dbscan', clustering: parameters({}) })).toEqual([]);
    expect(run([...large, ...large], { mode: 'dbscan', clustering: parameters({}) })).toHaveLength(1);
  });

  test('by class, with settings and top k of single classes', () => {
    const rows = [...CROWD, ...CROWD.map((row): Row => [row[0], row[1], row[2], row[3], row[4], 1])];
    const clusterings = new Map([[1, parameters({ minBoxes: 1 })]]);
    expect(run(rows, { mode: 'dbscan', clustering: parameters({}), clusterings })).toEqual([
      [100, 100, 110, 110, 0.9],
      [1.5, 0, 11.5, 10, 0.5],
      [1.5, 0, 11.5, 10, 0.5],
    ]);
    expect(
      run(rows, { mode: 'dbscan', clustering: parameters({}), clusterings, topKs: new Map([[1, 1]]) }),
    ).toHaveLength(2);
  });

  test('hybrid: noise goes, the rest is suppressed', () => {
    const settings = { mode: 'hybrid', clustering: parameters({}) } as const;
    expect(run(CROWD, { ...settings, iouThreshold: 0.5 })).toEqual([
      [0, 0, 10, 10, 0.5],
      [4, 0, 14, 10, 0.25],
    ]);
    expect(run(CROWD, { ...settings, iouThreshold: 0.4 })).toHaveLength(1);
  });
});

describe('group rectangles', () => {
  test('plain mean, more boxes than the threshold', () => {
    const settings = { mode: 'group-rectangles', clustering: parameters({ eps: 0.4, groupThreshold: 2 }) } as const;
    expect(run(CROWD, settings)).toEqual([[2, 0, 12, 10, 0.5]]);
    expect(run(CROWD, { ...settings, clustering: parameters({ eps: 0.4, groupThreshold: 3 }) })).toEqual([]);
    expect(run(CROWD, { ...settings, clustering: parameters({ groupThreshold: 0 }) })).toHaveLength(4);
  });

  test('a group inside of a larger one goes', () => {
    const outer = Array.from({ length: 5 }, (): Row => [0, 0, 100, 100, 0.5]);
    const inner = Array.from({ length: 4 }, (): Row => [40, 40, 60, 60, 0.9]);
    const settings = { mode: 'group-rectangles', clustering: parameters({ eps: 0.2 }) } as const;
    expect(run([...outer, ...inner], settings)).toEqual([[0, 0, 100, 100, 0.5]]);
    // As many boxes inside: both stay.
    expect(run([...outer, ...inner, ...inner], settings)).toHaveLength(2);
  });
});

describe('bounds', () => {
  const random = (
    (state) => () =>
      (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
  )(7);
  const many = Array.from({ length: 12_000 }, (): Row => {
    const [x, y] = [random() * 1800, random() * 1000];
    return [x, y, x + 20 + random() * 60, y + 20 + random() * 60, random(), Math.floor(random() * 3)];
  });

  test.each(['none', 'nms', 'dbscan', 'hybrid', 'group-rectangles'] as const)('12,000 boxes and none: %s', (mode) => {
    expect(run([], { mode, clustering: parameters({}) })).toEqual([]);
    const started = process.cpuUsage();
    expect(run(many, { mode, clustering: parameters({ eps: 0.3 }) }).length).toBeGreaterThan(0);
    const crowd = many.map((_, i): Row => [100 + (i % 7), 100, 160, 160 + (i % 5), random()]);
    run(crowd, { mode, clustering: parameters({ eps: 0.3 }) });
    // Two orders of magnitude over what it takes: catches a lost bound, not a busy machine.
    const { user, system } = process.cpuUsage(started);
    expect(user + system).toBeLessThan(10_000_000);
  });

  test('a frame has no more candidates than it may', () => {
    const list = new CandidateList();
    for (let i = 0; i < MAX_CANDIDATES + 5; i += 1) list.push(0, 0, 1, 1, 0.5, 0);
    expect([list.count, list.overflow]).toEqual([MAX_CANDIDATES, 5]);
    list.reset();
    expect([list.count, list.overflow]).toEqual([0, 0]);
    list.push(Number.NaN, 0, 1, 1, 0.5, 0);
    list.push(0, 0, Infinity, 1, 0.5, 0);
    list.push(0, 0, 1, 1, Number.NaN, 0);
    expect([list.count, list.invalid]).toEqual([0, 3]);
  });
});
