import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FrameReader, MAX_HEADER_BYTES, encodeFrame } from './wire.ts';

function withRows(header: object, rows: readonly number[]): Buffer {
  const frame = encodeFrame(header);
  frame.writeUInt32LE(rows.length * 8, 4);
  return Buffer.concat([frame, Buffer.from(Float64Array.from(rows).buffer)]);
}

describe('FrameReader', () => {
  test('puts frames together however they are cut', () => {
    const six = fc.array(fc.double({ noNaN: true }), { minLength: 6, maxLength: 6 });
    const cuts = fc.array(fc.nat(200), { maxLength: 5 });
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.array(six, { maxLength: 3 }),
        cuts,
        (header, rows, at) => {
          const reader = new FrameReader();
          const bytes = withRows(header, rows.flat());
          const places = [0, ...at.filter((place) => place < bytes.length).sort((a, b) => a - b), bytes.length];
          const frames = places.slice(1).map((end, i) => reader.push(bytes.subarray(places[i], end)));
          expect(frames.slice(0, -1).every((frame) => frame === undefined)).toBe(true);
          expect(JSON.stringify(frames.at(-1)?.header)).toBe(JSON.stringify(header));
          expect([...frames.at(-1)!.rows]).toEqual(rows.flat());
        },
      ),
      { numRuns: 100 },
    );
  });

  test.each([
    ['a header that is too long', lengths(MAX_HEADER_BYTES + 1, 0)],
    ['too many rows', lengths(2, 48 * 16_385)],
    ['half a row', lengths(2, 47)],
    ['no JSON', Buffer.concat([lengths(2, 0), Buffer.from('{x')])],
    ['no object', Buffer.concat([lengths(2, 0), Buffer.from('[]')])],
    ['more than one answer', Buffer.concat([encodeFrame({}), encodeFrame({})])],
  ])('refuses %s', (_name, bytes) => {
    expect(() => new FrameReader().push(bytes)).toThrow();
  });
});

function lengths(header: number, rows: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(header, 0);
  bytes.writeUInt32LE(rows, 4);
  return bytes;
}
