import { nalType, unescape } from '../nal-units.ts';
import { BitReader } from './bit-reader.ts';
import { box, u16 } from './boxes.ts';
import type { CodecRules, ParameterSets } from './video-format.ts';

const [VPS, SPS, PPS] = [32, 33, 34];
const typeOf = (unit: Uint8Array): number => nalType('hevc', unit);

/** What MP4 wants to know of H.265 (ITU-T H.265; ISO/IEC 14496-15, 8). */
export const h265: CodecRules = {
  codec: 'hevc',
  sampleEntry: 'hvc1',

  parameterSets(units): ParameterSets | undefined {
    const lists = [VPS, SPS, PPS].map((type) => units.filter((unit) => typeOf(unit) === type));
    const sps = lists[1]?.[0];
    if (!sps || sps.length < 16 || lists.some((list) => list.length === 0)) return undefined;
    const { width, height, ...facts } = readSps(sps);
    return { units: lists.flat(), width, height, configuration: hvcc(lists, facts) };
  },

  codecName: codecNameOf,
  configurationBox: (hvcC) => box('hvcC', hvcC),
};

/** ISO/IEC 14496-15, E.3: profile, compatibility (bits reversed), tier and level, constraints without their zeros. */
function codecNameOf(hvcC: Uint8Array): string {
  const profile = hvcC[1] ?? 0;
  const space = ['', 'A', 'B', 'C'][profile >> 6] ?? '';
  let compatibility = 0;
  for (let i = 0; i < 32; i++) {
    if (((hvcC[2 + (i >> 3)] ?? 0) >> (7 - (i & 7))) & 1) compatibility += 2 ** i;
  }
  const constraints = Array.from(hvcC.subarray(6, 12));
  while (constraints.at(-1) === 0) constraints.pop();
  return [
    `hvc1.${space}${profile & 31}`,
    compatibility.toString(16).toUpperCase(),
    `${profile & 32 ? 'H' : 'L'}${hvcC[12] ?? 0}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ].join('.');
}

interface SpsFacts {
  /** The twelve bytes of profile, tier and level. */
  readonly profile: Uint8Array;
  readonly chroma: number;
  readonly lumaBits: number;
  readonly chromaBits: number;
  readonly layers: number;
  readonly nested: boolean;
}

/** ISO/IEC 14496-15, 8.3.3.1; what is not known (segmentation, parallelism, frame rate) is 0. */
function hvcc(lists: readonly (readonly Uint8Array[])[], facts: SpsFacts): Uint8Array {
  const { profile, chroma, lumaBits, chromaBits, layers, nested } = facts;
  return Buffer.concat([
    ...[Uint8Array.of(1), profile, u16(0xf000), Uint8Array.of(0xfc, 0xfc | chroma)],
    Uint8Array.of(0xf8 | (lumaBits - 8), 0xf8 | (chromaBits - 8), 0, 0, (layers << 3) | (nested ? 4 : 0) | 3),
    Uint8Array.of(lists.length),
    ...lists.flatMap((units) => [
      Uint8Array.of(0x80 | typeOf(units[0] ?? new Uint8Array(1))),
      u16(units.length),
      ...units.flatMap((unit) => [u16(unit.length), unit]),
    ]),
  ]);
}

/** Sequence parameter set (7.3.2.2), as far as the depth of its colours. */
function readSps(unit: Uint8Array): SpsFacts & { readonly width: number; readonly height: number } {
  const bytes = unescape(unit);
  const bits = new BitReader(bytes, 2);
  bits.skip(4);
  const subLayers = bits.bits(3);
  const nested = bits.flag();
  const profile = bytes.slice(3, 15);
  bits.skip(96);
  skipSubLayers(bits, subLayers);
  bits.unsigned();
  const chroma = Math.min(3, bits.unsigned());
  const separate = chroma === 3 && bits.flag();
  const [across, down] = [bits.unsigned(), bits.unsigned()];
  const window = bits.flag() ? Array.from({ length: 4 }, () => bits.unsigned()) : [0, 0, 0, 0];
  const [left = 0, right = 0, top = 0, bottom = 0] = window;
  const lumaBits = 8 + Math.min(7, bits.unsigned());
  const chromaBits = 8 + Math.min(7, bits.unsigned());
  const width = across - (left + right) * (!separate && (chroma === 1 || chroma === 2) ? 2 : 1);
  const height = down - (top + bottom) * (!separate && chroma === 1 ? 2 : 1);
  return { profile, width, height, chroma, lumaBits, chromaBits, layers: subLayers + 1, nested };
}

/** The rest of `profile_tier_level` (7.3.3). */
function skipSubLayers(bits: BitReader, subLayers: number): void {
  const present = Array.from({ length: subLayers }, () => ({ profile: bits.flag(), level: bits.flag() }));
  if (subLayers > 0) bits.skip(2 * (8 - subLayers));
  for (const { profile, level } of present) bits.skip((profile ? 88 : 0) + (level ? 8 : 0));
}
