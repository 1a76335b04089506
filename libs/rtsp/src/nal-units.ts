/** NAL units out of what containers hold: ITU-T H.264 / H.265 Annex B, and ISO/IEC 14496-15 (avcC, hvcC). */

export type NalCodec = 'h264' | 'hevc';

export interface CodecConfiguration {
  /** Bytes of the length in front of each NAL unit; 0 for start codes. */
  readonly lengthSize: number;
  /** VPS (H.265 only), SPS and PPS, in that order. */
  readonly parameterSets: readonly Uint8Array[];
}

/** Reads avcC, hvcC, or parameter sets behind start codes. */
export function readCodecConfiguration(codec: NalCodec, data: Uint8Array): CodecConfiguration {
  if (data.length < 7 || (data[0] === 0 && data[1] === 0)) {
    const sets = splitStartCodes(data).filter((nal) => isParameterSet(codec, nal));
    return { lengthSize: 0, parameterSets: sets };
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

/** The NAL units of one frame; views into `frame`. Damaged lengths end the list early. */
export function splitFrame(frame: Uint8Array, lengthSize: number): Uint8Array[] {
  if (lengthSize === 0) return splitStartCodes(frame);
  const units: Uint8Array[] = [];
  for (let position = 0; position + lengthSize < frame.length;) {
    let length = 0;
    for (let i = 0; i < lengthSize; i++) length = length * 256 + (frame[position + i] ?? 0);
    const start = position + lengthSize;
    position = start + length;
    if (length === 0 || position > frame.length) break;
    units.push(frame.subarray(start, position));
  }
  return units;
}

function splitStartCodes(data: Uint8Array): Uint8Array[] {
  const units: Uint8Array[] = [];
  let start = -1;
  for (let i = 0; i + 2 < data.length; i++) {
    if (data[i] !== 0 || data[i + 1] !== 0 || data[i + 2] !== 1) continue;
    if (start >= 0) units.push(trimZeros(data.subarray(start, i)));
    start = i + 3;
    i += 2;
  }
  if (start >= 0) units.push(trimZeros(data.subarray(start)));
  return units.filter((unit) => unit.length > 0);
}

/** Zeros before a start code belong to it. */
function trimZeros(unit: Uint8Array): Uint8Array {
  let end = unit.length;
  while (end > 0 && unit[end - 1] === 0) end--;
  return unit.subarray(0, end);
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

/** Access unit delimiters carry nothing a client of ours needs. */
export function isDelimiter(codec: NalCodec, nal: Uint8Array): boolean {
  return nalType(codec, nal) === (codec === 'h264' ? 9 : 35);
}
