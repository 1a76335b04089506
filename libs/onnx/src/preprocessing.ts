import { elementTypeNumber, FLOAT32, INT64, UINT8 } from './element-type.ts';
import { preprocessingNotPossible } from './errors.ts';
import { NodeProto, ValueInfoProto, type AttributeProto, type TensorProto } from './generated/onnx.ts';
import type { OnnxModel, OnnxValue } from './model.ts';
import { readOnnx } from './read-onnx.ts';
import { Splice } from './wire/splice.ts';
import { Fields } from './wire/fields.ts';

/** What is put between the bytes of a picture and an input of the network: y = scale * (x - offset), as nvinfer says. */
export interface Preprocessing {
  /** The input that takes the picture: four dimensions, float32 or float16 (uint8 where there is nothing to compute). */
  readonly input: string;
  /** How the bytes come: `GBR` planes are ffmpeg's `gbrp`, packed `RGB` its `rgb24`. */
  readonly fed: { readonly layout: 'planar' | 'packed'; readonly channels: 'GBR' | 'RGB' | 'BGR' };
  /** How the network wants them. */
  readonly wanted: { readonly layout: 'NCHW' | 'NHWC'; readonly channels: 'RGB' | 'BGR' };
  /** `net-scale-factor`. */
  readonly scale: number;
  /** `offsets`, in the order of the network's channels. */
  readonly offsets: readonly [number, number, number];
  /** `mean-file`: three planes as large as the input, in the order of the network's channels; instead of `offsets`. */
  readonly mean?: Float32Array;
}

export interface PreprocessedModel {
  /** A whole model. Weights in other files stay there, so load it with the folder of the original. */
  readonly bytes: Uint8Array;
  /** Takes the place of the input that was named; `uint8`. The other inputs and all outputs are as they were. */
  readonly input: OnnxValue;
}

/** Name of the new input. The colon keeps it apart from the names that exporters make. */
const PICTURE = 'vantage:picture';

/** The first version whose arithmetic broadcasts as it does today (https://onnx.ai/onnx/repo-docs/Broadcasting.html). */
const FIRST_OPSET = 7;

/**
 * Puts operators in front of a network, so that a session eats 8-bit pixels as a decoder gives them: reorder, transpose,
 * cast, subtract, multiply. The rest of the file stays byte for byte as it was.
 *
 * @param bytes the whole model; not changed
 * @throws VantageError `ONNX_PREPROCESSING_NOT_POSSIBLE` (make the tensor outside then), and those of `readOnnx`
 */
export function prependPreprocessing(bytes: Uint8Array, name: string, wish: Preprocessing): PreprocessedModel {
  const model = readOnnx(bytes, name);
  const input = pictureInput(model, name, wish);
  const nodes = nodesOf(wish, input, name);
  const fed = { name: PICTURE, type: 'uint8', dims: fedDims(input.dims, wish) };

  const whole = new Splice(bytes);
  for (const top = new Fields(bytes); top.next();) {
    if (top.field !== 7) continue;
    // Nodes must come before those that use their results: ours are the graph's first.
    const graph = new Splice(bytes, top.start, top.end);
    for (const node of nodes) graph.insert(top.start, 1, NodeProto.encode(node).finish());
    for (const field = top.inner(); field.next();) {
      if (field.field !== 11) continue;
      const value = ValueInfoProto.decode(field.content());
      if (value.name === input.name) graph.replace(field.tagStart, field.end, 11, encodeInput(value, fed));
    }
    whole.replaceWith(top.tagStart, top.end, 7, graph);
  }
  return { bytes: whole.toBytes(), input: fed };
}

type PictureInput = OnnxValue & { readonly dims: readonly (number | string)[] };

function pictureInput(model: OnnxModel, name: string, wish: Preprocessing): PictureInput {
  const no = (reason: string): Error => preprocessingNotPossible(name, reason);
  const input = model.inputs.find((one) => one.name === wish.input);
  if (input === undefined) throw no(`it has no input '${wish.input}'`);
  const { dims } = input;
  if (dims?.length !== 4) throw no(`its input '${input.name}' has not four dimensions`);
  const channels = wish.wanted.layout === 'NHWC' ? dims[3] : dims[1];
  if (typeof channels === 'number' && channels !== 3) throw no(`its input '${input.name}' has ${channels} channels`);
  if (input.type !== 'float32' && input.type !== 'float16' && (input.type !== 'uint8' || computes(wish))) {
    throw no(`its input '${input.name}' takes ${input.type}`);
  }
  const opset = model.opsets.get('ai.onnx') ?? 0;
  if (opset < FIRST_OPSET) throw no(`its operators are of version ${opset}, version ${FIRST_OPSET} is needed`);
  if (model.inputs.some((one) => one.name === PICTURE)) throw no('it is given 8-bit pictures already');
  const plane = wish.mean && wish.mean.length / 3;
  const [height, width] = wish.wanted.layout === 'NHWC' ? [dims[1], dims[2]] : [dims[2], dims[3]];
  if (plane !== undefined && (typeof height !== 'number' || typeof width !== 'number' || plane !== height * width)) {
    throw no(`the mean picture has ${plane} pixels, its input '${input.name}' has ${height} times ${width}`);
  }
  return { ...input, dims };
}

/** Each step takes the result of the one before; steps that would change nothing are left out. */
function nodesOf(wish: Preprocessing, input: PictureInput, name: string): NodeProto[] {
  const { fed, wanted, scale, offsets, mean } = wish;
  const nodes: NodeProto[] = [];
  let value = PICTURE;
  const step = (opType: string, operands: readonly string[], attribute: readonly AttributeProto[] = []): void => {
    const result = `${PICTURE}:${nodes.length}`;
    nodes.push(node(opType, [value, ...operands], [result], attribute));
    value = result;
  };
  const constant = (tensor: TensorProto): string => {
    const result = `${PICTURE}:${nodes.length}`;
    nodes.push(node('Constant', [], [result], [{ ...NO_ATTRIBUTE, name: 'value', type: 4, t: tensor }]));
    return result;
  };

  // Bytes are moved before they become floats, four times their size.
  const order = [...wanted.channels].map((channel) => fed.channels.indexOf(channel));
  if (order.some((from, to) => from !== to)) {
    const indices = constant(tensorOf(INT64, [3], BigInt64Array.from(order.map(BigInt))));
    step('Gather', [indices], [integer('axis', fed.layout === 'planar' ? 1 : 3)]);
  }
  if (fed.layout === 'planar' && wanted.layout === 'NHWC') step('Transpose', [], [integers('perm', [0, 2, 3, 1])]);
  if (fed.layout === 'packed' && wanted.layout === 'NCHW') step('Transpose', [], [integers('perm', [0, 3, 1, 2])]);
  if (input.type !== 'uint8') step('Cast', [], [integer('to', FLOAT32)]);

  const perChannel = wanted.layout === 'NHWC' ? [1, 1, 1, 3] : [1, 3, 1, 1];
  if (mean !== undefined) {
    const planes = wanted.layout === 'NHWC' ? interleaved(mean) : mean;
    step('Sub', [constant(tensorOf(FLOAT32, [1, ...input.dims.slice(1).map(Number)], planes))]);
  } else if (offsets.some((offset) => offset !== 0)) {
    step('Sub', [constant(tensorOf(FLOAT32, perChannel, Float32Array.from(offsets)))]);
  }
  if (scale !== 1) step('Mul', [constant(tensorOf(FLOAT32, [], Float32Array.of(scale)))]);
  if (input.type === 'float16') step('Cast', [], [integer('to', elementTypeNumber('float16'))]);

  const last = nodes.at(-1);
  if (last === undefined) throw preprocessingNotPossible(name, 'it takes them as they are');
  last.output = [input.name];
  return nodes;
}

function computes({ scale, offsets, mean }: Preprocessing): boolean {
  return scale !== 1 || mean !== undefined || offsets.some((offset) => offset !== 0);
}

function fedDims(dims: PictureInput['dims'], { fed, wanted }: Preprocessing): readonly (number | string)[] {
  const [batch = 1, ...rest] = dims;
  const [channels = 3, height = '?', width = '?'] = wanted.layout === 'NHWC' ? [rest[2], rest[0], rest[1]] : rest;
  return fed.layout === 'packed' ? [batch, height, width, channels] : [batch, channels, height, width];
}

function encodeInput(value: ValueInfoProto, fed: OnnxValue): Uint8Array {
  const dim = (fed.dims ?? []).map((size) =>
    typeof size === 'number' ? { dimValue: BigInt(size), denotation: '' } : { dimParam: size, denotation: '' },
  );
  return ValueInfoProto.encode({
    ...value,
    name: fed.name,
    type: { tensorType: { elemType: UINT8, shape: { dim } } },
  }).finish();
}

const NO_ATTRIBUTE: AttributeProto = { name: '', i: 0n, t: undefined, ints: [], type: 0 };

function integer(name: string, i: number): AttributeProto {
  return { ...NO_ATTRIBUTE, name, type: 2, i: BigInt(i) };
}

function integers(name: string, ints: readonly number[]): AttributeProto {
  return { ...NO_ATTRIBUTE, name, type: 7, ints: ints.map(BigInt) };
}

function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attribute: readonly AttributeProto[],
): NodeProto {
  return {
    opType,
    input: [...input],
    output: [...output],
    attribute: [...attribute],
    name: output[0] ?? '',
    domain: '',
  };
}

function tensorOf(dataType: number, dims: readonly number[], numbers: Float32Array | BigInt64Array): TensorProto {
  // raw_data is little-endian, as are all machines that this runs on.
  const rawData = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  return { dims: dims.map(BigInt), dataType, name: '', rawData, externalData: [], dataLocation: 0 };
}

function interleaved(planes: Float32Array): Float32Array {
  const plane = planes.length / 3;
  return Float32Array.from(planes, (_, i) => planes[(i % 3) * plane + Math.floor(i / 3)] as number);
}
