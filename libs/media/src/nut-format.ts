/**
 * Constants and numbers of the NUT container, shared by the reader and the writer.
 * Contract: the "NUT Open Container Format" text in FFmpeg's documentation, version 3.
 */

/** The 25 bytes every NUT stream starts with. */
export const NUT_FILE_ID = new TextEncoder().encode('nut/multimedia container\0');

/** Start codes, as the big-endian pair of 32-bit words they are on the wire. */
export const NUT_STARTCODE = {
  main: { high: 0x4e4d7a56, low: 0x1f5f04ad },
  stream: { high: 0x4e531140, low: 0x5bf2f9db },
  syncpoint: { high: 0x4e4be4ad, low: 0xeeca4569 },
} as const;

export const NUT_FLAG = {
  key: 1,
  codedPts: 8,
  streamId: 16,
  sizeMsb: 32,
  checksum: 64,
  reserved: 128,
  sideData: 256,
  headerIndex: 1024,
  matchTime: 2048,
  coded: 4096,
  invalid: 8192,
} as const;

const CRC_TABLE = ((): Uint32Array => {
  const table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    let crc = i << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
    table[i] = crc >>> 0;
  }
  return table;
})();

/** NUT's checksum: polynomial 0x04C11DB7, most significant bit first, start 0, no final inversion. */
export function nutChecksum(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0;
  for (let i = from; i < to; i++) crc = ((crc << 8) ^ (CRC_TABLE[((crc >>> 24) ^ (bytes[i] ?? 0)) & 255] ?? 0)) >>> 0;
  return crc;
}

/** A time base: one tick is `num / den` seconds. */
export interface NutTimeBase {
  readonly num: number;
  readonly den: number;
}

/** One stream of a NUT file. */
export interface NutStream {
  readonly id: number;
  /** 0 video, 1 audio, 2 subtitles, 3 user data. */
  readonly streamClass: number;
  readonly fourcc: Uint8Array;
  readonly timeBase: NutTimeBase;
  readonly msbPtsShift: number;
  readonly maxPtsDistance: number;
  /** How many frames the presentation order may lag behind the decoding order. */
  readonly decodeDelay: number;
  readonly codecData: Uint8Array;
  /** Pixels; 0 for a stream that is not video. */
  readonly width: number;
  readonly height: number;
}

/** Ticks to whole microseconds, rounded down; exact for any tick count below 2^53 / num. */
export function ticksToUs(ticks: number, timeBase: NutTimeBase): number {
  const scaled = ticks * timeBase.num;
  const seconds = Math.floor(scaled / timeBase.den);
  return seconds * 1e6 + Math.floor(((scaled - seconds * timeBase.den) * 1e6) / timeBase.den);
}
