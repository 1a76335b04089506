/** A model that gives the same outputs whatever it is shown, made with the wire format of ONNX. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';

export interface ConstantOutput {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

const FLOAT32 = 1;

function message(fields: readonly (readonly [field: number, value: Uint8Array | string | number])[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [field, value] of fields) {
    if (typeof value === 'number') writer.uint32(field << 3).int64(value);
    else writer.uint32((field << 3) | 2).bytes(typeof value === 'string' ? Buffer.from(value) : value);
  }
  return writer.finish();
}

function value(name: string, dims: readonly number[]): Uint8Array {
  const shape = message(dims.map((dim) => [1, message([[1, dim]])]));
  const tensor = message([
    [1, FLOAT32],
    [2, shape],
  ]);
  return message([
    [1, name],
    [2, message([[1, tensor]])],
  ]);
}

/** Takes a picture `images` [1,3,64,64], which it does not look at. */
export function constantModel(outputs: readonly ConstantOutput[]): Uint8Array {
  const graph = message([
    ...outputs.map(({ name }): [number, Uint8Array] => {
      const node = message([
        [1, `${name}:weights`],
        [2, name],
        [4, 'Identity'],
      ]);
      return [1, node];
    }),
    [2, 'constant'],
    ...outputs.map(({ name, dims, values }): [number, Uint8Array] => {
      const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      return [
        5,
        message([...dims.map((dim): [number, number] => [1, dim]), [2, FLOAT32], [8, `${name}:weights`], [9, raw]]),
      ];
    }),
    [11, value('images', [1, 3, 64, 64])],
    ...outputs.map(({ name, dims }): [number, Uint8Array] => [12, value(name, dims)]),
  ]);
  return message([
    [1, 8],
    [7, graph],
    [8, message([[2, 13]])],
  ]);
}
