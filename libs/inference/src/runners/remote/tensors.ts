import type { TensorData } from '@vantage/vision';
import type {
  InferTensorContents,
  ModelInferResponse,
  ModelInferResponse_InferOutputTensor,
} from '../../generated/open_inference.ts';
import type { TensorMemory } from '../tensor-memory.ts';

/** Datatypes of the protocol in the words of ONNX Runtime. `BYTES` and `BF16` have no numbers that anyone here reads. */
const TYPES: Readonly<Record<string, string>> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
};
const DATATYPES: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(TYPES).map(([a, b]) => [b, a]));

/** `FP32` -> `float32`; a type that is not known keeps its name. */
export function typeOf(datatype: string): string {
  return TYPES[datatype] ?? datatype;
}

/** @throws Error for a type that the protocol cannot carry */
export function datatypeOf({ name, type = 'float32' }: TensorData): string {
  const datatype = DATATYPES[type];
  if (datatype === undefined) throw new Error(`input ${name} holds ${type}, which cannot be sent`);
  return datatype;
}

/** A view on the bytes of a tensor. */
export function bytesOf({ data }: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * Outputs of an answer, in memory that is used again.
 *
 * @param key tells answers apart whose tensors are needed at the same time
 * @throws Error when an output does not hold what its shape says
 */
export function readOutputs(response: ModelInferResponse, memory: TensorMemory, key: string): TensorData[] {
  const raw = response.rawOutputContents;
  if (raw.length > 0 && raw.length !== response.outputs.length) {
    throw new Error(`the server sent ${raw.length} contents for ${response.outputs.length} outputs`);
  }
  return response.outputs.map((output, at) => readOutput(output, raw[at], memory, key));
}

function readOutput(
  { name, datatype, shape, contents }: ModelInferResponse_InferOutputTensor,
  raw: Uint8Array | undefined,
  memory: TensorMemory,
  key: string,
): TensorData {
  const type = typeOf(datatype);
  const dims = shape.map(Number);
  const count = dims.reduce((product, size) => product * size, 1);
  const wrong = (has: string): Error => new Error(`output ${name} ${datatype} [${dims.join(',')}] holds ${has}`);
  const held = raw?.byteLength ?? numbersOf(contents).length;
  // Checked before memory is taken: a wrong shape could ask for any amount of it.
  if (!Number.isSafeInteger(count) || count < 0 || count > held) throw wrong(`${held} bytes or numbers`);
  const data = memory.take(key + name, type, count);
  if (raw !== undefined) {
    if (raw.byteLength !== data.byteLength) throw wrong(`${raw.byteLength} bytes instead of ${data.byteLength}`);
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength).set(raw);
    return { name, type, dims, data };
  }
  const numbers = numbersOf(contents);
  if (numbers.length !== count) throw wrong(`${numbers.length} numbers instead of ${count}`);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < count; i += 1) data[i] = BigInt(numbers[i] ?? 0);
  } else {
    for (let i = 0; i < count; i += 1) data[i] = Number(numbers[i]);
  }
  return { name, type, dims, data };
}

function numbersOf(contents: InferTensorContents | undefined): readonly (number | bigint | boolean)[] {
  if (contents === undefined) return [];
  const lists: readonly (readonly (number | bigint | boolean)[])[] = Object.values(contents);
  return lists.find((list) => list.length > 0) ?? [];
}

/** Pieces of a batch as one: outputs behind each other. @throws Error when an output has no batch dimension */
export function joined(pieces: readonly (readonly TensorData[])[], sizes: readonly number[]): TensorData[] {
  return (pieces[0] ?? []).map((first, at) => {
    const parts = pieces.map((piece) => piece[at] ?? first);
    if (parts.some((part, index) => part.dims[0] !== sizes[index])) {
      throw new Error(`output ${first.name} has no batch dimension, and the batch is too large for the server`);
    }
    const length = parts.reduce((sum, part) => sum + part.data.length, 0);
    const ArrayType = first.data.constructor as new (length: number) => TensorData['data'];
    const data = new ArrayType(length) as Float32Array;
    let offset = 0;
    for (const part of parts) {
      data.set(part.data as Float32Array, offset);
      offset += part.data.length;
    }
    return { ...first, dims: [sizes.reduce((sum, size) => sum + size, 0), ...first.dims.slice(1)], data };
  });
}

/** A part of a batch: views, nothing is copied. */
export function slice(feeds: readonly TensorData[], batch: number, start: number, count: number): TensorData[] {
  return feeds.map((feed) => {
    const each = feed.data.length / batch;
    return {
      ...feed,
      dims: [count, ...feed.dims.slice(1)],
      data: feed.data.subarray(start * each, (start + count) * each),
    };
  });
}
