/** NAL units out of what containers hold: ITU-T H.264 and H.265, annex B, and ISO/IEC 14496-15 (avcC, hvcC). */

/** Codecs whose frames are NAL units. */
export type NalCodec = 'h264' | 'hevc';

export interface CodecConfiguration {
  /** Bytes of the length in front of each NAL unit; 0 for start codes. */
  readonly lengthSize: number;
  /** VPS (H.265 only), SPS and PPS, in that order. */
  readonly parameterSets: readonly Uint8Array[];
}

const START_CODE = Buffer.from([0, 0, 1]);

const CODECS: Readonly<Record<string, NalCodec>> = {
  ...{ h264: 'h264', avc1: 'h264', avc3: 'h264', x264: 'h264', davc: 'h264' },
  ...{ hevc: 'hevc', hev1: 'hevc', hvc1: 'hevc', h265: 'hevc' },
};

/** Of the name that a container gives a codec, in any case; undefined for one without NAL units. */
export function nalCodecOf(fourcc: Uint8Array): NalCodec | undefined {
  return CODECS[Buffer.from(fourcc).toString('latin1').toLowerCase()];
}

/** Reads avcC, hvcC, or parameter sets behind start codes. Sets that are not whole are left out. */
export function readCodecConfiguration(codec: NalCodec, data: Uint8Array): CodecConfiguration {
  if (data.length < 7 || (data[0] === 0 && data[1] === 0)) {
    return { lengthSize: 0, parameterSets: splitAnnexB(data).filter((nal) => isParameterSet(codec, nal)) };
  }
  return codec === 'h264' ? readAvcC(data) : readHvcC(data);
}

function readAvcC(data: Uint8Array): CodecConfiguration {
  const parameterSets: Uint8Array[] = [];
  let position = 5;
  for (const mask of [0x1f, 0xff]) {
    const count = (data[position++] ?? 0) & mask;
    for (let i = 0; i < count; i++) position = takeSet(data, position, parameterSets);
  }
  return { lengthSize: ((data[4] ?? 3) & 3) + 1, parameterSets };
}

function readHvcC(data: Uint8Array): CodecConfiguration {
  const parameterSets: Uint8Array[] = [];
  let position = 23;
  const arrays = data[22] ?? 0;
  for (let array = 0; array < arrays; array++) {
    const type = (data[position] ?? 0) & 0x3f;
    const count = word(data, position + 1);
    position += 3;
    const kept = type >= 32 && type <= 34 ? parameterSets : [];
    for (let i = 0; i < count && position < data.length; i++) position = takeSet(data, position, kept);
  }
  return { lengthSize: ((data[21] ?? 3) & 3) + 1, parameterSets };
}

function takeSet(data: Uint8Array, position: number, sets: Uint8Array[]): number {
  const end = position + 2 + word(data, position);
  if (end <= data.length) sets.push(data.subarray(position + 2, end));
  return end;
}

function word(data: Uint8Array, position: number): number {
  return ((data[position] ?? 0) << 8) | (data[position + 1] ?? 0);
}

/** True for NAL units behind start codes, false for those behind lengths. Enough of a codec's data or a frame to tell. */
export function isAnnexB(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes[1] === 0 && (bytes[2] === 1 || (bytes[2] === 0 && bytes[3] === 1));
}

/**
 * The NAL units of one frame; views into `frame`. Those that are not whole are left out.
 *
 * @param lengthSize bytes of the length in front of each; 0 for start codes
 */
export function splitFrame(frame: Uint8Array, lengthSize: number): Uint8Array[] {
  return lengthSize === 0 ? splitAnnexB(frame) : splitLengths(frame, lengthSize);
}

/** Without start codes and without the zeros behind units, which belong to the next start code. */
function splitAnnexB(bytes: Uint8Array): Uint8Array[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const units: Uint8Array[] = [];
  let start = buffer.indexOf(START_CODE);
  while (start >= 0) {
    const from = start + 3;
    start = buffer.indexOf(START_CODE, from);
    let to = start < 0 ? buffer.length : start;
    while (to > from && buffer[to - 1] === 0) to -= 1;
    if (to > from) units.push(bytes.subarray(from, to));
  }
  return units;
}

function splitLengths(bytes: Uint8Array, lengthSize: number): Uint8Array[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const units: Uint8Array[] = [];
  for (let at = 0; at + lengthSize <= buffer.length;) {
    const length = buffer.readUIntBE(at, lengthSize);
    at += lengthSize;
    if (at + length > buffer.length) break;
    if (length > 0) units.push(bytes.subarray(at, at + length));
    at += length;
  }
  return units;
}

/** NAL units behind lengths of four bytes. */
export function joinLengths(units: readonly Uint8Array[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(units.reduce((sum, unit) => sum + 4 + unit.length, 0));
  let at = 0;
  for (const unit of units) {
    bytes.writeUInt32BE(unit.length, at);
    bytes.set(unit, at + 4);
    at += 4 + unit.length;
  }
  return bytes;
}

export function nalType(codec: NalCodec, nal: Uint8Array): number {
  const first = nal[0] ?? 0;
  return codec === 'h264' ? first & 0x1f : (first >> 1) & 0x3f;
}

/** SPS or PPS of H.264; VPS, SPS or PPS of H.265. */
export function isParameterSet(codec: NalCodec, nal: Uint8Array): boolean {
  const type = nalType(codec, nal);
  return codec === 'h264' ? type === 7 || type === 8 : type >= 32 && type <= 34;
}

/** Access unit delimiters carry nothing that a container or a client of ours needs. */
export function isDelimiter(codec: NalCodec, nal: Uint8Array): boolean {
  return nalType(codec, nal) === (codec === 'h264' ? 9 : 35);
}

/** What is in a NAL unit, without the bytes that keep start codes out of it (H.264 7.4.1.1, H.265 7.4.2). */
export function unescape(unit: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(unit.length);
  let length = 0;
  let zeros = 0;
  for (const byte of unit) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}
