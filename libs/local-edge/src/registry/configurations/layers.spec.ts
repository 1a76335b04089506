import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mergeLayers, mergeSettings } from './layers.ts';
import type { Configuration } from './types.ts';

const configuration = (id: string, priority: number, content: object, sequence = 1): Configuration => ({
  id,
  priority,
  content: content as Configuration['content'],
  sequence,
  schemaVersion: '2.0',
  labels: {},
  targetCondition: '*',
  metricQueries: {},
  createdTimeUtc: '2026-01-01T00:00:00.000Z',
  lastUpdatedTimeUtc: '',
  etag: '',
});
const base = (id: string, priority: number, sequence = 1): Configuration =>
  configuration(
    id,
    priority,
    { modulesContent: { $edgeAgent: { 'properties.desired': { modules: {}, from: id } } } },
    sequence,
  );
const layer = (id: string, priority: number, modulesContent: object): Configuration =>
  configuration(id, priority, { modulesContent });
const appliedIds = (all: readonly Configuration[]): string[] => mergeLayers(all).applied.map(({ id }) => id);

describe('layers of an edge device', () => {
  test('of equal bases the newest wins, and without a base layers do nothing', () => {
    expect(appliedIds([base('old', 5, 1), base('new', 5, 2), base('low', 4, 3)])).toEqual(['new']);
    expect(mergeLayers([layer('l', 9, { m: { 'properties.desired.a': 1 } })])).toEqual({
      applied: [],
      modulesContent: undefined,
    });
    expect(mergeLayers([])).toEqual({ applied: [], modulesContent: undefined });
  });

  test('paths are set, bare properties.desired overwrites what is below it', () => {
    const outcome = mergeLayers([
      base('b', 1),
      layer('one', 2, { m: { 'properties.desired': { a: 1, b: { c: 1, d: 1 } } } }),
      layer('two', 3, { m: { 'properties.desired.b.c': 2 }, n: { 'properties.desired': { x: 1 } } }),
      layer('three', 4, { n: { 'properties.desired': { y: 1 } } }),
    ]);
    expect(outcome.modulesContent).toMatchObject({
      m: { 'properties.desired': { a: 1, b: { c: 2, d: 1 } } },
      n: { 'properties.desired': { y: 1 } },
    });
    expect(outcome.modulesContent?.['n']).toEqual({ 'properties.desired': { y: 1 } });
  });

  test('the order in which configurations are given does not matter', () => {
    const all = [
      base('b1', 1),
      base('b2', 2),
      layer('l3', 3, { m: { 'properties.desired.a': 3 } }),
      layer('l4', 4, { m: { 'properties.desired.a': 4, 'properties.desired.b': 4 } }),
      layer('l0', 0, { m: { 'properties.desired.a': 0 } }),
    ];
    const expected = mergeLayers(all);
    expect(expected.applied.map(({ id }) => id)).toEqual(['b2', 'l3', 'l4']);
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
        expect(mergeLayers(shuffled)).toEqual(expected);
      }),
    );
  });
});

test('settings of twins: one that is overridden at all its paths is not applied', () => {
  const device = (id: string, priority: number, content: object): Configuration =>
    configuration(id, priority, { deviceContent: content });
  const { applied, patch } = mergeSettings([
    device('low', 1, { 'properties.desired.a.x': 1 }),
    device('high', 2, { 'properties.desired.a': { y: 2 } }),
    device('other', 0, { 'properties.desired.b': 0 }),
  ]);
  expect(patch).toEqual({ a: { y: 2 }, b: 0 });
  expect(applied.map(({ id }) => id)).toEqual(['high', 'other']);
});
