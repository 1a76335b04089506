import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { decodePicture, encodePicture } from './encoding.ts';
import { downscale, fittedSize, fromSharp, toSharp } from './pixels.ts';

const SIZE = { width: 16, height: 8 } as const;
const BLUE = { ...SIZE, colorFormat: 'BGR', pixels: filled([255, 0, 0]) } as const;

function filled(pixel: readonly number[]): Buffer {
  return Buffer.from(Array.from({ length: SIZE.width * SIZE.height }, () => pixel).flat());
}

describe('pictures on their way', () => {
  test('a blue JPEG stays blue, at the size of the frame', async () => {
    const file = Buffer.from(await encodePicture(BLUE, 'jpeg'));
    expect(file.subarray(0, 2).toString('hex')).toBe('ffd8');
    expect(await sharp(file).metadata()).toMatchObject({ ...SIZE, format: 'jpeg', channels: 3 });
    const { pixels, ...facts } = await decodePicture(file, 'jpeg', { ...SIZE, colorFormat: 'BGR' });
    expect(facts).toEqual({ ...SIZE, colorFormat: 'BGR' });
    const [blue, green, red] = [...pixels];
    expect(blue).toBeGreaterThan(245);
    expect(green).toBeLessThan(10);
    expect(red).toBeLessThan(10);
  });

  test('a frame in RGB travels as BGR in every encoding', async () => {
    const rgb = { ...SIZE, colorFormat: 'RGB', pixels: filled([0, 0, 255]) } as const;
    for (const encoding of ['numpy', 'bmp', 'jpeg'] as const) {
      const bytes = Buffer.from(await encodePicture(rgb, encoding));
      const { pixels } = await decodePicture(bytes, encoding, { ...SIZE, colorFormat: 'BGR' });
      expect(pixels[0]).toBeGreaterThan(245);
      expect(pixels[2]).toBeLessThan(10);
    }
  });

  test('numpy in BGR is the same bytes, not a copy of them', async () => {
    expect(await encodePicture(BLUE, 'numpy')).toBe(BLUE.pixels);
    expect((await decodePicture(BLUE.pixels, 'numpy', { ...SIZE, colorFormat: 'BGR' })).pixels).toBe(BLUE.pixels);
  });

  test('a grey JPEG has three channels afterwards', async () => {
    const grey = await sharp(Buffer.alloc(64, 100), { raw: { width: 8, height: 8, channels: 1 } })
      .jpeg()
      .toBuffer();
    const { pixels } = await decodePicture(grey, 'jpeg', { width: 8, height: 8, colorFormat: 'BGR' });
    expect(pixels).toHaveLength(8 * 8 * 3);
  });

  test.each([
    ['numpy of another size', 'numpy', Buffer.alloc(5), '5 bytes are not a numpy picture of 16x8; that has 384'],
    ['a BMP of another size', 'bmp', 'bmp', 'announced as 16x8'],
    ['a JPEG of another size', 'jpeg', 'jpeg', 'announced as 16x8'],
    ['a BMP that is a JPEG', 'bmp', 'jpeg', 'no BMP file'],
    ['a JPEG that is nothing', 'jpeg', Buffer.from('hello'), 'no JPEG file'],
    ['a JPEG of two bytes', 'jpeg', Buffer.from('ffd8', 'hex'), 'cannot be decoded'],
  ] as const)('%s is refused', async (_name, encoding, what, reason) => {
    const small = { width: 4, height: 4, colorFormat: 'BGR', pixels: Buffer.alloc(48) } as const;
    const bytes = Buffer.isBuffer(what) ? what : Buffer.from(await encodePicture(small, what));
    await expect(decodePicture(bytes, encoding, { ...SIZE, colorFormat: 'BGR' })).rejects.toMatchObject({
      code: 'CUSTOM_NODE_IMAGE_INVALID',
      message: expect.stringContaining(reason) as unknown as string,
    });
  });

  test.each([
    [0, 0],
    [1, 0],
    [1.5, 2],
    [NaN, 1],
    [-4, 4],
    [1e9, 1],
    [32_768, 32_768],
  ])('a picture of %d x %d is refused', async (width, height) => {
    await expect(decodePicture(Buffer.alloc(12), 'numpy', { width, height, colorFormat: 'BGR' })).rejects.toMatchObject(
      {
        code: 'CUSTOM_NODE_IMAGE_INVALID',
      },
    );
  });

  test('sharp sees the colours, and gives them back', async () => {
    const flipped = await fromSharp(toSharp(BLUE).flop());
    expect(flipped).toEqual(BLUE);
    expect(() => toSharp(SIZE as never)).toThrow('no pixels');
  });

  test('a grey picture of sharp becomes one of three equal channels', async () => {
    const { pixels, ...facts } = await fromSharp(toSharp(BLUE).greyscale());
    expect(facts).toEqual({ width: BLUE.width, height: BLUE.height, colorFormat: 'BGR' });
    expect(pixels.length).toBe(BLUE.pixels.length);
    expect(new Set(pixels).size).toBe(1);
  });

  test('smaller in proportion, colours in their order', async () => {
    expect(fittedSize({ width: 1920, height: 1080 }, { width: 1280, height: 720 })).toEqual({
      width: 1280,
      height: 720,
    });
    expect(fittedSize({ width: 1000, height: 2000 }, { width: 1280, height: 720 })).toEqual({
      width: 360,
      height: 720,
    });
    expect(fittedSize(SIZE, { width: 16, height: 8 })).toEqual(SIZE);
    expect(fittedSize({ width: 10_000, height: 1 }, { width: 100, height: 100 })).toEqual({ width: 100, height: 1 });
    const small = await downscale(BLUE, { width: 8, height: 4 });
    expect(small).toMatchObject({ width: 8, height: 4, colorFormat: 'BGR' });
    expect([...small.pixels.subarray(0, 3)]).toEqual([255, 0, 0]);
  });
});
