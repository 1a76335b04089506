import { describe, expect, test } from '@jest/globals';
import {
  isAnnexB,
  isDelimiter,
  isParameterSet,
  joinLengths,
  nalCodecOf,
  readCodecConfiguration,
  splitFrame,
  unescape,
} from './nal-units.ts';

describe('NAL units', () => {
  test.each([
    [
      'start codes',
      [0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0],
      0,
      [
        [0x67, 1],
        [0x68, 2],
      ],
    ],
    ['start codes, and nothing between two of them', [0, 0, 1, 0, 0, 1, 9], 0, [[9]]],
    ['what has no start code', [1, 2, 3], 0, []],
    ['lengths, the last one of a unit that is not whole', [0, 2, 9, 8, 0, 1, 7, 0, 200, 1], 2, [[9, 8], [7]]],
    ['lengths, one of them 0', [0, 0, 0, 0, 0, 0, 0, 1, 5], 4, [[5]]],
    ['nothing', [], 4, []],
  ])('come out of %s', (_name, bytes, lengthSize, units) => {
    expect(splitFrame(Uint8Array.from(bytes), lengthSize).map((unit) => [...unit])).toEqual(units);
  });

  test('behind lengths are the same again', () => {
    const units = [Uint8Array.of(0x65, 1, 2), Uint8Array.of(0x41)];
    const joined = joinLengths(units);
    expect([...joined]).toEqual([0, 0, 0, 3, 0x65, 1, 2, 0, 0, 0, 1, 0x41]);
    expect(isAnnexB(joined)).toBe(false);
    expect(splitFrame(joined, 4).map((unit) => [...unit])).toEqual(units.map((unit) => [...unit]));
  });

  test('without the bytes that keep start codes out of them', () => {
    expect([...unescape(Uint8Array.of(0x67, 0, 0, 3, 1, 0, 0, 3, 3, 3))]).toEqual([0x67, 0, 0, 1, 0, 0, 3, 3]);
  });

  test.each([
    ['h264', [0x67, 0x68], [0x09], [0x65, 0x41]],
    ['hevc', [0x40, 0x42, 0x44], [0x46], [0x26, 0x02]],
  ] as const)('of %s are told apart', (codec, sets, delimiters, pictures) => {
    const kinds = (types: readonly number[]): boolean[][] =>
      types.map((type) => [isParameterSet(codec, Uint8Array.of(type, 1)), isDelimiter(codec, Uint8Array.of(type, 1))]);
    expect(kinds(sets)).toEqual(sets.map(() => [true, false]));
    expect(kinds(delimiters)).toEqual([[false, true]]);
    expect(kinds(pictures)).toEqual(pictures.map(() => [false, false]));
  });
});

describe('a codec', () => {
  test.each([
    ['avc1', 'h264'],
    ['H264', 'h264'],
    ['hev1', 'hevc'],
    ['VP90', undefined],
  ])('that a container calls %s is %s', (fourcc, codec) => expect(nalCodecOf(Buffer.from(fourcc))).toBe(codec));

  test('gives its parameter sets in avcC', () => {
    const avcC = Uint8Array.of(1, 66, 0, 30, 0xff, 0xe1, 0, 2, 0x67, 5, 1, 0, 1, 0x68);
    expect(readCodecConfiguration('h264', avcC)).toEqual({
      lengthSize: 4,
      parameterSets: [Uint8Array.of(0x67, 5), Uint8Array.of(0x68)],
    });
    expect(readCodecConfiguration('h264', avcC.subarray(0, 9)).parameterSets).toEqual([]);
  });

  test('gives its parameter sets in hvcC, and nothing else that is in there', () => {
    const hvcC = new Uint8Array(23);
    hvcC.set([1]);
    hvcC.set([0xfd, 2], 21);
    const arrays = [0xa0, 0, 1, 0, 2, 0x40, 1, 0xa7, 0, 1, 0, 1, 0x4e];
    expect(readCodecConfiguration('hevc', Uint8Array.of(...hvcC, ...arrays))).toEqual({
      lengthSize: 2,
      parameterSets: [Uint8Array.of(0x40, 1)],
    });
  });

  test('gives its parameter sets behind start codes', () => {
    const bytes = Uint8Array.of(0, 0, 0, 1, 9, 16, 0, 0, 1, 0x67, 5, 0, 0, 1, 0x68);
    expect(readCodecConfiguration('h264', bytes)).toEqual({
      lengthSize: 0,
      parameterSets: [Uint8Array.of(0x67, 5), Uint8Array.of(0x68)],
    });
  });
});
