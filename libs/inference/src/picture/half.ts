const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);

/** The nearest IEEE half precision number (ties to even), as its 16 bits. Beyond 65504 it is infinity. */
export function toHalf(value: number): number {
  FLOAT[0] = value;
  const bits = BITS[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rebased = magnitude - 0x38000000;
    return sign | ((rebased + 0x0fff + ((rebased >>> 13) & 1)) >>> 13);
  }
  // Below the least normal number steps are 2^-24: adding 0.5 lets the float unit do the rounding.
  BITS[0] = magnitude;
  FLOAT[0] += 0.5;
  return sign | (BITS[0] - 0x3f000000);
}
