import { describe, expect, test } from '@jest/globals';
import { MultipartReader } from '../../web/src/core/multipart.ts';

const part = (text: string): Buffer =>
  Buffer.from(`--picture\r\ncontent-type: image/jpeg\r\ncontent-length: ${text.length}\r\n\r\n${text}\r\n`);
const texts = (parts: readonly Uint8Array[]): string[] => parts.map((one) => Buffer.from(one).toString());

describe('pictures one after the other', () => {
  const pictures = ['one', '--picture\r\n\r\n', '', 'x'.repeat(3000)];
  const stream = Buffer.concat(pictures.map(part));

  test.each([1, 2, 7, 64, 5000])('in pieces of %i bytes', (size) => {
    const reader = new MultipartReader();
    const found: string[] = [];
    for (let at = 0; at < stream.length; at += size) found.push(...texts(reader.push(stream.subarray(at, at + size))));
    expect(found).toEqual(pictures);
  });

  test.each([
    ['no length', 'content-type: image/jpeg\r\n\r\n'],
    ['too large', 'content-length: 99999999\r\n\r\n'],
    ['no head', 'x'.repeat(2000)],
  ])('%s is refused', (_, text) => {
    expect(() => new MultipartReader().push(Buffer.from(text))).toThrow('no stream of pictures');
  });
});
