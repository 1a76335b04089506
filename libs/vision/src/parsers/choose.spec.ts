import { describe, expect, test } from '@jest/globals';
import { chooseParser } from './choose.ts';
import { OUTPUT_PARSERS } from './registry.ts';
import type { NetworkInfo, TensorInfo } from './types.ts';

describe('chooseParser', () => {
  const info = (name: string, ...dims: number[]): TensorInfo => ({ name, dims, type: 'float32' });
  const net640 = (classCount?: number): NetworkInfo =>
    classCount === undefined ? { width: 640, height: 640 } : { width: 640, height: 640, classCount };

  test.each<[string, TensorInfo[], NetworkInfo, string]>([
    ['YOLOX', [info('output', 1, 8400, 85)], net640(80), 'yolox'],
    ['YOLOX without a class count', [info('output', 1, 8400, 85)], net640(), 'yolox'],
    ['YOLOX of one class', [info('output', 1, 8400, 6)], net640(1), 'yolox'],
    ['YOLOX of one class, small', [info('output', 1, 756, 6)], { width: 192, height: 192 }, 'yolox'],
    [
      'the first NanoDet',
      [1600, 400, 100].flatMap((cells) => [
        info(`cls_pred_${cells}`, 1, cells, 80),
        info(`dis_pred_${cells}`, 1, cells, 32),
      ]),
      { width: 320, height: 320 },
      'split-distribution',
    ],
    ['YOLOv5', [info('output0', 1, 25_200, 85)], net640(80), 'yolov5'],
    ['YOLOv5 without a class count', [info('output0', 1, 25_200, 85)], net640(), 'yolov5'],
    ['YOLOv8', [info('output0', 1, 84, 8400)], net640(80), 'yolov8'],
    ['YOLOv8 of one class', [info('output0', 1, 5, 8400)], net640(1), 'yolov8'],
    ['YOLOv8 of any size', [info('output0', -1, 84, -1)], net640(80), 'yolov8'],
    ['YOLOv8 transposed', [info('output0', 1, 8400, 84)], net640(80), 'yolov8'],
    ['YOLOv8 transposed, no class count', [info('output0', 1, 8400, 84)], net640(), 'yolov8'],
    ['YOLOv10', [info('output0', 1, 300, 6)], net640(80), 'end-to-end'],
    ['YOLOv7 end to end', [info('output', -1, 7)], net640(80), 'batch-rows'],
    ['RFB', [info('scores', 1, 4420, 2), info('boxes', 1, 4420, 4)], { width: 320, height: 240 }, 'scores-boxes'],
    ['YOLOv4', [info('boxes', 1, 10_647, 1, 4), info('confs', 1, 10_647, 80)], net640(80), 'scores-boxes'],
    [
      'SSD of the model zoo',
      [info('bboxes', 1, -1, 4), info('labels', 1, -1), info('scores', 1, -1)],
      net640(),
      'detection-outputs',
    ],
    ['FastestDet', [info('758', 1, 85, 22, 22)], { width: 352, height: 352, classCount: 80 }, 'fastestdet'],
    ['plates', [info('output', 1, 6300, 15)], { width: 320, height: 320, classCount: 2 }, 'yolov5-landmarks'],
    [
      'ten classes, as many columns',
      [info('output', 1, 6300, 15)],
      { width: 320, height: 320, classCount: 10 },
      'yolov5',
    ],
  ])('%s', (_name, outputs, net, expected) => {
    const { parser, reason } = chooseParser({ outputs, net });
    expect(parser.name).toBe(expected);
    expect(reason).toMatch(new RegExp(`^${expected}: the model has `));
  });

  test('names in any spelling', () => {
    const outputs = [info('output', 1, 8400, 85)];
    for (const requested of ['YOLOX', 'yolo_x', 'NvDsInferParseYoloX', 'NVDSINFERPARSECUSTOMYOLOX']) {
      expect(chooseParser({ requested, outputs, net: net640(80) }).parser.name).toBe('yolox');
    }
    expect(chooseParser({ requested: 'yolox-decoded', outputs, net: net640(80) }).parser.name).toBe('yolov5');
    expect(chooseParser({ requested: '', outputs, net: net640(80) }).parser.name).toBe('yolox');
  });

  test('a name that none has lists those there are', () => {
    const outputs = [info('output', 1, 8400, 85)];
    expect(() => chooseParser({ requested: 'foo', outputs, net: net640() })).toThrow(
      /no output parser called 'foo'; there are: yunet, .*yolox/,
    );
  });

  test('outputs that fit none are named with their shapes', () => {
    const outputs = [info('logits', 1, 1000)];
    expect(() => chooseParser({ outputs, net: net640() })).toThrow(/logits \[1, 1000\] float32; name one with/);
    expect(() => chooseParser({ requested: 'yolov8', outputs: [info('o', 1, 300, 6)], net: net640() })).toThrow(
      /'yolov8' cannot read .* o \[1, 300, 6\] float32; 'end-to-end' would/,
    );
  });

  test('no name is used twice, every parser says where its layout comes from', () => {
    const names = OUTPUT_PARSERS.flatMap(({ name, aliases }) => [name, ...aliases]);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
    for (const { source } of OUTPUT_PARSERS) expect(source).toMatch(/\//);
  });
});
