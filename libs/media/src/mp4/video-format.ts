import {
  isAnnexB,
  isDelimiter,
  isParameterSet,
  joinLengths,
  nalCodecOf,
  readCodecConfiguration,
  splitFrame,
  type NalCodec,
} from '../nal-units.ts';
import type { NutStream } from '../nut-format.ts';
import { NutReader } from '../nut-reader.ts';
import { box, u16, u32 } from './boxes.ts';
import { h264 } from './h264.ts';
import { h265 } from './h265.ts';

export interface ParameterSets {
  /** NAL units, without start codes. */
  readonly units: readonly Uint8Array[];
  /** What goes into avcC or hvcC. */
  readonly configuration: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** What differs between codecs. */
export interface CodecRules {
  readonly codec: NalCodec;
  readonly sampleEntry: 'avc1' | 'hvc1';
  /** Undefined where they are not complete. */
  parameterSets(units: readonly Uint8Array[]): ParameterSets | undefined;
  /** As RFC 6381 has it. */
  codecName(configuration: Uint8Array): string;
  configurationBox(configuration: Uint8Array): Uint8Array;
}

const RULES: Readonly<Record<NalCodec, CodecRules>> = { h264, hevc: h265 };

/** How the frames of one stream are kept in MP4. */
export class VideoFormat {
  /** `avc1.64001f` */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** How many frames the order of presentation lags behind that of decoding; 0 where that is not known. */
  readonly decodeDelay: number;
  readonly #rules: CodecRules;
  readonly #configuration: Uint8Array;
  readonly #known: readonly Uint8Array[];
  readonly #lengthBytes: number;

  /**
   * @param header of the stream, as `VideoSource.onHeader` gives it
   * @param firstKey payload of its first key frame; what it says of itself goes before what the header says
   * @returns undefined for a codec that it does not know, or one whose parameters are nowhere
   */
  static of(header: Uint8Array, firstKey?: Uint8Array): VideoFormat | undefined {
    const stream = streamOf(header);
    const known = stream && nalCodecOf(stream.fourcc);
    if (!known) return undefined;
    const rules = RULES[known];
    const { codecData } = stream;
    // avcC and hvcC start with version 1.
    if (codecData[0] === 1 && codecData.length >= 7) {
      const { parameterSets: units, lengthSize: lengthBytes } = readCodecConfiguration(known, codecData);
      const inBand = parameterSetsOf(rules, firstKey, lengthBytes);
      if (!inBand || inBand.units.every((unit) => has(units, unit))) {
        const { width, height } = stream;
        return new VideoFormat(rules, stream, lengthBytes, { units, configuration: codecData, width, height });
      }
      return lengthBytes === 4 ? new VideoFormat(rules, stream, lengthBytes, inBand) : undefined;
    }
    const sets = parameterSetsOf(rules, firstKey, 0) ?? parameterSetsOf(rules, codecData, 0);
    return sets && new VideoFormat(rules, stream, 0, sets);
  }

  private constructor(rules: CodecRules, stream: NutStream, lengthBytes: number, sets: ParameterSets) {
    this.#rules = rules;
    this.#lengthBytes = lengthBytes;
    this.#configuration = sets.configuration;
    this.#known = sets.units;
    this.codec = rules.codecName(sets.configuration);
    this.width = sets.width > 0 ? sets.width : stream.width;
    this.height = sets.height > 0 ? sets.height : stream.height;
    this.decodeDelay = stream.decodeDelay;
  }

  /** False for a key frame that brings other parameters: with it another stream begins. */
  fits(payload: Uint8Array): boolean {
    const sets = splitFrame(payload, this.#lengthBytes).filter((unit) => isParameterSet(this.#rules.codec, unit));
    return sets.every((unit) => has(this.#known, unit));
  }

  /** A frame as MP4 has it: NAL units behind lengths, without what every one of them would repeat. May be `payload` itself. */
  toSample(payload: Uint8Array): Uint8Array {
    if (this.#lengthBytes > 0) return payload;
    const { codec } = this.#rules;
    return joinLengths(
      splitFrame(payload, 0).filter((unit) =>
        isParameterSet(codec, unit) ? !has(this.#known, unit) : !isDelimiter(codec, unit),
      ),
    );
  }

  /** `avc1` or `hvc1` of `stsd` (ISO/IEC 14496-12, 12.1.3): square pixels, 72 dpi, 24 bits. */
  sampleEntry(): Uint8Array {
    return box(
      this.#rules.sampleEntry,
      ...[u32(0), u16(0, 1), new Uint8Array(16), u16(this.width, this.height), u32(0x480000, 0x480000, 0)],
      ...[u16(1), new Uint8Array(32), u16(24, 0xffff), this.#rules.configurationBox(this.#configuration)],
    );
  }
}

function parameterSetsOf(
  rules: CodecRules,
  bytes: Uint8Array | undefined,
  lengthBytes: number,
): ParameterSets | undefined {
  if (!bytes) return undefined;
  if (lengthBytes === 0 && !isAnnexB(bytes)) return undefined;
  return rules.parameterSets(splitFrame(bytes, lengthBytes).filter((unit) => isParameterSet(rules.codec, unit)));
}

function has(units: readonly Uint8Array[], unit: Uint8Array): boolean {
  return units.some((known) => Buffer.compare(known, unit) === 0);
}

function streamOf(header: Uint8Array): NutStream | undefined {
  let found: NutStream | undefined;
  const reader = new NutReader({
    onStreams: ([stream]) => (found = stream),
    allocate: () => undefined,
    onFrame: () => undefined,
  });
  reader.push(header);
  return found;
}
