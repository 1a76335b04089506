import { describe, expect, test } from '@jest/globals';
import { CandidateList } from '../candidates.ts';
import { chooseParser } from './choose.ts';
import { parseSettings } from './shape.ts';
import type { NetworkInfo, TensorData, TensorInfo } from './types.ts';

const NET: NetworkInfo = { width: 64, height: 32, classCount: 3 };
/** Cells of strides 8, 16 and 32 in 64 x 32. */
const CELLS = 32 + 8 + 2;

interface Found {
  readonly box: number[];
  readonly score: number;
  readonly classId: number;
  readonly points?: number[];
}

function tensor(
  name: string,
  dims: number[],
  fill: Record<number, number> = {},
  type = 'float32',
): TensorData & TensorInfo {
  const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
  for (const [at, value] of Object.entries(fill)) data[Number(at)] = value;
  return { name, dims, data, type };
}

function parse(
  outputs: (TensorData & TensorInfo)[],
  net: NetworkInfo,
  { requested, batchIndex = 0, threshold = 0.3 }: { requested?: string; batchIndex?: number; threshold?: number } = {},
): { parser: string; suppression: string; found: Found[]; invalid: number } {
  const choice = chooseParser({ requested, outputs, net });
  const list = new CandidateList();
  list.reset();
  choice.parser.create(outputs, net)(outputs, batchIndex, parseSettings(threshold), list);
  const found = Array.from({ length: list.count }, (_, i): Found => {
    const box = [list.x1[i]!, list.y1[i]!, list.x2[i]!, list.y2[i]!].map((v) => Math.round(v * 100) / 100);
    const entry = { box, score: Math.round(list.score[i]! * 100) / 100, classId: list.classId[i]! };
    const points = [...list.points.subarray(i * list.pointCount * 2, (i + 1) * list.pointCount * 2)];
    return points.length > 0 ? { ...entry, points } : entry;
  });
  return { parser: choice.parser.name, suppression: choice.suppression, found, invalid: list.invalid };
}

/** Fill of row `row` of a tensor of `columns` columns. */
function row(at: number, columns: number, values: readonly number[]): Record<number, number> {
  return Object.fromEntries(values.map((value, i) => [at * columns + i, value]));
}

describe('parsers', () => {
  test('yolox: cell plus offset times stride, exponential size, objectness times class', () => {
    // Cell 33 is the second of stride 16: column 1, row 0.
    const fill = row(33, 8, [0.5, 0.25, Math.log(2), Math.log(1), 0.8, 0.1, 0.2, 0.9]);
    const result = parse([tensor('output', [1, CELLS, 8], fill)], NET);
    expect(result).toEqual({
      parser: 'yolox',
      suppression: 'nms',
      invalid: 0,
      found: [{ box: [8, -4, 40, 12], score: 0.72, classId: 2 }],
    });
  });

  test('yolox: the second picture of a batch', () => {
    const fill = row(CELLS + 33, 8, [0.5, 0.25, 0, 0, 0.8, 0.1, 0.9, 0]);
    const outputs = [tensor('output', [2, CELLS, 8], fill)];
    expect(parse(outputs, NET).found).toEqual([]);
    expect(parse(outputs, NET, { batchIndex: 1 }).found).toMatchObject([{ classId: 1 }]);
  });

  test('yolov5: decoded boxes, three a cell', () => {
    const fill = row(3 * CELLS - 1, 8, [20, 10, 8, 4, 0.9, 0.1, 1, 0.2]);
    expect(parse([tensor('output', [1, 3 * CELLS, 8], fill)], NET)).toMatchObject({
      parser: 'yolov5',
      suppression: 'nms',
      found: [{ box: [16, 8, 24, 12], score: 0.9, classId: 1 }],
    });
  });

  test('yolov5: mask coefficients are no classes', () => {
    const fill = row(0, 40, [20, 10, 8, 4, 0.9, 0.1, 1, 0.2, 5, 5, 5]);
    const outputs = [tensor('output0', [1, 3 * CELLS, 40], fill), tensor('output1', [1, 32, 8, 16])];
    expect(parse(outputs, NET)).toMatchObject({ parser: 'yolov5', found: [{ score: 0.9, classId: 1 }] });
  });

  test('yolov5 with plate corners', () => {
    const corners = [16, 8, 24, 8, 24, 12, 16, 12];
    const fill = row(5, 15, [20, 10, 8, 4, 0.9, ...corners, 0.1, 0.9]);
    const net = { ...NET, classCount: 2 };
    expect(parse([tensor('output', [1, 3 * CELLS, 15], fill)], net)).toMatchObject({
      parser: 'yolov5-landmarks',
      found: [{ box: [16, 8, 24, 12], score: 0.81, classId: 1, points: corners }],
    });
  });

  test.each<[string, number[], (value: number) => number]>([
    ['columns', [1, 7, CELLS], (value: number) => value * CELLS + 9],
    ['rows', [1, CELLS, 7], (value: number) => 9 * 7 + value],
  ])('yolov8 in %s', (_name, dims, at) => {
    const values = [20, 10, 8, 4, 0.1, 0.2, 0.6];
    const fill = Object.fromEntries(values.map((value, i) => [at(i), value]));
    expect(parse([tensor('output0', dims, fill)], NET)).toMatchObject({
      parser: 'yolov8',
      found: [{ box: [16, 8, 24, 12], score: 0.6, classId: 2 }],
    });
  });

  test('yolov8: keypoints and mask coefficients are no classes', () => {
    const values = [20, 10, 8, 4, 0.6, 30, 40, 2];
    const pose = tensor('output0', [1, 8, CELLS], Object.fromEntries(values.map((v, i) => [i * CELLS, v])));
    expect(parse([pose], { ...NET, classCount: 1 })).toMatchObject({
      parser: 'yolov8',
      found: [{ score: 0.6, classId: 0 }],
    });
    const masked = [20, 10, 8, 4, 0.1, 0.2, 0.6, 9, 9];
    const head = tensor('output0', [1, 39, CELLS], Object.fromEntries(masked.map((v, i) => [i * CELLS, v])));
    expect(parse([head, tensor('output1', [1, 32, 8, 16])], NET).found).toMatchObject([{ score: 0.6, classId: 2 }]);
  });

  test.each<[string, NetworkInfo, number]>([
    ['labels with a background', { width: 64, height: 32, labels: ['background', 'face'] }, 1],
    ['labels without it', { width: 64, height: 32, labels: ['face'] }, 0],
    ['one class fewer than scores', { width: 64, height: 32, classCount: 1 }, 0],
    ['nothing configured: softmax', { width: 64, height: 32 }, 1],
  ])('scores and boxes, %s', (_name, net, classId) => {
    const scores = tensor('scores', [1, 40, 2]);
    const values = scores.data as Float32Array;
    for (let i = 0; i < 40; i += 1) values[i * 2] = 1;
    values.set([0.1, 0.9], 20 * 2);
    const boxes = tensor('boxes', [1, 40, 4], row(20, 4, [0.25, 0.5, 0.5, 1.05]));
    expect(parse([scores, boxes], net)).toMatchObject({
      parser: 'scores-boxes',
      suppression: 'nms',
      found: [{ box: [16, 16, 32, 33.6], score: 0.9, classId }],
    });
  });

  test('scores and boxes: sigmoid scores have no background; boxes in pixels; boxes first', () => {
    const scores = tensor('confs', [1, 20, 3], row(2, 3, [0.9, 0.1, 0.2]));
    const boxes = tensor('boxes', [1, 20, 1, 4], row(2, 4, [16, 16, 32, 30]));
    expect(parse([boxes, scores], NET).found).toEqual([{ box: [16, 16, 32, 30], score: 0.9, classId: 0 }]);
  });

  test('end to end: rows of six', () => {
    const fill = { ...row(0, 6, [1, 2, 30, 20, 0.9, 2]), ...row(1, 6, [1, 2, 30, 20, 0.1, 2]) };
    expect(parse([tensor('output0', [1, 300, 6], fill)], NET)).toMatchObject({
      parser: 'end-to-end',
      suppression: 'none',
      found: [{ box: [1, 2, 30, 20], score: 0.9, classId: 2 }],
    });
  });

  test('unused rows are no detections, even without a threshold', () => {
    const fill = row(0, 6, [1, 2, 30, 40, 0.9, 2]);
    expect(parse([tensor('output0', [1, 300, 6], fill)], NET, { threshold: 0 }).found).toHaveLength(1);
  });

  test('the exporters of DeepStream-Yolo: rows of six, all boxes, by name', () => {
    const fill = row(CELLS - 1, 6, [1, 2, 30, 20, 0.9, 2]);
    const outputs = [tensor('output', [1, 8400, 6], fill)];
    const expected = { parser: 'deepstream-yolo', suppression: 'nms', found: [{ box: [1, 2, 30, 20], classId: 2 }] };
    expect(parse(outputs, NET, { requested: 'NvDsInferParseYolo' })).toMatchObject(expected);
    expect(parse(outputs, NET)).toMatchObject(expected);
    // The same name with an ONNX file that was exported by Ultralytics.
    expect(parse([tensor('output0', [1, 7, CELLS])], NET, { requested: 'NvDsInferParseYolo' }).parser).toBe('yolov8');
    expect(parse([tensor('output0', [1, 300, 6])], NET, { requested: 'NvDsInferParseYolo' }).suppression).toBe('none');
  });

  test('rows with the picture of the batch', () => {
    const v7 = { ...row(0, 7, [0, 1, 2, 30, 20, 2, 0.9]), ...row(1, 7, [1, 5, 6, 40, 30, 1, 0.8]) };
    const outputs = [tensor('output', [2, 7], v7)];
    expect(parse(outputs, NET).found).toEqual([{ box: [1, 2, 30, 20], score: 0.9, classId: 2 }]);
    expect(parse(outputs, NET, { batchIndex: 1 }).found).toEqual([{ box: [5, 6, 40, 30], score: 0.8, classId: 1 }]);
    const layer = { ...row(0, 7, [0, 1, 0.9, 0.25, 0.5, 0.5, 1]), ...row(1, 7, [-1, 0, 0, 0, 0, 0, 0]) };
    expect(parse([tensor('detection_out', [1, 1, 200, 7], layer)], NET)).toMatchObject({
      parser: 'batch-rows',
      suppression: 'none',
      found: [{ box: [16, 16, 32, 32], score: 0.9, classId: 1 }],
    });
  });

  test('finished detections in an output each', () => {
    const pixels = [
      { ...tensor('num_detections', [1, 1]), data: Int32Array.of(1), type: 'int32' },
      tensor('detection_boxes', [1, 100, 4], { ...row(0, 4, [1, 2, 30, 20]), ...row(1, 4, [1, 2, 30, 20]) }),
      tensor('detection_scores', [1, 100], { 0: 0.9, 1: 0.8 }),
      { ...tensor('detection_classes', [1, 100]), data: new Int32Array(100).fill(2), type: 'int32' },
    ];
    expect(parse(pixels, NET)).toMatchObject({
      parser: 'detection-outputs',
      suppression: 'none',
      found: [{ box: [1, 2, 30, 20], score: 0.9, classId: 2 }],
    });
    const tensorflow = [
      tensor('detection_boxes:0', [1, 10, 4], row(0, 4, [0.5, 0.25, 1, 0.5])),
      tensor('detection_classes:0', [1, 10], { 0: 1 }),
      tensor('detection_scores:0', [1, 10], { 0: 0.9 }),
      tensor('num_detections:0', [1], { 0: 10 }),
    ];
    expect(parse(tensorflow, NET).found).toEqual([{ box: [16, 16, 32, 32], score: 0.9, classId: 1 }]);
    const torchvision = [
      tensor('boxes', [2, 4], row(1, 4, [1, 2, 30, 20])),
      { ...tensor('labels', [2]), data: BigInt64Array.of(0n, 7n), type: 'int64' },
      tensor('scores', [2], { 1: 0.9 }),
    ];
    expect(parse(torchvision, NET).found).toEqual([{ box: [1, 2, 30, 20], score: 0.9, classId: 7 }]);
  });

  test('fastestdet: one grid, powers of objectness and class', () => {
    const [columns, rows] = [4, 2];
    const values = [0.8, 0, 0, 0, 0, 0.1, 0.9, 0.2];
    const fill = Object.fromEntries(values.map((value, i) => [i * columns * rows + 5, value]));
    // Cell 5: column 1, row 1; offset 0, size sigmoid(0) of the input.
    expect(parse([tensor('758', [1, 8, rows, columns], fill)], NET)).toMatchObject({
      parser: 'fastestdet',
      found: [{ box: [0, 8, 32, 24], score: Math.round(0.8 ** 0.6 * 0.9 ** 0.4 * 100) / 100, classId: 1 }],
    });
  });

  test('yunet: three strides, landmarks', () => {
    const outputs = ['cls', 'obj', 'bbox', 'kps'].flatMap((part, p) =>
      [8, 16, 32].map((stride) => {
        const cells = (64 / stride) * (32 / stride);
        return tensor(`${part}_${stride}`, [1, cells, [1, 1, 4, 10][p]!]);
      }),
    );
    const part = (name: string): Float32Array => outputs.find((output) => output.name === name)!.data as Float32Array;
    // Cell 1 of stride 16: column 1, row 0.
    part('cls_16')[1] = 0.9;
    part('obj_16')[1] = 0.8;
    part('bbox_16').set([0.5, 0.25, 0, Math.log(2)], 4);
    part('kps_16').set([0.5, 0.5], 10);
    const { parser, found } = parse(outputs, { width: 64, height: 32 });
    expect(parser).toBe('yunet');
    expect(found).toMatchObject([{ box: [16, -12, 32, 20], score: 0.72, classId: 0 }]);
    expect(found[0]?.points?.slice(0, 2)).toEqual([24, 8]);
  });

  test('a score that is not a number is counted, not returned', () => {
    const fill = row(33, 8, [0.5, 0.25, 0, 0, Number.NaN, 0.1, 0.2, 0.9]);
    expect(parse([tensor('output', [1, CELLS, 8], fill)], NET)).toMatchObject({ found: [], invalid: 1 });
  });

  test('thresholds by class, and classes switched off', () => {
    const outputs = [
      tensor('output0', [1, 300, 6], {
        ...row(0, 6, [1, 2, 9, 9, 0.5, 0]),
        ...row(1, 6, [1, 2, 9, 9, 0.5, 1]),
        ...row(2, 6, [1, 2, 9, 9, 0.9, 2]),
        ...row(3, 6, [1, 2, 9, 9, 0.3, 7]),
      }),
    ];
    const list = new CandidateList();
    const settings = parseSettings(0.3, new Map([[1, 0.6]]), [2]);
    chooseParser({ outputs, net: NET }).parser.create(outputs, NET)(outputs, 0, settings, list);
    expect([...list.classId.subarray(0, list.count)]).toEqual([0, 7]);
  });
});
