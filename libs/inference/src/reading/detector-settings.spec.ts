import { describe, expect, test } from '@jest/globals';
import { parseInferConfig } from '@vantage/deepstream';
import { suppressionOf, thresholdsOf } from './detector-settings.ts';

function inferOf(text: string) {
  return parseInferConfig(`[property]\nonnx-file=m.onnx\n${text}\n`, 'test.txt').spec;
}

describe('suppressionOf', () => {
  test.each([
    ['', 'none', 'none'],
    ['', 'nms', 'nms'],
    ['cluster-mode=0', 'nms', 'group-rectangles'],
    ['cluster-mode=1', 'nms', 'dbscan'],
    ['cluster-mode=2', 'none', 'nms'],
    ['cluster-mode=3', 'nms', 'hybrid'],
    ['cluster-mode=4', 'nms', 'none'],
  ] as const)('%j with a parser that wants %s: %s', (text, ofParser, mode) => {
    expect(suppressionOf(inferOf(text), ofParser).mode).toBe(mode);
  });

  test('class attributes go to their classes', () => {
    const infer = inferOf(
      [
        'cluster-mode=3',
        'filter-out-class-ids=3',
        '[class-attrs-all]',
        'nms-iou-threshold=0.6',
        'pre-cluster-threshold=0.25',
        'topk=7',
        'eps=0.4',
        'minBoxes=2',
        'dbscan-min-score=1.5',
        'group-threshold=1',
        '[class-attrs-2]',
        'nms-iou-threshold=0.1',
        'pre-cluster-threshold=0.9',
        'topk=1',
        'eps=0.7',
      ].join('\n'),
    );
    const clustering = { eps: 0.4, minBoxes: 2, minScore: 1.5, groupThreshold: 1 };
    expect(suppressionOf(infer, 'nms')).toEqual({
      mode: 'hybrid',
      iouThreshold: 0.6,
      iouThresholds: new Map([[2, 0.1]]),
      topK: 7,
      topKs: new Map([[2, 1]]),
      clustering,
      clusterings: new Map([[2, { ...clustering, eps: 0.7 }]]),
    });
    const { thresholds, otherThreshold } = thresholdsOf(infer);
    expect([...thresholds]).toEqual([0.25, 0.25, Math.fround(0.9), Infinity]);
    expect(otherThreshold).toBe(0.25);
  });
});
