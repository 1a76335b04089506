import { ascii, box, fullBox, u16, u32, u64 } from './boxes.ts';

/** Ticks of one second, for movie and track alike: times are microseconds. */
export const TIMESCALE = 1_000_000;
const TRACK = 1;
/** ISO 639-2 `und`, five bits a letter. */
const UNDETERMINED = 0x55c4;
const UNITY = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);

/** Flags of a sample (ISO/IEC 14496-12, 8.8.3.1): depends on no other one; depends on others and is no place to start. */
export const KEY_SAMPLE = 0x0200_0000;
export const OTHER_SAMPLE = 0x0101_0000;

/** What a track is, whatever is in it. */
export interface Track {
  /** A box of type `avc1`, `hvc1`, ... */
  readonly sampleEntry: Uint8Array;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** Frames of a whole file, in the order of decoding. */
export interface SampleTable {
  readonly sizes: readonly number[];
  /** Microseconds until the next one is decoded. */
  readonly durationsUs: readonly number[];
  /** Presentation minus decoding, microseconds; may be negative. */
  readonly offsetsUs: readonly number[];
  /** Indices of key frames. */
  readonly keys: readonly number[];
  /** Runs of frames that lie one behind the other in the file. */
  readonly chunks: readonly { readonly offset: number; readonly samples: number }[];
}

/** Brands of a file that may be fragmented, and of one that is not. */
export function fileType(): Uint8Array {
  return box('ftyp', ascii('isom'), u32(512), ascii('isomiso5iso6mp41'));
}

/** `moov` in front of fragments. */
export function fragmentedMovie(track: Track): Uint8Array {
  const none = [fullBox('stts', 0, 0, u32(0)), fullBox('stsc', 0, 0, u32(0)), fullBox('stsz', 0, 0, u32(0, 0))];
  const extends_ = box('mvex', fullBox('trex', 0, 0, u32(TRACK, 1, 0, 0, 0)));
  return box('moov', movieHeader(0), trackBox(track, 0, [...none, fullBox('stco', 0, 0, u32(0))]), extends_);
}

/** `moov` of a file whose frames are where `table` says. @param durationUs from the first to the end of the last one shown */
export function wholeMovie(track: Track, table: SampleTable, durationUs: number): Uint8Array {
  const { sizes, durationsUs, offsetsUs, keys, chunks } = table;
  const far = (chunks.at(-1)?.offset ?? 0) > 0xffff_ffff;
  const offsets = chunks.map(({ offset }) => offset);
  const runs = runsOf(chunks.map(({ samples }) => samples));
  let chunk = 1;
  const chunkRuns = runs.flatMap(({ value, count }) => {
    const first = chunk;
    chunk += count;
    return [first, value, 1];
  });
  const tables = [
    fullBox('stts', 0, 0, ...pairs(runsOf(durationsUs))),
    ...(offsetsUs.every((offset) => offset === 0) ? [] : [fullBox('ctts', 1, 0, ...pairs(runsOf(offsetsUs)))]),
    ...(keys.length === sizes.length ? [] : [fullBox('stss', 0, 0, u32(keys.length, ...keys.map((key) => key + 1)))]),
    fullBox('stsc', 0, 0, u32(runs.length, ...chunkRuns)),
    fullBox('stsz', 0, 0, u32(0, sizes.length, ...sizes)),
    far
      ? fullBox('co64', 0, 0, u32(offsets.length), u64(...offsets))
      : fullBox('stco', 0, 0, u32(offsets.length, ...offsets)),
  ];
  return box('moov', movieHeader(durationUs), trackBox(track, durationUs, tables));
}

/** A track's share of `moof` (8.8): one run of frames, and where its data begins. */
export interface FragmentSample {
  readonly sizeBytes: number;
  readonly durationUs: number;
  readonly offsetUs: number;
  readonly key: boolean;
}

/** `moof` and the head of the `mdat` that follows; the frames' data come behind it. */
export function fragmentHead(sequence: number, decodeUs: number, samples: readonly FragmentSample[]): Uint8Array {
  const fields = samples.flatMap(({ sizeBytes, durationUs, offsetUs, key }) => [
    ...[durationUs, sizeBytes, key ? KEY_SAMPLE : OTHER_SAMPLE, offsetUs],
  ]);
  // Type and size of moof, mfhd, traf, tfhd (base is moof), tfdt (64 bits), trun with its four fields a frame.
  const moofBytes = 8 + 16 + 8 + 16 + 20 + 20 + 4 * fields.length;
  const run = fullBox('trun', 1, 0xf01, u32(samples.length, moofBytes + 8, ...fields));
  const track = box('traf', fullBox('tfhd', 0, 0x20000, u32(TRACK)), fullBox('tfdt', 1, 0, u64(decodeUs)), run);
  const moof = box('moof', fullBox('mfhd', 0, 0, u32(sequence)), track);
  const dataBytes = samples.reduce((sum, { sizeBytes }) => sum + sizeBytes, 8);
  return Buffer.concat([moof, u32(dataBytes), ascii('mdat')]);
}

function movieHeader(durationUs: number): Uint8Array {
  const times = [u64(0, 0), u32(TIMESCALE), u64(durationUs)];
  return fullBox('mvhd', 1, 0, ...times, u32(0x10000, 0x0100_0000, 0, 0), UNITY, u32(0, 0, 0, 0, 0, 0, TRACK + 1));
}

function trackBox(track: Track, durationUs: number, tables: readonly Uint8Array[]): Uint8Array {
  const { width, height, sampleEntry } = track;
  const head = [u64(0, 0), u32(TRACK, 0), u64(durationUs), u32(0, 0, 0, 0), UNITY, u32(width << 16, height << 16)];
  const media = fullBox('mdhd', 1, 0, u64(0, 0), u32(TIMESCALE), u64(durationUs), u16(UNDETERMINED, 0));
  const handler = fullBox('hdlr', 0, 0, u32(0), ascii('vide'), u32(0, 0, 0), ascii('Vantage\0'));
  const data = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)));
  const samples = box('stbl', fullBox('stsd', 0, 0, u32(1), sampleEntry), ...tables);
  const information = box('minf', fullBox('vmhd', 0, 1, u16(0, 0, 0, 0)), data, samples);
  return box('trak', fullBox('tkhd', 1, 3, ...head), box('mdia', media, handler, information));
}

function runsOf(values: readonly number[]): { value: number; count: number }[] {
  const runs: { value: number; count: number }[] = [];
  for (const value of values) {
    const last = runs.at(-1);
    if (last?.value === value) last.count += 1;
    else runs.push({ value, count: 1 });
  }
  return runs;
}

function pairs(runs: readonly { value: number; count: number }[]): Uint8Array[] {
  return [u32(runs.length, ...runs.flatMap(({ value, count }) => [count, value]))];
}
