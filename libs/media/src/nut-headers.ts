import { nutInvalid } from './errors.ts';
import type { NutCursor } from './nut-cursor.ts';
import { NUT_FLAG, type NutStream, type NutTimeBase } from './nut-format.ts';

const MAX_STREAMS = 64;
const MAX_CODEC_DATA_BYTES = 1 << 20;

/** What one byte in front of a frame stands for. */
export interface NutFrameCode {
  flags: number;
  streamId: number;
  sizeMul: number;
  sizeLsb: number;
  ptsDelta: number;
  reservedCount: number;
  headerIndex: number;
}

export interface NutMainHeader {
  readonly streamCount: number;
  readonly maxDistance: number;
  readonly timeBases: readonly NutTimeBase[];
  readonly frameCodes: readonly NutFrameCode[];
  /** Bytes that frames may leave out at their start; entry 0 is empty. */
  readonly elisionHeaders: readonly Uint8Array[];
  /** Bit 1: syncpoints carry the time of transmission. */
  readonly mainFlags: number;
}

/** Parses the body of a main header. @throws MEDIA_NUT_INVALID */
export function parseMainHeader(cursor: NutCursor): NutMainHeader {
  const version = cursor.v();
  if (version < 2 || version > 4) throw nutInvalid(`NUT version ${version} is not known`);
  if (version > 3) cursor.v();
  const streamCount = cursor.v();
  if (streamCount < 1 || streamCount > MAX_STREAMS) throw nutInvalid(`${streamCount} streams`);
  const maxDistance = cursor.v();
  const timeBaseCount = cursor.v();
  if (timeBaseCount < 1 || timeBaseCount > MAX_STREAMS) throw nutInvalid(`${timeBaseCount} time bases`);
  const timeBases: NutTimeBase[] = [];
  for (let i = 0; i < timeBaseCount; i++) {
    const num = cursor.v();
    const den = cursor.v();
    if (num < 1 || den < 1 || num >= 2 ** 31 || den >= 2 ** 31) throw nutInvalid('a time base is not a fraction');
    timeBases.push({ num, den });
  }
  const frameCodes = parseFrameCodes(cursor);
  const elisionHeaders: Uint8Array[] = [new Uint8Array(0)];
  const elisionCount = cursor.v();
  if (elisionCount > 127) throw nutInvalid(`${elisionCount} elision headers`);
  for (let i = 0; i < elisionCount; i++) elisionHeaders.push(cursor.vb(255));
  const mainFlags = version > 3 && cursor.position < cursor.end ? cursor.v() : 0;
  if (cursor.short) throw nutInvalid('the main header is too short');
  return { streamCount, maxDistance, timeBases, frameCodes, elisionHeaders, mainFlags };
}

function parseFrameCodes(cursor: NutCursor): NutFrameCode[] {
  const codes: NutFrameCode[] = [];
  let ptsDelta = 0;
  let sizeMul = 1;
  let streamId = 0;
  let headerIndex = 0;
  while (codes.length < 256) {
    const flags = cursor.v();
    let fields = cursor.v();
    if (fields > 0) ptsDelta = cursor.s();
    if (fields > 1) sizeMul = cursor.v();
    if (fields > 2) streamId = cursor.v();
    const sizeLsb = fields > 3 ? cursor.v() : 0;
    const reservedCount = fields > 4 ? cursor.v() : 0;
    const count = fields > 5 ? cursor.v() : sizeMul - sizeLsb;
    if (fields > 6) cursor.s();
    if (fields > 7) headerIndex = cursor.v();
    for (; fields > 8 && !cursor.short; fields--) cursor.v();
    if (cursor.short) throw nutInvalid('the frame code table is too short');
    if (count <= 0 || codes.length + count > 256) throw nutInvalid('the frame code table overflows');
    for (let j = 0; j < count && codes.length < 256; j++) {
      // 'N' starts a start code, so it never starts a frame.
      if (codes.length === 0x4e) {
        codes.push({
          flags: NUT_FLAG.invalid,
          streamId: 0,
          sizeMul: 1,
          sizeLsb: 0,
          ptsDelta: 0,
          reservedCount: 0,
          headerIndex: 0,
        });
        j--;
        continue;
      }
      codes.push({ flags, streamId, sizeMul, sizeLsb: sizeLsb + j, ptsDelta, reservedCount, headerIndex });
    }
  }
  return codes;
}

/** Parses the body of a stream header. @throws MEDIA_NUT_INVALID */
export function parseStreamHeader(cursor: NutCursor, main: NutMainHeader): NutStream {
  const id = cursor.v();
  const streamClass = cursor.v();
  const fourcc = cursor.vb(16);
  const timeBase = main.timeBases[cursor.v()];
  const msbPtsShift = cursor.v();
  const maxPtsDistance = cursor.v();
  const decodeDelay = cursor.v();
  cursor.v();
  const codecData = cursor.vb(MAX_CODEC_DATA_BYTES);
  let width = 0;
  let height = 0;
  if (streamClass === 0) {
    width = cursor.v();
    height = cursor.v();
  }
  if (cursor.short) throw nutInvalid('a stream header is too short');
  if (id >= main.streamCount) throw nutInvalid(`stream ${id} was not announced`);
  if (timeBase === undefined) throw nutInvalid('a stream names an unknown time base');
  if (msbPtsShift > 16) throw nutInvalid('msb_pts_shift is above 16');
  if (decodeDelay > 1000) throw nutInvalid('the decode delay is above 1000 frames');
  return {
    id,
    streamClass,
    fourcc,
    timeBase,
    msbPtsShift,
    maxPtsDistance,
    decodeDelay,
    codecData,
    width,
    height,
  };
}
