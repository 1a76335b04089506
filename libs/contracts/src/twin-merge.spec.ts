import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { diffTwin, mergeTwin, twinEquals, type TwinObject } from './twin-merge.ts';

interface Case {
  readonly id: string;
  readonly op: 'merge' | 'diff';
  readonly base?: TwinObject;
  readonly patch?: TwinObject;
  readonly from?: TwinObject;
  readonly to?: TwinObject;
  readonly expect: TwinObject;
}

const file = new URL('../../../../shared/cases/iot-edge/twin_merge.json', import.meta.url);

describe('the cases of edgeHub', () => {
  if (!existsSync(file)) {
    test.skip('skipped: ../shared/cases/iot-edge/twin_merge.json is not beside the repository', () => undefined);
    return;
  }
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] };
  test.each(cases.map((one) => [one.id, one] as const))('%s', (_id, one) => {
    const result = one.op === 'merge' ? mergeTwin(one.base!, one.patch!) : diffTwin(one.from!, one.to!);
    expect(result).toEqual(one.expect);
  });
});

describe('mergeTwin', () => {
  test.each<[string, TwinObject, TwinObject, TwinObject]>([
    ['a shorter array replaces (the SDK cache keeps the tail)', { a: [1, 2, 3] }, { a: [9] }, { a: [9] }],
    ['an empty array replaces', { a: [1, 2, 3] }, { a: [] }, { a: [] }],
    ['arrays of objects replace', { a: [{ x: 1, y: 2 }] }, { a: [{ x: 3 }] }, { a: [{ x: 3 }] }],
    ['null deletes what is not there', {}, { a: null }, {}],
    ['an object replaces a scalar', { a: 1 }, { a: { b: 2 } }, { a: { b: 2 } }],
    ['a scalar replaces an object', { a: { b: 2 } }, { a: 0 }, { a: 0 }],
    ['an array replaces an object', { a: { b: 2 } }, { a: [1] }, { a: [1] }],
  ])('%s', (_name, base, patch, expected) => {
    expect(mergeTwin(base, patch)).toEqual(expected);
  });

  test('can drop the nulls of a new object as IoT Hub does', () => {
    const patch = { a: { b: null, c: { d: null, e: 1 } } };
    expect(mergeTwin({}, patch)).toEqual(patch);
    expect(mergeTwin({}, patch, { newObjectNulls: 'drop' })).toEqual({ a: { c: { e: 1 } } });
  });

  test('shares nothing with its arguments and leaves prototypes alone', () => {
    const base = { keep: { list: [{ x: 1 }] } };
    const patch = JSON.parse('{"__proto__":{"polluted":true}}') as TwinObject;
    const result = mergeTwin(base, patch);
    (result['keep'] as typeof base.keep).list[0]!.x = 2;
    expect(base.keep.list[0]!.x).toBe(1);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(Object.hasOwn(result, '__proto__')).toBe(true);
  });
});

test('a diff, applied, gives the target', () => {
  const { tree } = fc.letrec<{ tree: TwinObject; node: unknown }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      fc.integer(),
      fc.boolean(),
      fc.string(),
      fc.array(fc.integer(), { maxLength: 3 }),
      tie('tree'),
    ),
    tree: fc.dictionary(fc.constantFrom('a', 'b', 'c', '$version'), tie('node'), {
      maxKeys: 4,
    }),
  }));
  fc.assert(
    fc.property(tree, tree, (from, to) => {
      expect(twinEquals(mergeTwin(from, diffTwin(from, to)), to)).toBe(true);
      expect(diffTwin(to, to)).toEqual({});
    }),
  );
});
