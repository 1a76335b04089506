import { describe, expect, test } from '@jest/globals';
import { PicturePool } from './shared-picture.ts';

const view = { left: 0, top: 0, width: 8, height: 8 };

describe('PicturePool', () => {
  /** 4 pixels go by words, 3 by bytes. */
  test.each([
    [2, 2],
    [3, 1],
    [5, 4],
  ])('planes to packed and back: %i x %i', (width, height) => {
    const pool = new PicturePool();
    const pixels = width * height;
    const buffer = pool.take(3 * pixels);
    const planes = new Uint8Array(buffer);
    for (let i = 0; i < 3 * pixels; i += 1) planes[i] = (i * 37 + 11) & 0xff;
    const expected = Array.from({ length: pixels }, (_, i) => [planes[pixels + i], planes[i], planes[2 * pixels + i]]);
    const picture = pool.fromPlanes(buffer, width, height, view);
    expect([...picture.packed()]).toEqual(expected.flat());
    expect(picture.packed()).toBe(picture.packed());
    const target = new Uint8Array(3 * pixels + 1);
    picture.packInto(target.subarray(1));
    expect([...target]).toEqual([0, ...expected.flat()]);

    const theirs = picture.packed().slice();
    const answered = pool.fromPacked(theirs, width, height, view);
    theirs.fill(0);
    expect([...answered.planes()]).toEqual([...planes]);
  });

  test('the memory goes to the next picture after the last release, and not before', () => {
    const pool = new PicturePool();
    const buffer = pool.take(12);
    const picture = pool.fromPlanes(buffer, 2, 2, view);
    const packed = picture.packed();
    picture.retain();
    picture.release();
    expect(pool.take(12)).not.toBe(buffer);
    picture.release();
    picture.release();
    const next = pool.take(12);
    expect(next).toBe(buffer);
    expect(pool.take(12)).not.toBe(buffer);
    expect(pool.fromPlanes(next, 2, 2, view).packed().buffer).toBe(packed.buffer);
  });
});
