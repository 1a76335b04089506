/** Between NAL units of a byte stream (ITU-T H.264 and H.265, annex B). */
const START_CODE = Buffer.from([0, 0, 1]);

/** True for NAL units behind start codes, false for those behind lengths. Enough of a codec's data or a frame to tell. */
export function isAnnexB(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes[1] === 0 && (bytes[2] === 1 || (bytes[2] === 0 && bytes[3] === 1));
}

/** The NAL units of a byte stream, without start codes and without the zeros behind them. */
export function splitAnnexB(bytes: Uint8Array): Uint8Array[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const units: Uint8Array[] = [];
  let start = buffer.indexOf(START_CODE);
  while (start >= 0) {
    const from = start + 3;
    start = buffer.indexOf(START_CODE, from);
    let to = start < 0 ? buffer.length : start;
    while (to > from && buffer[to - 1] === 0) to -= 1;
    if (to > from) units.push(buffer.subarray(from, to));
  }
  return units;
}

/** The NAL units behind lengths of `lengthBytes`; those that are not whole are left out. */
export function splitLengths(bytes: Uint8Array, lengthBytes: number): Uint8Array[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const units: Uint8Array[] = [];
  for (let at = 0; at + lengthBytes <= buffer.length;) {
    const length = buffer.readUIntBE(at, lengthBytes);
    at += lengthBytes;
    if (at + length > buffer.length) break;
    if (length > 0) units.push(buffer.subarray(at, at + length));
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
