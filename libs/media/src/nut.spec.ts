import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NutReader } from './nut-reader.ts';
import { allocateNutPacket, writeNutHeader } from './nut-writer.ts';
import { ticksToUs, type NutStream } from './nut-format.ts';

const STREAM: NutStream = {
  id: 0,
  streamClass: 0,
  fourcc: Buffer.from('H264'),
  timeBase: { num: 1, den: 1_000_000 },
  msbPtsShift: 7,
  maxPtsDistance: 0,
  decodeDelay: 2,
  codecData: Uint8Array.of(1, 2, 3),
  width: 640,
  height: 360,
};

interface Read {
  ptsUs: number;
  key: boolean;
  data: number[];
}

function read(bytes: Uint8Array, cuts: number[] = []): { streams: NutStream[]; frames: Read[]; reader: NutReader } {
  const frames: Read[] = [];
  let streams: NutStream[] = [];
  const reader = new NutReader(
    {
      onStreams: (found) => (streams = [...found]),
      allocate: (frame) => new Uint8Array(frame.sizeBytes),
      onFrame: (frame, data) => frames.push({ ptsUs: frame.pts, key: frame.key, data: [...data] }),
    },
    1 << 20,
  );
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    if (cut <= from) continue;
    expect(reader.push(bytes.subarray(from, cut))).toBe(Math.min(cut, bytes.length) - from);
    from = cut;
  }
  return { streams, frames, reader };
}

function write(frames: readonly Read[]): Uint8Array {
  const parts: Uint8Array[] = [writeNutHeader(STREAM)];
  for (const { ptsUs, key, data } of frames) {
    const { packet, payload } = allocateNutPacket(ptsUs, key, data.length);
    payload.set(data);
    parts.push(packet);
  }
  return Buffer.concat(parts);
}

const frame = fc.record({
  ptsUs: fc.integer({ min: 0, max: 2 ** 46 }),
  key: fc.boolean(),
  data: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 400 }),
});

describe('NUT', () => {
  test('reads back what was written, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(4000), { maxLength: 30 }), (frames, cuts) => {
        const bytes = write(frames);
        const result = read(
          bytes,
          cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b),
        );
        expect(result.frames).toEqual(frames);
        expect(result.streams[0]).toMatchObject({ width: 640, height: 360, decodeDelay: 2 });
        expect([...result.streams[0]!.codecData]).toEqual([1, 2, 3]);
        result.reader.end();
      }),
      { numRuns: 150 },
    );
  });

  test('reads back what was written byte by byte', () => {
    const frames = [{ ptsUs: 40_000, key: true, data: [1, 2, 3] }];
    const bytes = write(frames);
    expect(read(bytes, [...bytes.keys()]).frames).toEqual(frames);
  });

  test('a cut stream ends with an error, unless the cut is between two frames', () => {
    const whole = write([
      { ptsUs: 0, key: true, data: [1, 2, 3, 4] },
      { ptsUs: 40_000, key: false, data: [5, 6] },
    ]);
    for (let length = 1; length < whole.length; length++) {
      const { reader, frames } = read(whole.subarray(0, length));
      let error: unknown;
      try {
        reader.end();
      } catch (thrown) {
        error = thrown;
      }
      if (error === undefined) expect(frames.length).toBeLessThanOrEqual(1);
      else expect(error).toMatchObject({ code: 'MEDIA_NUT_TRUNCATED' });
    }
  });

  test('changed bytes give an error or other frames, never anything else', () => {
    const good = write([
      { ptsUs: 0, key: true, data: [1, 2, 3, 4] },
      { ptsUs: 40_000, key: false, data: [5, 6] },
    ]);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 5 }),
        (changes) => {
          const bad = good.slice();
          for (const [at, value] of changes) bad[at] = value;
          try {
            read(bad);
          } catch (error) {
            expect(error).toMatchObject({ code: 'MEDIA_NUT_INVALID' });
          }
        },
      ),
      { numRuns: 800 },
    );
  });

  test('garbage is refused at once and ever after', () => {
    const reader = new NutReader({ onStreams: () => 0, allocate: () => undefined, onFrame: () => 0 });
    expect(() => reader.push(Buffer.from('<!doctype html><html><body>'))).toThrow('not a NUT stream');
    expect(() => reader.push(Buffer.from('more'))).toThrow('not a NUT stream');
  });

  test('a frame above the limit is refused before anything is allocated', () => {
    const { packet } = allocateNutPacket(0, true, (1 << 20) + 1);
    expect(() => read(Buffer.concat([writeNutHeader(STREAM), packet.subarray(0, 60)]))).toThrow('above the limit');
  });

  test('pause returns the rest unread', () => {
    const bytes = write([
      { ptsUs: 0, key: true, data: [1] },
      { ptsUs: 1, key: true, data: [2] },
    ]);
    const seen: number[] = [];
    const reader: NutReader = new NutReader({
      onStreams: () => undefined,
      allocate: (next) => new Uint8Array(next.sizeBytes),
      onFrame: (_, data) => {
        seen.push(data[0]!);
        reader.pause();
      },
    });
    const used = reader.push(bytes);
    expect(seen).toEqual([1]);
    expect(reader.push(bytes.subarray(used))).toBe(bytes.length - used);
    expect(seen).toEqual([1, 2]);
  });

  test.each([
    [1001, { num: 1001, den: 24000 }, 41_750_041],
    [-3, { num: 1, den: 90000 }, -34],
    [2 ** 40, { num: 1, den: 90000 }, 12_216_795_864_177],
  ])('%d ticks of %j are %d us', (ticks, timeBase, us) => {
    expect(ticksToUs(ticks, timeBase)).toBe(us);
  });
});
