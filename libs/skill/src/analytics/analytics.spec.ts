import { describe, expect, test } from '@jest/globals';
import { readConfig } from '@vantage/deepstream';
import type { Detection } from '@vantage/vision';
import { Analytics } from './analytics.ts';

/** A picture of 1000 x 500, rules in half of it. */
function analytics(...lines: string[]): Analytics {
  const head = ['[property]', 'enable=1', 'config-width=500', 'config-height=250'];
  const config = readConfig([...head, ...lines, ''].join('\n'), 'analytics.txt');
  if (config.kind !== 'nvdsanalytics') throw new Error(`read as ${config.kind}`);
  expect(config.problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return new Analytics(config.spec, 0);
}

/** Its foot is at x, y. */
function object(x: number, y: number, trackingId = 1, classId = 0): Detection {
  const box = { left: x - 10, top: y - 40, width: 20, height: 40 };
  return { classId, label: 'person', confidence: 1, box, trackingId, componentId: 1, attributes: [] };
}

const at = (rules: Analytics, us: number, ...objects: Detection[]): ReturnType<Analytics['update']> =>
  rules.update(objects, us, 1000, 500);

describe('regions', () => {
  const square = ['[roi-filtering-stream-0]', 'enable=1', 'roi-RF=100;50;200;50;200;150;100;150'];
  test.each<[string, string[], Detection, number]>([
    ['inside, in pixels of the frame', ['inverse-roi=0', 'class-id=-1'], object(300, 200), 1],
    ['outside', ['inverse-roi=0', 'class-id=-1'], object(500, 200), 0],
    ['inverse', ['inverse-roi=1', 'class-id=-1'], object(500, 200), 1],
    ['another class', ['inverse-roi=0', 'class-id=2'], object(300, 200), 0],
  ])('%s', (_what, more, one, count) => {
    expect(at(analytics(...square, ...more), 0, one).regions).toEqual([{ zone: 'RF', count }]);
  });

  test('rules of another stream do not count', () => {
    const rules = analytics(...square.map((line) => line.replace('stream-0', 'stream-1')), 'class-id=-1');
    expect(at(rules, 0, object(300, 200)).regions).toEqual([]);
  });
});

describe('lines', () => {
  // The arrow goes right; the line stands at x = 200 (400 in the frame) from y = 50 to 200.
  const line = (more: string[] = []): Analytics =>
    analytics(
      '[line-crossing-stream-0]',
      'enable=1',
      'line-crossing-Exit=100;100;300;100;200;50;200;200',
      'class-id=-1',
      ...more,
    );
  const crossings = (rules: Analytics, ...path: [number, number][]): number =>
    path.reduce((sum, [x, y], n) => sum + at(rules, n * 100_000, object(x, y)).events.length, 0);

  test('who crosses it along the arrow is counted once', () => {
    const rules = line();
    expect(crossings(rules, [380, 200], [395, 200], [410, 200], [430, 200])).toBe(1);
    expect(at(rules, 500_000).lines).toEqual([{ zone: 'Exit', count: 1 }]);
  });

  test.each<[string, string[], [number, number][], number]>([
    [
      'against the arrow',
      [],
      [
        [410, 200],
        [390, 200],
      ],
      0,
    ],
    [
      'beyond its end',
      [],
      [
        [390, 450],
        [410, 450],
      ],
      0,
    ],
    [
      'beyond its end, extended',
      ['extended=1'],
      [
        [390, 450],
        [410, 450],
      ],
      1,
    ],
    [
      'askew, balanced',
      ['mode=balanced'],
      [
        [390, 180],
        [410, 210],
      ],
      0,
    ],
    [
      'askew, loose',
      ['mode=loose'],
      [
        [390, 180],
        [410, 210],
      ],
      1,
    ],
    ['the first sight of it is no crossing', [], [[410, 200]], 0],
  ])('%s', (_what, more, path, count) => expect(crossings(line(more), ...path)).toBe(count));

  test('without a track there is no movement', () => {
    const rules = line();
    at(rules, 0, object(390, 200, -1));
    expect(at(rules, 100_000, object(410, 200, -1)).events).toEqual([]);
  });
});

test('a direction is told when it begins, and not for a box that trembles', () => {
  const rules = analytics(
    '[direction-detection-stream-0]',
    'enable=1',
    'direction-South=100;50;100;200',
    'class-id=-1',
  );
  const events = (from: number, path: readonly number[], trackingId: number): number[] =>
    path.map((y, n) => at(rules, from + n * 250_000, object(500, y, trackingId)).events.length);
  expect(events(0, [100, 120, 140, 160, 180, 200], 1)).toEqual([0, 0, 1, 0, 0, 0]);
  expect(events(10_000_000, [100, 102, 100, 102, 100], 2)).toEqual([0, 0, 0, 0, 0]);
});

test('a crowd is one after its time, and ends', () => {
  const crowd = ['[overcrowding-stream-0]', 'enable=1', 'roi-OC=0;0;500;0;500;250;0;250', 'object-threshold=1'];
  const rules = analytics(...crowd, 'time-threshold=1000', 'class-id=-1');
  const two = [object(100, 100, 1), object(200, 200, 2)];
  expect(at(rules, 0, ...two).events).toEqual([]);
  expect(at(rules, 900_000, ...two).overcrowded).toEqual([]);
  expect(at(rules, 1_000_000, ...two).events).toEqual([{ type: 'overcrowdingStarted', zone: 'OC', count: 2 }]);
  expect(at(rules, 1_100_000, ...two)).toMatchObject({ events: [], overcrowded: ['OC'] });
  expect(at(rules, 1_200_000, two[0]!).events).toEqual([{ type: 'overcrowdingEnded', zone: 'OC', count: 1 }]);
});
