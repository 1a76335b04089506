import { describe, expect, test } from '@jest/globals';
import { at, info, logit, parse, round, tensor, type Output } from '../../test/heads.ts';
import { CandidateList } from '../candidates.ts';
import { fitPicture } from '../fit.ts';
import { chooseOutputs, chooseParser } from './choose.ts';
import { parseSettings } from './shape.ts';
import type { NetworkInfo } from './types.ts';

const NET: NetworkInfo = { width: 64, height: 32, classCount: 3 };
const CELLS = 32 + 8 + 2;
const FIT = fitPicture({
  sourceWidth: 64,
  sourceHeight: 32,
  networkWidth: 64,
  networkHeight: 32,
  keepAspect: false,
  symmetric: false,
});

describe('other detectors', () => {
  test('queries with a sigmoid for each class', () => {
    const outputs = [
      tensor('pred_logits', [1, 300, 3], at(5 * 3, 1, [logit(0.8), -5, logit(0.6)]), -9),
      tensor('pred_boxes', [1, 300, 4], at(5 * 4, 1, [0.5, 0.5, 0.25, 0.5])),
    ];
    const box = [24, 8, 40, 24];
    const found = [
      { box, score: 0.8, classId: 0 },
      { box, score: 0.6, classId: 2 },
    ];
    expect(parse(outputs, NET)).toEqual({ parser: 'detr', suppression: 'none', found });
    expect(parse(outputs, NET, { requested: 'NvDsInferParseCustomDDETRTAO' }).found).toEqual(found);
  });

  test('queries with a class for "no object"', () => {
    const outputs = [
      tensor('logits', [1, 100, 4], { ...at(0, 1, [0, Math.log(7), 0, 0]), ...at(4, 1, [0, 0, 0, 9]) }),
      tensor('pred_boxes', [1, 100, 4], at(0, 1, [0.5, 0.5, 0.25, 0.5])),
    ];
    expect(parse(outputs, NET, { threshold: 0.5 }).found).toEqual([{ box: [24, 8, 40, 24], score: 0.7, classId: 1 }]);
  });

  test('RT-DETR of Ultralytics', () => {
    const fill = at(7 * 7, 1, [0.5, 0.5, 0.25, 0.5, 0.1, 0.9, 0.1]);
    expect(parse([tensor('output0', [1, 300, 7], fill)], NET)).toMatchObject({
      parser: 'detr',
      found: [{ box: [24, 8, 40, 24], score: 0.9, classId: 1 }],
    });
  });

  /** Logits whose mean bin is 2. */
  const two = [-20, -20, 20, -20, -20, -20, -20, -20];

  test('NanoDet-Plus: distributions in a row, cells begin at the corner', () => {
    const cells = CELLS + 1;
    const fill = at(33 * 35, 1, [0.1, 0.9, 0.2, ...two, ...two, ...two, ...two]);
    expect(parse([tensor('output', [1, cells, 35], fill)], NET)).toMatchObject({
      parser: 'distribution-heads',
      found: [{ box: [16 - 32, -32, 16 + 32, 32], score: 0.9, classId: 1 }],
    });
  });

  test('YOLOv8 heads without the last step', () => {
    const heads = [8, 16, 32].map((stride) => {
      const [rows, columns] = [32 / stride, 64 / stride];
      const sixteen = [...two, ...new Array<number>(8).fill(-20)];
      const values = [...sixteen, ...sixteen, ...sixteen, ...sixteen, logit(0.1), logit(0.2), logit(0.9)];
      return tensor(`o${stride}`, [1, 67, rows, columns], stride === 16 ? at(1, rows * columns, values) : {}, -9);
    });
    expect(parse(heads, NET)).toMatchObject({
      parser: 'distribution-heads',
      found: [{ box: [24 - 32, 8 - 32, 24 + 32, 8 + 32], score: 0.9, classId: 2 }],
    });
  });

  test('tiny YOLOv3 of Azure DeepStream Accelerator: all boxes, y before x', () => {
    const outputs = [
      tensor('yolonms_layer_1', [1, 20, 4], at(3 * 4, 1, [8, 16, 24, 48])),
      tensor('yolonms_layer_1:1', [1, 3, 20], { [20 + 3]: 0.9 }),
    ];
    const expected = { parser: 'selected-boxes', suppression: 'nms', found: [{ box: [16, 8, 48, 24], classId: 1 }] };
    for (const requested of ['tiny-yolov3', 'tiny_yolov3'])
      expect(parse(outputs, NET, { requested })).toMatchObject(expected);
    const chosen: Output = { name: 'selected', dims: [1, 3], type: 'int64', data: BigInt64Array.of(0n, 1n, 3n) };
    expect(parse([...outputs, chosen], NET)).toMatchObject({ ...expected, suppression: 'none' });
  });

  test("TAO's NMS: rows of seven and their number; YOLO-NAS puts the class last", () => {
    const rows = { ...at(0, 1, [0, 1, 0.9, 0.25, 0.5, 0.5, 1]), ...at(7, 1, [0, 1, 0.8, 0, 0, 1, 1]) };
    const outputs = [tensor('nms', [1, 1, 200, 7], rows), tensor('nms_1', [1, 1, 1, 1], { 0: 1 })];
    const found = [{ box: [16, 16, 32, 32], score: 0.9, classId: 1 }];
    expect(parse(outputs, NET, { requested: 'NvDsInferParseCustomNMSTLT' })).toMatchObject({
      parser: 'batch-rows',
      found,
    });
    const nas = tensor('graph2_flat_predictions', [1, 7], at(0, 1, [0, 16, 16, 32, 30, 0.9, 1]));
    expect(parse([nas], NET).found).toEqual([{ box: [16, 16, 32, 30], score: 0.9, classId: 1 }]);
  });

  test("TAO's EfficientDet: y before x in pixels, by name", () => {
    const outputs = [
      tensor('num_detections', [1, 1], { 0: 1 }),
      tensor('detection_boxes', [1, 10, 4], at(0, 1, [8, 16, 24, 48])),
      tensor('detection_scores', [1, 10], { 0: 0.9 }),
      tensor('detection_classes', [1, 10], { 0: 2 }),
    ];
    expect(parse(outputs, NET).found).toMatchObject([{ box: [8, 16, 24, 48] }]);
    const requested = 'NvDsInferParseCustomEfficientDetTAO';
    expect(parse(outputs, NET, { requested }).found).toEqual([{ box: [16, 8, 48, 24], score: 0.9, classId: 2 }]);
  });

  test('turned boxes: corners and the box around them', () => {
    const values = [32, 16, 20, 10, 0.1, 0.8, 0.2, Math.PI / 2];
    const { parser, found } = parse([tensor('output0', [1, 8, CELLS], at(9, CELLS, values))], NET);
    expect(parser).toBe('yolov8-obb');
    expect(found).toEqual([{ box: [27, 6, 37, 26], score: 0.8, classId: 1, points: [37, 6, 37, 26, 27, 26, 27, 6] }]);
  });

  test('people with 17 points', () => {
    const net = { width: 64, height: 32, classCount: 1 };
    const values = [20, 10, 8, 4, 0.9, ...Array.from({ length: 17 }, (_, p) => [p, 2 * p, 0.5]).flat()];
    const output = tensor('output0', [1, 56, 100], at(9, 100, values));
    const unknownSize = [{ ...output, dims: [1, 56, -1] }];
    const { parser } = chooseParser({ outputs: unknownSize, net });
    expect(parser.name).toBe('yolov8-pose');
    const list = new CandidateList();
    parser.create(unknownSize, net)([output], 0, parseSettings(0.3), list);
    expect([list.count, list.pointCount, list.scoredPoints]).toEqual([1, 17, true]);
    expect([...list.points.subarray(2, 6)]).toEqual([1, 2, 2, 4]);
    expect(list.pointScores[16]).toBe(0.5);
  });

  test('masks from prototypes, cut to the box', () => {
    // Two prototypes of 16 x 8: the first is 10 left of the middle and -10 right of it, the second nothing.
    const outputs = [
      tensor('output0', [1, 9, CELLS], at(9, CELLS, [32, 16, 32, 16, 0.1, 0.2, 0.9, 1, 5])),
      tensor(
        'output1',
        [1, 2, 8, 16],
        Object.fromEntries(Array.from({ length: 128 }, (_, i) => [i, i % 16 < 8 ? 10 : -10])),
      ),
    ];
    const { parser } = chooseParser({ outputs, net: NET });
    const list = new CandidateList();
    parser.create(outputs, NET)(outputs, 0, parseSettings(0.3), list);
    const mask = parser.createMasks!(outputs, NET)!(outputs, 0, list, 0, FIT)!;
    expect([parser.name, mask.width, mask.height]).toEqual(['yolov8', 8, 4]);
    expect([...mask.data.subarray(0, 8)]).toEqual([255, 255, 255, 255, 0, 0, 0, 0]);
  });

  test('masks of Mask R-CNN', () => {
    const outputs = [
      tensor('generate_detections', [1, 2, 6], at(6, 1, [8, 16, 24, 80, 1, 0.9])),
      tensor('mask_fcn_logits/BiasAdd', [2, 2, 2, 4], at(24, 1, [9, 9, -9, -9, 9, 9, -9, -9])),
    ];
    const { parser } = chooseParser({ outputs, net: NET, requested: 'NvDsInferParseCustomMrcnnTLTV2' });
    const list = new CandidateList();
    parser.create(outputs, NET)(outputs, 0, parseSettings(0.3), list);
    expect([list.x1[0], list.y1[0], list.x2[0], list.y2[0]]).toEqual([16, 8, 80, 24]);
    // A quarter of the box hangs over the edge: what is seen is the left three quarters.
    const mask = parser.createMasks!(outputs, NET)!(outputs, 0, list, 0, FIT)!;
    expect([...mask.data.subarray(0, 4)].map((value) => round(value / 255))).toEqual([1, 1, 1, 0]);
  });
});

describe('the choice', () => {
  test('nearest parsers, when nothing fits', () => {
    expect(() =>
      chooseParser({ outputs: [info('output0', 1, 84, 8400)], net: { width: 320, height: 320, classCount: 80 } }),
    ).toThrow(/output0 \[1, 84, 8400\] float32; nearest: yolov8 \(with an input of 640 x 640\)/);
  });

  test.each([
    ['a classifier', [info('softmax', 1, 1000)], { width: 224, height: 224 }, undefined, 'classifier'],
    ['an embedding', [info('embedding', 1, 512)], { width: 112, height: 112 }, undefined, 'embedding'],
    [
      'text',
      [info('probs', 1, 40, 38)],
      { width: 320, height: 32, labels: [...'0123456789abcdefghijklmnopqrstuvwxyz'] },
      undefined,
      'ctc-text',
    ],
    [
      'bodies',
      [info('cmap', 1, 18, 56, 56), info('paf', 1, 42, 56, 56)],
      { width: 224, height: 224 },
      undefined,
      'bodypose2d',
    ],
    ['a map', [info('out', 1, 21, 520, 520)], { width: 520, height: 520 }, undefined, 'segmentation'],
    [
      'a map of class ids',
      [{ ...info('out', 1, 512, 512), type: 'int64' }],
      { width: 512, height: 512 },
      'segmentation',
      'segmentation',
    ],
    ['boxes', [info('output0', 1, 84, 8400)], { width: 640, height: 640 }, undefined, 'yolov8'],
    ['network-type=100', [info('x', 1, 84, 8400)], { width: 640, height: 640 }, 'other', 'tensors'],
    [
      'two heads',
      [info('colour', 1, 7), info('kind', 1, 4, 1, 1)],
      { width: 72, height: 72 },
      'classifier',
      'classifier',
    ],
  ] as const)('%s', (_name, outputs, net, networkType, expected) => {
    expect(chooseOutputs({ outputs: [...outputs], net, networkType }).parser.name).toBe(expected);
  });

  test('a name reaches parsers of every kind', () => {
    const outputs = [info('fc', 1, 196)];
    const net = { width: 64, height: 64 };
    expect(chooseOutputs({ outputs, net, requested: 'landmarks' })).toMatchObject({
      task: 'pose',
      parser: { name: 'landmarks' },
    });
    expect(() => chooseOutputs({ outputs, net, requested: 'bodypose2d' })).toThrow(
      /'bodypose2d' cannot read .*fc \[1, 196\]/,
    );
    expect(() => chooseOutputs({ outputs, net, requested: 'nope' })).toThrow(
      /no output parser called 'nope'; there are: .*yolov8.*ctc-text/,
    );
  });
});
