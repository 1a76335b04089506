import { nalType, unescape } from '../nal-units.ts';
import { BitReader } from './bit-reader.ts';
import { box, u16 } from './boxes.ts';
import type { CodecRules, ParameterSets } from './video-format.ts';

const SPS = 7;
const PPS = 8;
/** Profiles whose SPS says more of the picture (7.3.2.1.1). */
const HIGH = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** What MP4 wants to know of H.264 (ITU-T H.264; ISO/IEC 14496-15, 5). */
export const h264: CodecRules = {
  codec: 'h264',
  sampleEntry: 'avc1',

  parameterSets(units): ParameterSets | undefined {
    const sps = units.filter((unit) => nalType('h264', unit) === SPS);
    const pps = units.filter((unit) => nalType('h264', unit) === PPS);
    const [first] = sps;
    if (!first || first.length < 4 || pps.length === 0) return undefined;
    return { units: [...sps, ...pps], ...readSps(first), configuration: avcc(sps, pps) };
  },

  codecName: (avcC) => `avc1.${Buffer.from(avcC.subarray(1, 4)).toString('hex')}`,
  configurationBox: (avcC) => box('avcC', avcC),
};

function avcc(sps: readonly Uint8Array[], pps: readonly Uint8Array[]): Uint8Array {
  const first = sps[0] ?? new Uint8Array(4);
  const list = (units: readonly Uint8Array[]): Uint8Array[] => units.flatMap((unit) => [u16(unit.length), unit]);
  const parts = [
    ...[Uint8Array.of(1, first[1] ?? 0, first[2] ?? 0, first[3] ?? 0, 0xff, 0xe0 | sps.length), ...list(sps)],
    ...[Uint8Array.of(pps.length), ...list(pps)],
  ];
  // Only a decoder of the high profiles reads on; what it would find is in the SPS, too.
  if (!HIGH.has(first[1] ?? 0)) return Buffer.concat(parts);
  const { chroma, lumaBits, chromaBits } = readSps(first);
  return Buffer.concat([...parts, Uint8Array.of(0xfc | chroma, 0xf8 | (lumaBits - 8), 0xf8 | (chromaBits - 8), 0)]);
}

interface Sps {
  readonly width: number;
  readonly height: number;
  readonly chroma: number;
  readonly lumaBits: number;
  readonly chromaBits: number;
}

/** Sequence parameter set (7.3.2.1.1), as far as the size of the picture. */
function readSps(unit: Uint8Array): Sps {
  const bits = new BitReader(unescape(unit), 1);
  const profile = bits.bits(8);
  bits.skip(16);
  bits.unsigned();
  let [chroma, lumaBits, chromaBits, separate] = [1, 8, 8, false];
  if (HIGH.has(profile)) {
    chroma = Math.min(3, bits.unsigned());
    separate = chroma === 3 && bits.flag();
    lumaBits = 8 + Math.min(6, bits.unsigned());
    chromaBits = 8 + Math.min(6, bits.unsigned());
    bits.skip(1);
    if (bits.flag()) skipScalingLists(bits, chroma === 3 ? 12 : 8);
  }
  bits.unsigned();
  skipPictureOrder(bits);
  bits.unsigned();
  bits.skip(1);
  const across = 16 * (bits.unsigned() + 1);
  const mapUnits = bits.unsigned() + 1;
  const frames = bits.flag();
  if (!frames) bits.skip(1);
  bits.skip(1);
  const crop = bits.flag() ? Array.from({ length: 4 }, () => bits.unsigned()) : [0, 0, 0, 0];
  const [left = 0, right = 0, top = 0, bottom = 0] = crop;
  const halfWidth = !separate && (chroma === 1 || chroma === 2) ? 2 : 1;
  const halfHeight = (!separate && chroma === 1 ? 2 : 1) * (frames ? 1 : 2);
  const width = across - (left + right) * halfWidth;
  const height = 16 * mapUnits * (frames ? 1 : 2) - (top + bottom) * halfHeight;
  return { width, height, chroma, lumaBits, chromaBits };
}

function skipPictureOrder(bits: BitReader): void {
  const type = bits.unsigned();
  if (type === 0) bits.unsigned();
  if (type !== 1) return;
  bits.skip(1);
  bits.signed();
  bits.signed();
  for (let left = Math.min(255, bits.unsigned()); left > 0; left--) bits.signed();
}

function skipScalingLists(bits: BitReader, lists: number): void {
  for (let list = 0; list < lists; list++) {
    if (!bits.flag()) continue;
    let [last, next] = [8, 8];
    for (let left = list < 6 ? 16 : 64; left > 0; left--) {
      if (next !== 0) next = (last + bits.signed() + 256) % 256;
      last = next === 0 ? last : next;
    }
  }
}
