import { SharedFile } from '@vantage/shared-memory';
import { asFloats, elementCount, type TensorData } from '@vantage/vision';
import type { RequestHeader, WireType } from './wire.ts';

const ALIGNMENT = 64;
const MAX_BYTES = 512 * 1024 * 1024;

/**
 * The memory through which tensors reach a parser process: a file without a name that both sides hold open. The process maps
 * it privately, so one copy is made; a pipe makes two.
 */
export class TensorFile {
  readonly #file: SharedFile;
  #size = 0;

  private constructor(file: SharedFile) {
    this.#file = file;
  }

  /** @param folders where to try, best first */
  static open(folders?: readonly string[]): TensorFile {
    return new TensorFile(SharedFile.create({ prefix: 'vantage-parser-', ...(folders ? { folders } : {}) }));
  }

  /** For the other process to inherit. */
  get fd(): number {
    return this.#file.fd;
  }

  /**
   * Writes the outputs one after the other. Blocks for the time of a memory copy, about 3 ms for 8.5 MB.
   *
   * @throws Error when they are too large or shared memory is short
   */
  write(id: number, tensors: readonly TensorData[]): RequestHeader {
    let offset = 0;
    const entries = tensors.map((tensor) => {
      const dims = withoutBatch(tensor.dims);
      const converted = toWire(tensor);
      if (converted === undefined) return { name: tensor.name, type: null, dims, offset };
      const { data, type } = converted;
      const entry = { name: tensor.name, type, dims, offset };
      const end = offset + data.byteLength;
      if (end > MAX_BYTES) throw new Error(`the outputs are larger than ${MAX_BYTES / 1024 / 1024} MiB`);
      this.#file.write(data, offset);
      offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
      return entry;
    });
    // A mapping must not reach over the end of the file. It never shrinks: a parser may still look at the last picture.
    if (offset > this.#size) {
      this.#file.resize(offset);
      this.#size = offset;
    }
    return { id, bytes: offset, tensors: entries };
  }

  close(): void {
    this.#file.close();
  }
}

/** DeepStream's layers have no batch dimension; a tensor of rank 1 keeps its only one, as there. */
function withoutBatch(dims: readonly number[]): readonly number[] {
  return dims.length > 1 && dims[0] === 1 ? dims.slice(1) : dims;
}

/**
 * The three element types that the parser API knows. Halves, doubles and quantised numbers become float32, other
 * integers int32 (clamped); undefined for what is not a number.
 */
function toWire(tensor: TensorData): { data: Float32Array | Int8Array | Int32Array; type: WireType } | undefined {
  const { data, dims, quantisation, type } = tensor;
  if (!ArrayBuffer.isView(data)) return undefined;
  const count = elementCount(dims);
  const isHalf = data instanceof Uint16Array && type !== 'uint16';
  if (quantisation !== undefined || data instanceof Float32Array || data instanceof Float64Array || isHalf) {
    return { data: asFloats(tensor).subarray(0, count), type: 'float32' };
  }
  if (data.length < count) {
    throw new Error(`output ${tensor.name} [${dims.join(', ')}] holds ${data.length} numbers instead of ${count}`);
  }
  if (data instanceof Int8Array) return { data: data.subarray(0, count), type: 'int8' };
  if (data instanceof Int32Array) return { data: data.subarray(0, count), type: 'int32' };
  const integers = new Int32Array(count);
  for (let i = 0; i < count; i += 1) {
    integers[i] = Math.max(-2_147_483_648, Math.min(2_147_483_647, Number(data[i])));
  }
  return { data: integers, type: 'int32' };
}
