import { expect, test } from '@jest/globals';
import { Canvas } from './canvas.ts';

const blank = (): Canvas => new Canvas(Buffer.alloc(20 * 16 * 3), 20, 16);
const lit = ({ pixels, width, height }: Canvas): string[] =>
  Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => ((pixels[(y * width + x) * 3] ?? 0) > 128 ? '#' : '.')).join(''),
  );

test('letters, on a bar that stays inside of the picture', () => {
  const canvas = blank();
  canvas.label('T1', -5, -5, 1, [255, 255, 255]);
  // Dark letters on a light bar of 13 by 10.
  expect(lit(canvas).slice(0, 10)).toEqual([
    '#############.......',
    '#.....###.###.......',
    '#.#.#.##..###.......',
    '###.#####.###.......',
    '###.#####.###.......',
    '###.#####.###.......',
    '###.#####.###.......',
    '###.####...##.......',
    '#############.......',
    '#############.......',
  ]);
});

test('frames and masks that leave the picture are cut off', () => {
  const canvas = blank();
  canvas.frame(-10, 4, 15, 100, 1, [255, 0, 0]);
  expect(lit(canvas)[4]).toBe('#####...............');
  expect(lit(canvas)[5]).toBe('....#...............');
  const masked = blank();
  masked.pixels.fill(200);
  masked.mask(
    { width: 2, height: 1, data: Uint8Array.of(255, 0) },
    { left: 0, top: 0, width: 40, height: 2 },
    [0, 0, 0],
  );
  expect(lit(masked)[0]).toBe('....................');
  expect(lit(masked)[2]).toBe('####################');
});
