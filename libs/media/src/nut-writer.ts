import { NUT_FILE_ID, NUT_FLAG, NUT_STARTCODE, nutChecksum, type NutStream } from './nut-format.ts';

/**
 * Writes the NUT streams that `ClipWriter` feeds to ffmpeg: one video stream, time base one microsecond, and a
 * syncpoint before every frame, so that the header followed by the packets from any keyframe on is a whole stream.
 */

const MSB_PTS_SHIFT = 7;
/** FFmpeg refuses streams whose syncpoints are further apart than this, and larger values than 65536. */
const MAX_DISTANCE = 65536;
/** The only frame code we use: everything is spelled out behind it. */
const FRAME_CODE = 1;
/** Startcode, size, key time, back pointer, checksum; frame code, flags, stream, time, size, checksum. */
const MAX_PREFIX_BYTES = 8 + 1 + 8 + 1 + 4 + (1 + 3 + 1 + 8 + 8 + 4);

class Bytes {
  readonly #bytes: Uint8Array;
  length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  u8(value: number): void {
    this.#bytes[this.length++] = value;
  }

  u32(value: number): void {
    for (const shift of [24, 16, 8, 0]) this.u8((value >>> shift) & 255);
  }

  v(value: number): void {
    let groups = 1;
    for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) groups++;
    for (let i = groups - 1; i > 0; i--) this.u8(128 | (Math.floor(value / 128 ** i) % 128));
    this.u8(value % 128);
  }

  put(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  checksum(from: number): void {
    this.u32(nutChecksum(this.#bytes, from, this.length));
  }

  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}

function putPacket(out: Bytes, startcode: { high: number; low: number }, body: Bytes): void {
  const start = out.length;
  out.u32(startcode.high);
  out.u32(startcode.low);
  const size = body.length + 4;
  out.v(size);
  if (size > 4096) out.checksum(start);
  const bodyStart = out.length;
  out.put(body.view());
  out.checksum(bodyStart);
}

/** The start of a stream like `stream`, but with times in microseconds. */
export function writeNutHeader(stream: NutStream): Uint8Array {
  const main = new Bytes(512);
  for (const value of [3, 1, MAX_DISTANCE, 1, 1, 1_000_000]) main.v(value);
  const frameCode = (flags: number, count: number): void => {
    // Six fields: no time delta, size multiplier 1, stream 0, size 0, nothing reserved, `count` codes.
    for (const value of [flags, 6, 0, 1, 0, 0, 0, count]) main.v(value);
  };
  frameCode(NUT_FLAG.invalid, FRAME_CODE);
  frameCode(NUT_FLAG.coded, 1);
  // 'N' takes one place of the table by itself and is not counted.
  frameCode(NUT_FLAG.invalid, 256 - FRAME_CODE - 1 - 1);
  main.v(0);

  const body = new Bytes(128 + stream.fourcc.length + stream.codecData.length);
  body.v(0);
  body.v(0);
  body.v(stream.fourcc.length);
  body.put(stream.fourcc);
  for (const value of [0, MSB_PTS_SHIFT, 10_000_000, stream.decodeDelay, 0, stream.codecData.length]) body.v(value);
  body.put(stream.codecData);
  for (const value of [stream.width, stream.height, 0, 0, 0]) body.v(value);

  const out = new Bytes(NUT_FILE_ID.length + main.length + body.length + 64);
  out.put(NUT_FILE_ID);
  putPacket(out, NUT_STARTCODE.main, main);
  putPacket(out, NUT_STARTCODE.stream, body);
  return out.view().slice();
}

/**
 * A packet with room for `sizeBytes` of payload behind its header: fill `payload`, then `packet` is complete.
 * `ptsUs` must not be negative.
 */
export function allocateNutPacket(
  ptsUs: number,
  key: boolean,
  sizeBytes: number,
): { packet: Uint8Array; payload: Uint8Array } {
  const prefix = nutPacketPrefix(ptsUs, key, sizeBytes);
  const packet = new Uint8Array(prefix.length + sizeBytes);
  packet.set(prefix);
  return { packet, payload: packet.subarray(prefix.length) };
}

/** The frame in a packet that `allocateNutPacket` made; its own bytes, nothing is copied. */
export function nutPayload(packet: Uint8Array): Uint8Array {
  // Behind the syncpoint (its size is one byte) come the frame's code, flags, time, size and checksum.
  let at = 8 + 1 + (packet[8] ?? 0) + 1;
  const number = (): number => {
    let value = 0;
    for (;;) {
      const byte = packet[at++] ?? 0;
      value = value * 128 + (byte & 127);
      if (byte < 128) return value;
    }
  };
  number();
  number();
  const sizeBytes = number();
  return packet.subarray(at + 4, at + 4 + sizeBytes);
}

/** What comes before the `sizeBytes` bytes of a frame. `ptsUs` must not be negative. */
export function nutPacketPrefix(ptsUs: number, key: boolean, sizeBytes: number): Uint8Array {
  const prefix = new Bytes(MAX_PREFIX_BYTES);
  const sync = new Bytes(16);
  sync.v(ptsUs);
  sync.v(0);
  putPacket(prefix, NUT_STARTCODE.syncpoint, sync);
  const frameStart = prefix.length;
  prefix.u8(FRAME_CODE);
  prefix.v(NUT_FLAG.codedPts | NUT_FLAG.sizeMsb | NUT_FLAG.checksum | (key ? NUT_FLAG.key : 0));
  prefix.v(ptsUs + 2 ** MSB_PTS_SHIFT);
  prefix.v(sizeBytes);
  prefix.checksum(frameStart);
  return prefix.view();
}
