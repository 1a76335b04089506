import type { TensorData } from '@vantage/vision';

type Elements = TensorData['data'];

const ARRAYS: Readonly<Record<string, new (length: number) => Elements>> = {
  float32: Float32Array,
  float64: Float64Array,
  /** Half precision as 16-bit patterns. */
  float16: Uint16Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

/** Memory for outputs that is used again for each run; what it gave is overwritten by the next run. */
export class TensorMemory {
  readonly #arrays = new Map<string, Elements>();

  /**
   * An array of exactly `length` elements.
   *
   * @throws Error for a type that has no typed array
   */
  take(name: string, type: string, length: number): Elements {
    const kept = this.#arrays.get(name);
    const ArrayType = ARRAYS[type];
    if (ArrayType === undefined) throw new Error(`output ${name} holds ${type}, which nobody here can read`);
    if (kept?.length === length && kept instanceof ArrayType) return kept;
    const made = new ArrayType(length);
    this.#arrays.set(name, made);
    return made;
  }
}
