import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeBmp, encodeBmp } from './bmp.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/** 2x2 pixels 00..0b, as OpenCV's grfmt_bmp.cpp writes them. */
const TWO_BY_TWO = hex(`
  424d 46000000 0000 0000 36000000
  28000000 02000000 02000000 0100 1800 00000000 00000000 00000000 00000000 00000000 00000000
  060708 090a0b 0000
  000102 030405 0000`);

describe('BMP', () => {
  test('is written as OpenCV writes it', () => {
    const pixels = hex('000102 030405 060708 090a0b');
    expect(encodeBmp(pixels, 2, 2, 'BGR').toString('hex')).toBe(TWO_BY_TWO.toString('hex'));
    expect(decodeBmp(TWO_BY_TWO)).toEqual({ width: 2, height: 2, colorFormat: 'BGR', pixels });
  });

  test('RGB is turned round', () => {
    expect(encodeBmp(hex('0000ff'), 1, 1, 'RGB').subarray(54).toString('hex')).toBe('ff000000');
  });

  test('any picture comes back as it was', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.infiniteStream(fc.nat(255)),
        (w, h, values) => {
          const pixels = Buffer.from([...values.take(w * h * 3)]);
          expect(decodeBmp(encodeBmp(pixels, w, h, 'BGR'))).toEqual({
            width: w,
            height: h,
            colorFormat: 'BGR',
            pixels,
          });
        },
      ),
      { numRuns: 50 },
    );
  });

  test('rows from the top, and four bytes a pixel, are read too', () => {
    const topDown = Buffer.from(TWO_BY_TWO);
    topDown.writeInt32LE(-2, 22);
    expect(decodeBmp(topDown).pixels.toString('hex')).toBe('060708090a0b000102030405');
    const wide = Buffer.concat([TWO_BY_TWO.subarray(0, 54), hex('010203ff 040506ff')]);
    wide.writeInt32LE(1, 22);
    wide.writeUInt16LE(32, 28);
    expect(decodeBmp(wide).pixels.toString('hex')).toBe('010203040506');
  });

  test.each([
    ['nothing', Buffer.alloc(0), 'no BMP file'],
    ['another file', Buffer.alloc(100), 'no BMP file'],
    ['a cut one', TWO_BY_TWO.subarray(0, 60), 'ends before'],
    ['no width', changed(18, 0), 'is not possible'],
    ['an absurd size', changed(18, 0x7fffffff), 'is not possible'],
    ['a negative width', changed(18, -2), 'is not possible'],
    ['the smallest height', changed(22, -0x80000000), 'is not possible'],
    ['pixels inside of the header', changed(10, 2), 'ends before'],
    ['pixels after the end', changed(10, 0x7fffffff), 'ends before'],
    ['compression', changed(30, 1), 'compression 1'],
    ['a palette', changed(28, 8), '8 bits'],
  ])('%s is refused', (_name, file, reason) => {
    expect(() => decodeBmp(file)).toThrow(
      expect.objectContaining({
        code: 'CUSTOM_NODE_IMAGE_INVALID',
        message: expect.stringContaining(reason) as unknown as string,
      }),
    );
  });
});

function changed(offset: number, value: number): Buffer {
  const file = Buffer.from(TWO_BY_TWO);
  file.writeInt32LE(value, offset);
  return file;
}
