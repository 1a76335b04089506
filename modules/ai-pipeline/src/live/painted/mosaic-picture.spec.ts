import { describe, expect, test } from '@jest/globals';
import {
  MOSAIC_BYTES,
  MOSAIC_HEIGHT,
  MOSAIC_WIDTH,
  clearMosaic,
  putNothing,
  putTile,
  tilesOf,
} from './mosaic-picture.ts';

const lumaOf = (data: Uint8Array, x: number, y: number): number => data[y * MOSAIC_WIDTH + x]!;
const chromaOf = (data: Uint8Array, x: number, y: number): number =>
  data[MOSAIC_WIDTH * MOSAIC_HEIGHT + (y >> 1) * (MOSAIC_WIDTH >> 1) + (x >> 1)]!;

describe('tiles', () => {
  test.each([
    [0, []],
    [1, [[0, 0, 1280, 720]]],
    [
      2,
      [
        [0, 0, 640, 720],
        [640, 0, 640, 720],
      ],
    ],
    [
      3,
      [
        [0, 0, 426, 720],
        [426, 0, 426, 720],
        [852, 0, 426, 720],
      ],
    ],
    [
      4,
      [
        [0, 0, 640, 360],
        [640, 0, 640, 360],
        [0, 360, 640, 360],
        [640, 360, 640, 360],
      ],
    ],
  ])('of %d cameras', (count, expected) => {
    expect(tilesOf(count).map(({ left, top, width, height }) => [left, top, width, height])).toEqual(expected);
  });

  test.each([5, 7, 16, 17, 100, 1000])('of %d cameras are in the picture, even, and none covers another', (count) => {
    const tiles = tilesOf(count);
    expect(tiles).toHaveLength(count);
    expect(new Set(tiles.map(({ left, top }) => `${left} ${top}`)).size).toBe(count);
    for (const { left, top, width, height } of tiles) {
      expect([left, top, width, height].every((side) => side % 2 === 0)).toBe(true);
      expect(left + width <= MOSAIC_WIDTH && top + height <= MOSAIC_HEIGHT && width > 0 && height > 0).toBe(true);
    }
  });
});

describe('a picture', () => {
  const data = new Uint8Array(MOSAIC_BYTES);

  test('stands in the middle of its tile, and nothing else changes', () => {
    clearMosaic(data);
    const [, tile] = tilesOf(4);
    const picture = { data: new Uint8Array((480 * 360 * 3) / 2).fill(200), width: 480, height: 360 };
    putTile(data, tile!, picture);
    const xs = [640, 719, 720, 1199, 1200];
    expect(xs.map((x) => lumaOf(data, x, 0))).toEqual([16, 16, 200, 200, 16]);
    expect(xs.map((x) => lumaOf(data, x, 359))).toEqual([16, 16, 200, 200, 16]);
    expect(xs.map((x) => chromaOf(data, x, 358))).toEqual([128, 128, 200, 200, 128]);
    expect([lumaOf(data, 800, 360), chromaOf(data, 800, 360), data.at(-1)]).toEqual([16, 128, 128]);
    expect(data.reduce((sum, value) => sum + (value === 200 ? 1 : 0), 0)).toBe(picture.data.length);
  });

  test('that is not there is dark, and says whose it is, however long the name', () => {
    clearMosaic(data);
    const tiles = tilesOf(16);
    putNothing(data, tiles[5]!, 'gate '.repeat(30));
    const row = (y: number): number[] => Array.from({ length: MOSAIC_WIDTH }, (_, x) => lumaOf(data, x, y));
    expect(Math.max(...row(250))).toBeGreaterThan(150);
    expect(
      row(200)
        .slice(330, 630)
        .every((value) => value > 30 && value < 60),
    ).toBe(true);
    expect([...row(250).slice(0, 320), ...row(250).slice(640)].every((value) => value === 16)).toBe(true);
  });
});
