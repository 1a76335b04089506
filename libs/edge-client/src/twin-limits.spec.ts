import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mergeTwin, type TwinObject } from '@vantage/contracts';
import { splitPatch, TWIN_LIMITS, twinIssues } from './twin-limits.ts';

const file = new URL('../../../../shared/cases/iot-edge/twin_validation.json', import.meta.url);

describe("edgeHub's own cases", () => {
  if (!existsSync(file)) {
    test.skip('skipped: ../shared/cases/iot-edge/twin_validation.json is not beside the repository', () => undefined);
    return;
  }
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as {
    cases: { id: string; patch: TwinObject; error: string | null }[];
  };
  test.each(cases.map((one) => [one.id, one] as const))('%s', (_id, { patch, error }) => {
    const tooLarge = Buffer.byteLength(JSON.stringify(patch)) > TWIN_LIMITS.patchBytes;
    expect(twinIssues(patch).length > 0 || tooLarge).toBe(error !== null);
  });
});

test('pieces fit the limit and are the patch again', () => {
  const { tree } = fc.letrec<{ tree: TwinObject; node: unknown }>((tie) => ({
    node: fc.oneof({ depthSize: 'small' }, fc.constant(null), fc.integer(), fc.string({ maxLength: 20 }), tie('tree')),
    tree: fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), tie('node'), {
      maxKeys: 8,
    }),
  }));
  fc.assert(
    fc.property(tree, (patch) => {
      const pieces = splitPatch(patch, 150);
      for (const piece of pieces) expect(Buffer.byteLength(JSON.stringify(piece))).toBeLessThanOrEqual(150);
      const drop = { newObjectNulls: 'drop' } as const;
      const joined = pieces.reduce((state, piece) => mergeTwin(state, piece, drop), {});
      expect(joined).toEqual(mergeTwin({}, patch, drop));
    }),
  );
});
