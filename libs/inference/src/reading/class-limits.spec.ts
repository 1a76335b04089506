import { describe, expect, test } from '@jest/globals';
import { parseInferConfig } from '@vantage/deepstream';
import type { Detection } from '@vantage/vision';
import { classLimits } from './class-limits.ts';

function limitsOf(text: string) {
  return classLimits(parseInferConfig(`[property]\nonnx-file=m.onnx\n${text}\n`, 'test.txt').spec.classAttributes);
}

function detection(classId: number, box: [number, number, number, number], confidence = 0.5): Detection {
  const [left, top, width, height] = box;
  return {
    classId,
    label: '',
    confidence,
    box: { left, top, width, height },
    trackingId: -1,
    componentId: 1,
    attributes: [],
  };
}

describe('classLimits', () => {
  test('a configuration without limits asks nothing', () => {
    expect(limitsOf('[class-attrs-all]\npre-cluster-threshold=0.4')).toBeUndefined();
  });

  test.each<[string, string, Detection, boolean]>([
    ['too narrow', 'detected-min-w=20', detection(0, [0, 0, 19, 50]), false],
    ['wide enough', 'detected-min-w=20', detection(0, [0, 0, 20, 50]), true],
    ['too high', 'detected-max-h=40', detection(0, [0, 0, 19, 41]), false],
    ['in the top strip', 'roi-top-offset=10', detection(0, [0, 9, 5, 5]), false],
    ['reaches into the bottom strip', 'roi-bottom-offset=10', detection(0, [0, 80, 5, 11]), false],
    ['just above the bottom strip', 'roi-bottom-offset=10', detection(0, [0, 80, 5, 10]), true],
    ['below the score after clustering', 'post-cluster-threshold=0.6', detection(0, [0, 0, 5, 5], 0.59), false],
  ])('%s', (_name, line, one, kept) => {
    expect(limitsOf(`[class-attrs-all]\n${line}`)?.(one, 100)).toBe(kept);
  });

  test('a class with limits of its own', () => {
    const limits = limitsOf('[class-attrs-all]\ndetected-min-w=5\n[class-attrs-2]\ndetected-min-w=50');
    expect(limits?.(detection(1, [0, 0, 20, 20]), 100)).toBe(true);
    expect(limits?.(detection(2, [0, 0, 20, 20]), 100)).toBe(false);
  });
});
