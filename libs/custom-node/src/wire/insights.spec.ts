import { describe, expect, test } from '@jest/globals';
import { customNode } from '@vantage/contracts';
import { NO_INSIGHTS, type NodeBox } from '../types.ts';
import { INSIGHT_LIMITS, insightsFromWire, insightsToWire, mergeInsights } from './insights.ts';
import { normaliseTime, timeFromMs, timeToMs } from './time.ts';

const BOX: NodeBox = { l: 0.25, t: 0.25, w: 0.5, h: 0.5 };

function read(objects: readonly { confidence?: number; bbox?: NodeBox; label?: string }[]) {
  const wire = insightsToWire({ ...NO_INSIGHTS, objects: objects.map((o) => ({ label: 'a', confidence: 0.5, ...o })) });
  return insightsFromWire(customNode.InsightsMeta.decode(customNode.InsightsMeta.encode(wire).finish()));
}

describe('what a node says', () => {
  test.each([
    ['NaN', { ...BOX, l: NaN }],
    ['infinity', { ...BOX, w: Infinity }],
    ['minus infinity', { ...BOX, t: -Infinity }],
    ['a negative width', { ...BOX, w: -0.1 }],
    ['a negative height', { ...BOX, h: -0.1 }],
    ['pixels instead of fractions', { l: 640, t: 360, w: 100, h: 100 }],
  ])('a box with %s is left out and counted, the others stay', (_name, bbox) => {
    const { insights, rejected } = read([{ bbox: BOX }, { bbox }, {}]);
    expect(insights.objects.map((object) => object.bbox)).toEqual([BOX, undefined]);
    expect(rejected).toBe(1);
  });

  test.each([NaN, -0.1, 1.5, Infinity])('a confidence of %d is left out and counted', (confidence) => {
    expect(read([{ confidence }, {}])).toMatchObject({ insights: { objects: [{ confidence: 0.5 }] }, rejected: 1 });
  });

  test('boxes that leave the picture a little, and confidences a rounding above 1, stay', () => {
    const { insights, rejected } = read([{ bbox: { l: -0.5, t: -0.25, w: 2, h: 1.5 } }, { confidence: 1.000001 }]);
    expect(insights.objects.map(({ confidence }) => confidence)).toEqual([0.5, 1]);
    expect(rejected).toBe(0);
  });

  test('a thousand objects are fine, beyond ten thousand they are counted', () => {
    expect(read(Array.from({ length: 1000 }, () => ({ bbox: BOX }))).insights.objects).toHaveLength(1000);
    const meta = insightsToWire({
      ...NO_INSIGHTS,
      objects: Array.from({ length: 10_005 }, () => ({ label: 'a', confidence: 1 })),
    });
    const { insights, rejected } = insightsFromWire(meta);
    expect(insights.objects).toHaveLength(INSIGHT_LIMITS.objects);
    expect(rejected).toBe(5);
  });

  test('labels are text and nothing else', () => {
    const labels = ["'); DROP TABLE x; --", '<script>', 'a\nb\u0000c', 'x'.repeat(5000), '__proto__', 'пешеход 🚶', ''];
    const { insights } = read(labels.map((label) => ({ label })));
    expect(insights.objects.map(({ label }) => label)).toEqual([
      "'); DROP TABLE x; --",
      '<script>',
      'a b c',
      'x'.repeat(1024),
      '__proto__',
      'пешеход 🚶',
      '',
    ]);
  });

  test('keys cannot reach a prototype', () => {
    const entry = (key: string) => customNode.InsightsMeta_OtherMetaEntry.encode({ key, value: 'x' }).finish();
    const bytes = Buffer.concat(
      ['__proto__', 'constructor', 'k'].map(entry).flatMap((field) => [Buffer.from([0x1a, field.length]), field]),
    );
    const { insights } = insightsFromWire(customNode.InsightsMeta.decode(bytes));
    expect(Object.getPrototypeOf(insights.other)).toBe(Object.prototype);
    expect(insights.other['k']).toBe('x');
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

describe('merging', () => {
  const before = {
    objects: [
      { label: 'a', confidence: 1 },
      { label: 'b', confidence: 1 },
    ],
    events: [],
    other: { k: '1', j: '1' },
  };
  const event = { type: 't', id: 'e' };
  const answer = { objects: [{ label: 'c', confidence: 1 }], events: [event], other: { k: '2' } };

  test('append: three objects downstream', () => {
    const merged = mergeInsights(before, answer, 'append');
    expect(merged.objects.map(({ label }) => label)).toEqual(['a', 'b', 'c']);
    expect(merged).toMatchObject({ events: [event], other: { k: '2', j: '1' } });
  });

  test('replace: those of the answer alone', () => {
    expect(mergeInsights(before, answer, 'replace').objects.map(({ label }) => label)).toEqual(['c']);
  });
});

describe('time', () => {
  test('5 s and 250,000,000 ns are 5.25 s', () => {
    expect(timeToMs({ seconds: 5n, nanos: 250_000_000 })).toBe(5250);
    expect(timeToMs({ seconds: 10n, nanos: 100 })).toBe(10_000.0001);
  });

  test.each([
    [0, { seconds: 0n, nanos: 0 }],
    [1_700_000_000_250, { seconds: 1_700_000_000n, nanos: 250_000_000 }],
    [0.25, { seconds: 0n, nanos: 250_000 }],
    [-250, { seconds: -1n, nanos: 750_000_000 }],
    [NaN, { seconds: 0n, nanos: 0 }],
  ])('%d ms', (ms, time) => expect(timeFromMs(ms)).toEqual(time));

  test('nanos beyond a second are carried', () => {
    expect(normaliseTime({ seconds: 5n, nanos: 1_500_000_000 })).toEqual({ seconds: 6n, nanos: 500_000_000 });
    expect(normaliseTime({ seconds: 5n, nanos: -1 })).toEqual({ seconds: 4n, nanos: 999_999_999 });
  });
});
