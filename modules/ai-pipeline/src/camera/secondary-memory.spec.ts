import { describe, expect, test } from '@jest/globals';
import type { ModelOutput } from '@vantage/inference';
import type { FrameObject } from '@vantage/skill';
import { SecondaryMemory, type SecondaryRules } from './secondary-memory.ts';

const RULES: SecondaryRules = {
  componentId: 2,
  operateOnGieId: 1,
  operateOnClassIds: [],
  minWidth: 0,
  minHeight: 0,
  maxWidth: 0,
  maxHeight: 0,
  interval: 0,
  detects: false,
};

function object(more: Partial<FrameObject> & { size?: number } = {}): FrameObject {
  const { size = 50, ...rest } = more;
  const box = { left: 0, top: 0, width: size, height: size };
  return { classId: 0, label: 'car', confidence: 0.5, box, trackingId: -1, componentId: 1, attributes: [], ...rest };
}

function says(label: string, name = 'colour'): ModelOutput {
  return { detections: [], attributes: [{ name, label, classId: 0, confidence: 0.9, componentId: 2 }] };
}

const SILENT: ModelOutput = { detections: [], attributes: [] };

describe('which objects a secondary looks at', () => {
  test.each<[string, Partial<SecondaryRules>, FrameObject, boolean]>([
    ['any object of its primary', {}, object(), true],
    ['not those of another model', {}, object({ componentId: 3 }), false],
    ['-1: those of any model', { operateOnGieId: -1 }, object({ componentId: 3 }), true],
    ['but never its own', { operateOnGieId: -1 }, object({ componentId: 2 }), false],
    ['its classes', { operateOnClassIds: [0, 4] }, object({ classId: 4 }), true],
    ['no other class', { operateOnClassIds: [1] }, object(), false],
    ['not too small', { minWidth: 51 }, object(), false],
    ['large enough', { minWidth: 50, minHeight: 50 }, object(), true],
    ['not too large', { maxHeight: 49 }, object(), false],
    ['0 is no limit', { maxWidth: 0 }, object({ size: 5000 }), true],
    ['not one without an area', {}, object({ size: 0 }), false],
    ['not one that is no number', {}, object({ size: NaN }), false],
  ])('%s', (_what, rules, one, expected) => {
    expect(new SecondaryMemory({ ...RULES, ...rules }).choose([one], 0)).toEqual(expected ? [0] : []);
  });

  test('of ten thousand objects the best 128, in their order', () => {
    const objects = Array.from({ length: 10_000 }, (_, n) => object({ confidence: n / 10_000 }));
    const chosen = new SecondaryMemory(RULES).choose(objects, 0);
    expect(chosen).toHaveLength(128);
    expect([chosen[0], chosen.at(-1)]).toEqual([9872, 9999]);
  });

  test('interval leaves frames out', () => {
    const memory = new SecondaryMemory({ ...RULES, interval: 2 });
    expect([0, 1, 2, 3].map((frame) => memory.choose([object()], frame).length)).toEqual([1, 0, 0, 1]);
  });
});

describe('what it remembers of tracked objects', () => {
  test('what was said once stands on every frame, and the model is not asked again', () => {
    const memory = new SecondaryMemory(RULES);
    const car = object({ trackingId: 7 });
    expect(memory.apply([car], memory.choose([car], 0), [says('red')], 0)[0]!.attributes[0]!.label).toBe('red');
    expect(memory.choose([car], 1)).toEqual([]);
    expect(memory.apply([car], [], [], 1)[0]!.attributes[0]!.label).toBe('red');
    memory.reset();
    expect(memory.choose([car], 2)).toEqual([0]);
  });

  test('an object that has grown by more than a fifth is looked at again', () => {
    const memory = new SecondaryMemory(RULES);
    const car = object({ trackingId: 7, size: 50 });
    memory.apply([car], memory.choose([car], 0), [says('red')], 0);
    expect(memory.choose([object({ trackingId: 7, size: 54 })], 1)).toEqual([]);
    expect(memory.choose([object({ trackingId: 7, size: 55 })], 2)).toEqual([0]);
  });

  test('secondary-reinfer-interval, and a head that is silent takes nothing back', () => {
    const memory = new SecondaryMemory({ ...RULES, reinferInterval: 2 });
    const car = object({ trackingId: 7 });
    memory.apply([car], memory.choose([car], 0), [says('red')], 0);
    expect([1, 2].map((frame) => memory.choose([car], frame))).toEqual([[], []]);
    const chosen = memory.choose([car], 3);
    expect(chosen).toEqual([0]);
    expect(memory.apply([car], chosen, [SILENT], 3)[0]!.attributes).toMatchObject([{ label: 'red' }]);
    expect(memory.choose([car], 4)).toEqual([]);
    const both = memory.apply([car], [0], [says('VW', 'make')], 9)[0]!.attributes;
    expect(both.map(({ label }) => label)).toEqual(['red', 'VW']);
  });

  test('without a tracker nothing is remembered', () => {
    const memory = new SecondaryMemory(RULES);
    memory.apply([object()], [0], [says('red')], 0);
    expect(memory.choose([object()], 1)).toEqual([0]);
    expect(memory.apply([object()], [], [], 1)[0]!.attributes).toEqual([]);
  });

  test('a frame that failed leaves the objects as they are', () => {
    const memory = new SecondaryMemory(RULES);
    const car = object({ trackingId: 7 });
    expect(memory.apply([car], [0], [], 0)).toEqual([car]);
    expect(memory.choose([car], 1)).toEqual([0]);
  });

  test('tracks that are gone are forgotten', () => {
    const memory = new SecondaryMemory(RULES);
    const car = object({ trackingId: 7 });
    memory.apply([car], [0], [says('red')], 1);
    memory.apply([], [], [], 600);
    expect(memory.choose([car], 601)).toEqual([0]);
  });
});

test('a secondary detector adds objects that know what they were found on, and looks each time', () => {
  const memory = new SecondaryMemory({ ...RULES, detects: true });
  const objects = [object({ trackingId: 1 }), object({ trackingId: 2 })];
  const plate = object({ label: 'plate', componentId: 2 });
  const result = memory.apply(objects, memory.choose(objects, 0), [SILENT, { detections: [plate], attributes: [] }], 0);
  expect(result.map(({ label, parent }) => `${label} ${parent}`)).toEqual([
    'car undefined',
    'car undefined',
    'plate 1',
  ]);
  expect(memory.choose(objects, 1)).toEqual([0, 1]);
});
