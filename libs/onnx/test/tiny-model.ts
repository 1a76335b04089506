/** Models of a few bytes, made with the wire format itself. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { NodeProto, StringStringEntryProto, TensorProto, ValueInfoProto } from '../src/generated/onnx.ts';

function field(number: number, content: Uint8Array | string): Uint8Array {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return new BinaryWriter()
    .uint32((number << 3) | 2)
    .bytes(bytes)
    .finish();
}

const OPSET_13 = Uint8Array.of(0x10, 13);
const NODE = { input: ['in'], output: ['out'], name: '', opType: 'Identity', attribute: [], domain: '' };
const WEIGHT: TensorProto = {
  dims: [2n],
  dataType: 1,
  name: 'weight',
  rawData: new Uint8Array(8),
  externalData: [],
  dataLocation: 0,
};

function whole(...graph: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([
    Uint8Array.of(0x08, 8),
    field(2, 'vantage'),
    field(3, '1'),
    field(7, Buffer.concat(graph)),
    field(8, OPSET_13),
    field(14, StringStringEntryProto.encode({ key: 'names', value: "{0: 'person'}" }).finish()),
  ]);
}

export function identityModel(): Uint8Array {
  const dim = [{ dimParam: 'batch' }, { dimValue: 3n }, {}, { dimValue: 4n }].map((one) => ({
    denotation: '',
    ...one,
  }));
  const tensorType = { elemType: 1, shape: { dim } };
  return whole(
    field(1, NodeProto.encode(NODE).finish()),
    field(2, 'tiny'),
    field(5, TensorProto.encode(WEIGHT).finish()),
    field(11, ValueInfoProto.encode({ name: 'in', type: { tensorType }, docString: '' }).finish()),
    field(12, ValueInfoProto.encode({ name: 'out', type: { tensorType: { elemType: 1 } }, docString: '' }).finish()),
  );
}

/** A model whose weight lies elsewhere. */
export function externalModel(location: string): Uint8Array {
  const externalData = [
    { key: 'location', value: location },
    { key: 'length', value: '8' },
  ];
  const weight = { ...WEIGHT, rawData: new Uint8Array(0), externalData, dataLocation: 1 };
  return whole(field(5, TensorProto.encode(weight).finish()));
}

/** How a focus may be written: the two axes of a cut in one Slice or in two, its numbers as weights or as constants. */
export interface FocusStyle {
  readonly slices: 'one' | 'two';
  readonly numbers: 'weights' | 'constants';
  /** What is different, so that it is no focus any more. */
  readonly twist?: 'step' | 'end' | 'group' | 'sharedWeights' | 'sharedSlice' | 'sameCut';
}

/** Four cuts of `in` [1,1,4,4], stacked, and a convolution of one filter of 3 x 3: weights 0, 1, 2, ... */
export function focusModel({ slices, numbers, twist }: FocusStyle): Uint8Array {
  const parts: Uint8Array[] = [];
  const node = (opType: string, input: string[], output: string, attribute: NodeProto['attribute'] = []): void =>
    void parts.push(
      field(1, NodeProto.encode({ opType, input, output: [output], attribute, name: output, domain: '' }).finish()),
    );
  const list = (name: string, values: readonly number[]): string => {
    const rawData = new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer);
    const t = { ...WEIGHT, name, dims: [BigInt(values.length)], dataType: 7, rawData };
    if (numbers === 'weights') parts.push(field(5, TensorProto.encode(t).finish()));
    else node('Constant', [], name, [{ name: 'value', i: 0n, t, ints: [], type: 4 }]);
    return name;
  };
  const end = twist === 'end' ? 3 : Number.MAX_SAFE_INTEGER;
  const cut = (from: string, to: string, starts: readonly number[], axes: readonly number[]): void => {
    const same = (value: number): number[] => axes.map(() => value);
    const operands = [
      list(`${to}:starts`, starts),
      list(`${to}:ends`, same(end)),
      list(`${to}:axes`, axes),
      list(`${to}:steps`, same(twist === 'step' ? 1 : 2)),
    ];
    node('Slice', [from, ...operands], to);
  };
  const cuts: readonly (readonly [y: number, x: number])[] = [
    [0, 0],
    [1, 0],
    [0, 1],
    twist === 'sameCut' ? [0, 0] : [1, 1],
  ];
  for (const [index, [y, x]] of cuts.entries()) {
    if (slices === 'one') cut('in', `cut${index}`, [y, x], [2, -1]);
    else {
      cut('in', `rows${index}`, [y], [2]);
      cut(`rows${index}`, `cut${index}`, [x], [3]);
    }
  }
  node(
    'Concat',
    cuts.map((_, index) => `cut${index}`),
    'stack',
    [{ name: 'axis', i: 1n, t: undefined, ints: [], type: 2 }],
  );
  const ints = (name: string, values: readonly number[]): NodeProto['attribute'][number] => {
    return { name, i: 0n, t: undefined, ints: values.map(BigInt), type: 7 };
  };
  const group = { name: 'group', i: twist === 'group' ? 4n : 1n, t: undefined, ints: [], type: 2 };
  node('Conv', ['stack', 'weights'], 'out', [ints('kernel_shape', [3, 3]), ints('pads', [1, 1, 1, 1]), group]);
  if (twist === 'sharedWeights') node('Identity', ['weights'], 'again');
  if (twist === 'sharedSlice') node('Identity', ['cut0'], 'again');
  const rawData = new Uint8Array(Float32Array.from({ length: 36 }, (_, i) => i).buffer);
  const weights = { ...WEIGHT, name: 'weights', dims: [1n, 4n, 3n, 3n], rawData };
  parts.push(field(5, TensorProto.encode(weights).finish()));
  const value = (name: string, sizes: readonly number[]): Uint8Array => {
    const dim = sizes.map((size) => ({ dimValue: BigInt(size), denotation: '' }));
    return ValueInfoProto.encode({
      name,
      type: { tensorType: { elemType: 1, shape: { dim } } },
      docString: '',
    }).finish();
  };
  return whole(...parts, field(11, value('in', [1, 1, 4, 4])), field(12, value('out', [1, 1, 2, 2])));
}

export const model = {
  whole,
  /** A graph with one node that holds the given graph. */
  nest: (graph: Uint8Array): Uint8Array => field(1, field(5, field(6, graph))),
};
