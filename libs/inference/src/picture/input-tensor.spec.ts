import { describe, expect, test } from '@jest/globals';
import { parseInferConfig, type InferSpec } from '@vantage/deepstream';
import type { FrameRequest } from '../frame-port.ts';
import { toHalf } from './half.ts';
import { InputTensor, type InputTensorOptions } from './input-tensor.ts';
import { readMeanFile } from './mean-file.ts';
import type { PictureInput } from './picture-input.ts';

const RGB: PictureInput = {
  name: 'in',
  type: 'float32',
  layout: 'NCHW',
  channels: 3,
  width: 2,
  height: 2,
  batch: 'open',
};

function inferOf(...properties: string[]): InferSpec {
  return parseInferConfig(`[property]\nonnx-file=m.onnx\n${properties.join('\n')}\n`, 'test.txt').spec;
}

function tensorOf(input: Partial<PictureInput>, properties: string[], own: Partial<InputTensorOptions> = {}) {
  const options = {
    input: { ...RGB, ...input },
    infer: inferOf(...properties),
    padValue: 0,
    isTextLine: false,
    slots: 1,
  };
  return new InputTensor({ ...options, ...own });
}

/** Planes of green, blue, red. */
function picture(width: number, height: number, gbr: readonly (readonly number[])[]): Omit<FrameRequest, 'id'> {
  const pixels = Uint8Array.from(gbr.flat()).buffer;
  return { pixels, pictureWidth: width, pictureHeight: height, view: { left: 0, top: 0, width, height } };
}

const SQUARE = picture(2, 2, [
  [10, 11, 12, 13],
  [20, 21, 22, 23],
  [30, 31, 32, 33],
]);

function numbers(tensor: InputTensor, count = 1): number[] {
  return Array.from(tensor.feed(count).data as ArrayLike<number>);
}

describe('InputTensor', () => {
  test.each([
    ['RGB planes', {}, [], [30, 31, 32, 33, 10, 11, 12, 13, 20, 21, 22, 23]],
    ['BGR planes', {}, ['model-color-format=1'], [20, 21, 22, 23, 10, 11, 12, 13, 30, 31, 32, 33]],
    ['RGB interleaved', { layout: 'NHWC' }, [], [30, 10, 20, 31, 11, 21, 32, 12, 22, 33, 13, 23]],
    ['one channel', { channels: 1 }, ['model-color-format=2'], [17, 18, 19, 20]],
    ['bytes', { type: 'uint8' }, [], [30, 31, 32, 33, 10, 11, 12, 13, 20, 21, 22, 23]],
    [
      'signed bytes',
      { type: 'int8' },
      ['offsets=128;128;128'],
      [30, 31, 32, 33, 10, 11, 12, 13, 20, 21, 22, 23].map((x) => x - 128),
    ],
    [
      'half precision',
      { type: 'float16' },
      ['net-scale-factor=0.5'],
      [30, 31, 32, 33, 10, 11, 12, 13, 20, 21, 22, 23].map((x) => toHalf(x / 2)),
    ],
    ['scale and offsets', {}, ['net-scale-factor=2', 'offsets=30;10;20'], [0, 2, 4, 6, 0, 2, 4, 6, 0, 2, 4, 6]],
  ] as const)('%s', (_what, input, properties, expected) => {
    const tensor = tensorOf(input, [...properties]);
    tensor.write(0, SQUARE);
    expect(numbers(tensor)).toEqual(expected);
  });

  test.each([
    [{}, [1, 3, 2, 2]],
    [{ layout: 'NHWC' }, [1, 2, 2, 3]],
    [{ batch: 'none' }, [3, 2, 2]],
  ] as const)('the shape of %j', (input, dims) => {
    expect(tensorOf(input, []).feed(1).dims).toEqual(dims);
  });

  test('letterboxed: the rest has the padding, normalised; in the middle where that is asked for', () => {
    const wide = picture(4, 2, [[1, 1, 3, 3, 1, 1, 3, 3], Array<number>(8).fill(5), Array<number>(8).fill(7)]);
    const below = tensorOf({}, ['maintain-aspect-ratio=1', 'net-scale-factor=2'], { padValue: 114 });
    below.write(0, wide);
    expect(numbers(below)).toEqual([14, 14, 228, 228, 2, 6, 228, 228, 10, 10, 228, 228]);
    const symmetric = ['maintain-aspect-ratio=1', 'symmetric-padding=1'];
    const middle = tensorOf({ width: 2, height: 3 }, symmetric, { padValue: 9 });
    middle.write(0, wide);
    expect(numbers(middle).slice(0, 6)).toEqual([9, 9, 7, 7, 9, 9]);
  });

  test('the padding is written again when another shape was there before', () => {
    const tensor = tensorOf({}, ['maintain-aspect-ratio=1']);
    tensor.write(0, SQUARE);
    tensor.write(0, picture(4, 2, [Array<number>(8).fill(1), Array<number>(8).fill(2), Array<number>(8).fill(3)]));
    expect(numbers(tensor)).toEqual([3, 3, 0, 0, 1, 1, 0, 0, 2, 2, 0, 0]);
  });

  test('a line of text keeps its height; room to the right is zero after normalisation', () => {
    const line = tensorOf({ width: 4 }, ['maintain-aspect-ratio=1', 'offsets=5;5;5', 'net-scale-factor=2'], {
      isTextLine: true,
      padValue: undefined,
    });
    line.write(0, SQUARE);
    expect(numbers(line).slice(0, 8)).toEqual([50, 52, 0, 0, 54, 56, 0, 0]);
  });

  test('regions are cut out at whole pixels, scaled, and placed in the frame', () => {
    const gradient = Array.from({ length: 16 }, (_, i) => (i % 4) * 10);
    const frame = picture(4, 4, [gradient, gradient, gradient]);
    const tensor = tensorOf({}, [], { slots: 3 });
    const view = { left: 100, top: 50, width: 8, height: 8 };
    const placement = tensor.write(0, { ...frame, view }, { left: 104.5, top: 50, width: 3, height: 8 });
    expect(placement).toMatchObject({ left: 104, top: 50, fit: { sourceWidth: 4, sourceHeight: 8, scaleX: 0.5 } });
    expect(numbers(tensor).slice(0, 4)).toEqual([20, 30, 20, 30]);
    expect(tensor.write(1, { ...frame, view }, { left: 0, top: 0, width: 50, height: 50 })).toBeUndefined();
    expect(tensor.write(1, { ...frame, view }, { left: NaN, top: 0, width: 1, height: 1 })).toBeUndefined();
    tensor.write(1, { ...frame, view }, { left: 90, top: 40, width: 100, height: 100 });
    expect(numbers(tensor, 2).slice(12, 16)).toEqual([5, 25, 5, 25]);
  });

  test.each([
    [1, [5, 25, 5, 25]],
    [0, [10, 30, 10, 30]],
  ])('scaling-filter=%d', (filter, expected) => {
    const gradient = Array.from({ length: 16 }, (_, i) => (i % 4) * 10);
    const tensor = tensorOf({}, [`scaling-filter=${filter}`]);
    tensor.write(0, picture(4, 4, [gradient, gradient, gradient]));
    expect(numbers(tensor).slice(0, 4)).toEqual(expected);
  });

  test('a mean for each pixel', () => {
    const file = Buffer.concat([
      Buffer.from('P6 # made by hand\n2 2\n255\n'),
      Buffer.from(Array.from({ length: 12 }, (_, i) => i)),
    ]);
    const tensor = tensorOf({}, [], { mean: readMeanFile(file, 'mean.ppm', 2, 2) });
    tensor.write(0, SQUARE);
    expect(numbers(tensor)).toEqual([30, 28, 26, 24, 9, 7, 5, 3, 18, 16, 14, 12]);
  });

  test.each([
    ['P5 2 2 255\n', /no binary PPM/],
    ['P6 2 2 65535\n', /no binary PPM/],
    ['P6 4 2 255\n', /4x2 pixels, the network takes 2x2/],
    ['P6 2 2 255\nabc', /ends too early/],
    ['', /no binary PPM/],
  ])('a mean file %j is refused', (text, reason) => {
    expect(() => readMeanFile(Buffer.from(text), 'mean.ppm', 2, 2)).toThrow(reason);
  });

  test('fewer pixels than the size says are an error', () => {
    expect(() => tensorOf({}, []).write(0, { ...SQUARE, pictureWidth: 3 })).toThrow(/needs 18 bytes, there are 12/);
  });
});

test.each([
  [0, 0],
  [1, 0x3c00],
  [-2, 0xc000],
  [65504, 0x7bff],
  [65520, 0x7c00],
  [2 ** -24, 1],
  [0.1, 0x2e66],
  [1 + 2 ** -11, 0x3c00],
])('%d as half precision', (value, bits) => {
  expect(toHalf(value)).toBe(bits);
});
