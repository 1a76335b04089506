import { describe, expect, test } from '@jest/globals';
import { at, logit, parse, round, tensor, type Output } from '../../test/heads.ts';
import type { NetworkInfo } from './types.ts';

const NET: NetworkInfo = { width: 64, height: 32, classCount: 3 };

describe('detectors with anchors', () => {
  test('yolov2: sigmoid centre, anchor in cells, softmax of classes', () => {
    // 2 x 1 cells, 5 anchors of 8 channels; anchor 2 (3.33843 x 5.47434 cells) of cell 1.
    const fill = at(2 * 8 * 2 + 1, 2, [logit(0.5), logit(0.25), 0, Math.log(0.5), logit(0.9), 0, Math.log(8), 0]);
    const { parser, found } = parse([tensor('model_outputs0', [1, 40, 1, 2], fill, -9)], NET, {
      requested: 'NvDsInferParseCustomYoloV2Tiny',
    });
    expect(parser).toBe('yolov2');
    const [x, y, width, height] = [1.5 * 32, 0.25 * 32, 3.33843 * 32, (5.47434 / 2) * 32];
    expect(found).toEqual([
      { box: [x - width / 2, y - height / 2, x + width / 2, y + height / 2].map(round), score: 0.72, classId: 1 },
    ]);
    expect(parse([tensor('model_outputs0', [1, 40, 1, 2], {}, -9)], NET)).toMatchObject({
      parser: 'yolov2',
      found: [],
    });
  });

  /** The same object in the second anchor (30 x 61 is v3's first of stride 16) of cell (2, 1) of stride 16. */
  const values = [0.5, 0.25, Math.log(2), Math.log(0.5), 0.9, 0.1, 0.8, 0.2];
  const box = (scale: number, anchorWidth: number, anchorHeight: number): number[] => {
    const [x, y] = [(0.5 * scale - (scale - 1) / 2 + 2) * 16, (0.25 * scale - (scale - 1) / 2 + 1) * 16];
    return [x - anchorWidth, y - anchorHeight / 4, x + anchorWidth, y + anchorHeight / 4].map(round);
  };
  const raw = values.map((value, i) => (i === 2 || i === 3 ? value : logit(value)));

  test('yolov3: channels first, darknet order', () => {
    const heads = [8, 16, 32].map((stride, i) => {
      const [rows, columns] = [32 / stride, 64 / stride];
      const cell = stride === 16 ? at(8 * rows * columns + 1 * columns + 2, rows * columns, raw) : {};
      return tensor(`grid${i}`, [1, 24, rows, columns], cell, -9);
    });
    // The order of outputs does not matter.
    expect(parse([heads[2]!, heads[0]!, heads[1]!], NET)).toEqual({
      parser: 'yolo-anchors',
      suppression: 'nms',
      found: [{ box: box(1, 62, 45), score: 0.72, classId: 1 }],
    });
  });

  test('yolov4 of TensorFlow: channels last, scores finished, centres raw', () => {
    const heads = [8, 16, 32].map((stride, i): Output => {
      const [rows, columns] = [32 / stride, 64 / stride];
      const data = new Float32Array(rows * columns * 24);
      for (let k = 0; k < data.length; k += 8) data.set([-3, -3], k);
      if (stride === 16) data.set([...raw.slice(0, 4), ...values.slice(4)], ((columns + 2) * 3 + 1) * 8);
      return { ...tensor(i === 0 ? 'Identity:0' : `Identity_${i}:0`, [1, rows, columns, 3, 8]), data };
    });
    expect(parse(heads, NET, { requested: 'yolov4' })).toMatchObject({
      parser: 'yolo-anchors',
      found: [{ box: box(1.1, 76, 55), score: 0.72, classId: 1 }],
    });
  });

  test('yolov5 heads: squared sizes', () => {
    const heads = [8, 16, 32].map((stride, i) => {
      const [rows, columns] = [32 / stride, 64 / stride];
      const start = (1 * rows * columns + columns + 2) * 8;
      const own = [0.5, 0.25, 0.5, 0.5, 0.9, 0.1, 0.8, 0.2].map(logit);
      return tensor(`o${i}`, [1, 3, rows, columns, 8], stride === 16 ? at(start, 1, own) : {}, -9);
    });
    const [x, y] = [(2 * 0.5 - 0.5 + 2) * 16, (2 * 0.25 - 0.5 + 1) * 16];
    expect(parse(heads, NET)).toMatchObject({
      parser: 'yolo-anchors',
      found: [{ box: [x - 31, y - 22.5, x + 31, y + 22.5], score: 0.72, classId: 1 }],
    });
  });

  test('prior boxes of RetinaFace: variances, landmarks, background first', () => {
    const net = { width: 64, height: 32 };
    const count = (32 + 8 + 2) * 2;
    // The second prior of the cell (1, 0) of stride 16: 128 pixels around (24, 8).
    const prior = 64 + 2 + 1;
    const outputs = [
      tensor('bbox', [1, count, 4], at(prior * 4, 1, [1, -1, Math.log(0.5) / 0.2, 0])),
      tensor('confidence', [1, count, 2], at(prior * 2, 1, [0.1, 0.9])),
      tensor('landmark', [1, count, 10], at(prior * 10, 1, [0, 0, 1, 1])),
    ];
    const { parser, found } = parse(outputs, net);
    expect(parser).toBe('prior-boxes');
    const [x, y] = [24 + 12.8, 8 - 12.8];
    expect(found).toMatchObject([{ box: [x - 32, y - 64, x + 32, y + 64].map(round), score: 0.9, classId: 0 }]);
    expect(found[0]!.points!.slice(0, 4)).toEqual([24, 8, 36.8, 20.8]);
  });

  test('SSD whose priors are an output', () => {
    const outputs = [
      tensor('mbox_loc', [1, 3, 4]),
      tensor('mbox_conf', [1, 3, 4], at(4, 1, [0.1, 0.1, 0.7, 0.1])),
      tensor('mbox_priorbox', [1, 2, 12], at(4, 1, [0.25, 0.5, 0.5, 1])),
    ];
    const expected = { box: [16, 16, 32, 32], score: 0.7, classId: 1 };
    expect(parse(outputs, NET, { requested: 'NvDsInferParseCustomSSD' }).found).toEqual([expected]);
  });

  test('RetinaNet: nine anchors, logits', () => {
    const net = { width: 64, height: 64, classCount: 2 };
    const outputs = [8, 16, 32].flatMap((stride) => {
      const cells = (64 / stride) ** 2;
      // Anchor 4 (second scale, twice as high as wide), class 1, cell (1, 0).
      const cls = stride === 16 ? { [(4 * 2 + 1) * cells + 1]: logit(0.8) } : {};
      const reg = stride === 16 ? { [4 * 4 * cells + 1]: 0.5 } : {};
      return [
        tensor(`cls${stride}`, [1, 18, 64 / stride, 64 / stride], cls, -9),
        tensor(`box${stride}`, [1, 36, 64 / stride, 64 / stride], reg),
      ];
    });
    const width = (16 * 4 * 2 ** (1 / 3)) / Math.SQRT2;
    const x = 24 + width / 2;
    expect(parse(outputs, net)).toMatchObject({
      parser: 'retinanet',
      found: [{ box: [x - width / 2, 8 - width, x + width / 2, 8 + width].map(round), score: 0.8, classId: 1 }],
    });
  });

  test('SCRFD: distances from the corner of a cell, two anchors a cell', () => {
    const outputs = [1, 4, 10].flatMap((size) =>
      [8, 16, 32].map((stride) => {
        const rows = 2 * (64 / stride) * (32 / stride);
        // Second anchor of the cell (2, 1) of stride 16: row (1 * 4 + 2) * 2 + 1.
        const values = { 1: [0.9], 4: [1, 0.5, 1, 0.5], 10: [0.5, 0.25] }[size]!;
        return tensor(`o${size}_${stride}`, [rows, size], stride === 16 ? at(13 * size, 1, values) : {});
      }),
    );
    const { parser, found } = parse(outputs, { width: 64, height: 32 });
    expect(parser).toBe('scrfd');
    expect(found).toMatchObject([{ box: [16, 8, 48, 24], score: 0.9, classId: 0 }]);
    expect(found[0]!.points!.slice(0, 2)).toEqual([40, 20]);
  });

  test('DetectNet: 35 pixels, from the middle of a cell', () => {
    const outputs = [
      tensor('output_cov/Sigmoid', [1, 2, 2, 4], { [8 + 5]: 0.9 }),
      tensor('output_bbox/BiasAdd', [1, 8, 2, 4], at(4 * 8 + 5, 8, [0.1, 0.2, 0.3, 0.4])),
    ];
    // Cell (1, 1): 16.5, 16.5.
    const expected = [{ box: [13, 9.5, 27, 30.5], score: 0.9, classId: 1 }];
    expect(parse(outputs, { ...NET, classCount: 2 })).toMatchObject({ parser: 'detectnet', found: expected });
    expect(parse(outputs.toReversed(), NET, { requested: 'NvDsInferParseCustomResnet' }).found).toEqual(expected);
  });
});
