import { unexpectedOutput } from './errors.ts';
import type { TensorData } from './parsers/types.ts';

/**
 * Outputs of any element type as 32-bit floats: half precision (which ONNX Runtime gives as 16-bit patterns where the
 * JavaScript engine has no `Float16Array`), doubles, integers, and quantised integers with scale and zero point.
 */

let halves: Float32Array | undefined;

/** All 65,536 half precision numbers: one look-up each instead of taking bits apart. Made on first use, 256 KiB. */
function halfTable(): Float32Array {
  if (halves !== undefined) return halves;
  const table = new Float32Array(65_536);
  for (let bits = 0; bits < 65_536; bits += 1) table[bits] = halfToFloat(bits);
  halves = table;
  return table;
}

/** IEEE 754 binary16. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Elements that `dims` stand for. */
export function elementCount(dims: readonly number[]): number {
  let count = 1;
  for (const dim of dims) count *= dim;
  return count;
}

/**
 * The elements of a tensor as floats: its own memory when it holds floats already, else `scratch` when that is large
 * enough, else a new array.
 *
 * @throws VantageError `MODEL_OUTPUT_UNEXPECTED` when it holds fewer elements than its shape says
 */
export function asFloats(tensor: TensorData, scratch?: Float32Array): Float32Array {
  const { data, dims, name, quantisation, type } = tensor;
  const count = elementCount(dims);
  if (!(data.length >= count)) {
    throw unexpectedOutput(`output ${name} [${dims.join(', ')}] should hold ${count} numbers, it has ${data.length}`);
  }
  if (data instanceof Float32Array && quantisation === undefined) return data;
  const out = scratch !== undefined && scratch.length >= count ? scratch : new Float32Array(count);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < count; i += 1) out[i] = Number(data[i]);
  } else if (data instanceof Uint16Array && type !== 'uint16' && quantisation === undefined) {
    const table = halfTable();
    for (let i = 0; i < count; i += 1) out[i] = table[data[i] as number] as number;
  } else if (quantisation !== undefined) {
    const { scale, zeroPoint } = quantisation;
    for (let i = 0; i < count; i += 1) out[i] = ((data[i] as number) - zeroPoint) * scale;
  } else {
    out.set(data.length === count ? data : data.subarray(0, count));
  }
  return out;
}

/** Makes floats of outputs again and again, frame by frame, in memory of its own. One for each worker. */
export class FloatTensors {
  readonly #scratch = new Map<number, Float32Array>();

  /**
   * Outputs with float data. Integer outputs (class ids, counts) stay as they are: parsers read them one by one.
   * What is returned is valid until the next call.
   */
  convert(tensors: readonly TensorData[]): readonly TensorData[] {
    if (tensors.every(isPlain)) return tensors;
    return tensors.map((tensor, index) => {
      if (isPlain(tensor)) return tensor;
      const count = elementCount(tensor.dims);
      let scratch = this.#scratch.get(index);
      if (scratch === undefined || scratch.length < count) {
        scratch = new Float32Array(count);
        this.#scratch.set(index, scratch);
      }
      return { name: tensor.name, dims: tensor.dims, data: asFloats(tensor, scratch) };
    });
  }
}

function isPlain({ data, quantisation, type }: TensorData): boolean {
  if (quantisation !== undefined || data instanceof Float64Array) return false;
  return !(data instanceof Uint16Array) || type === 'uint16';
}
