import { describe, expect, test } from '@jest/globals';
import { parseInferConfig } from '@vantage/deepstream';
import type { TensorInfo } from '@vantage/vision';
import { findPictureInput, otherInputs } from './picture-input.ts';

function inputs(...dims: number[][]): TensorInfo[] {
  return dims.map((own, index) => ({ name: `in${index}`, type: 'float32', dims: own }));
}

function inferOf(properties: string) {
  return parseInferConfig(`[property]\nonnx-file=m.onnx\n${properties}\n`, 'test.txt').spec;
}

describe('findPictureInput', () => {
  test.each([
    [[1, 3, 416, 320], '', { layout: 'NCHW', channels: 3, width: 320, height: 416, batch: 1 }],
    [[-1, 416, 320, 3], '', { layout: 'NHWC', channels: 3, width: 320, height: 416, batch: 'open' }],
    [[3, 416, 320], '', { layout: 'NCHW', batch: 'none' }],
    [[4, 1, 28, 28], '', { channels: 1, batch: 4 }],
    [[-1, 3, -1, -1], 'infer-dims=3;64;128', { width: 128, height: 64 }],
    [[-1, -1, -1, -1], 'infer-dims=3;64;128\nnetwork-input-order=1', { layout: 'NHWC', width: 128, height: 64 }],
    [[1, 3, 3, 3], 'network-input-order=1', { layout: 'NHWC' }],
  ])('%j with %j', (dims, properties, expected) => {
    expect(findPictureInput('m', inputs(dims), inferOf(properties))).toMatchObject(expected);
  });

  test.each([
    [[1, 10], '', 'MODEL_HAS_NO_PICTURE_INPUT', /in0 float32 \[1,10\]/],
    [[1, 4, 64, 64], '', 'MODEL_HAS_NO_PICTURE_INPUT', /\[1,4,64,64\]/],
    [[1, 3, -1, -1], '', 'NETWORK_SIZE_UNKNOWN', /infer-dims/],
    [[1, 3, 64, 64], 'infer-dims=3;32;32', 'NETWORK_SIZE_MISMATCH', /64x64/],
    [[1, 3, 64, 64], 'model-color-format=2', 'MODEL_CHANNELS_MISMATCH', /three channels/],
  ])('%j with %j is refused', (dims, properties, code, message) => {
    const find = () => findPictureInput('m', inputs(dims), inferOf(properties));
    expect(find).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });

  test('text and sequences are no pictures', () => {
    const text = { name: 'in', type: 'string', dims: [1, 3, 4, 4] };
    expect(() => findPictureInput('m', [text], inferOf(''))).toThrow(/in string \[1,3,4,4\]/);
    expect(() => findPictureInput('m', [], inferOf(''))).toThrow(/none/);
  });
});

describe('inputs besides the picture', () => {
  const picture = { name: 'images', type: 'float32', dims: [1, 3, 32, 64] };
  const find = (...others: TensorInfo[]) => {
    const all = [picture, ...others];
    return otherInputs('m', all, findPictureInput('m', all, inferOf('')));
  };

  test('detectors that undo the scaling are told that there was none', () => {
    expect(find()).toBeUndefined();
    const sizes = find({ name: 'orig_target_sizes', type: 'int64', dims: [-1, 2] });
    expect(sizes?.(2)).toEqual([
      { name: 'orig_target_sizes', type: 'int64', dims: [2, 2], data: BigInt64Array.of(64n, 32n, 64n, 32n) },
    ]);
    const paddle = find(
      { name: 'im_shape', type: 'float32', dims: [1, 2] },
      { name: 'scale_factor', type: 'float32', dims: [1, 2] },
    );
    expect(paddle?.(1).map(({ data }) => Array.from(data as Float32Array))).toEqual([
      [32, 64],
      [1, 1],
    ]);
  });

  test('others are refused by name', () => {
    expect(() => find({ name: 'prompt', type: 'int64', dims: [1, 77] })).toThrow(/prompt int64 \[1,77\]/);
  });
});
