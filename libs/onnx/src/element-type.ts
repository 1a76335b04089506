/** TensorProto.DataType, by its number, in the words of ONNX Runtime (https://onnx.ai/onnx/repo-docs/IR.html). */
const NAMES = [
  'undefined',
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
] as const;

export const FLOAT32 = 1;
export const UINT8 = 2;
export const INT64 = 7;

/** `float32`, or `type-99` for one that is newer than this list. */
export function elementTypeName(type: number): string {
  return NAMES[type] ?? `type-${type}`;
}

/** Number of a type by its name; 0 if there is none of that name. */
export function elementTypeNumber(name: string): number {
  return Math.max(0, (NAMES as readonly string[]).indexOf(name));
}
