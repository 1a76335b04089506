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

export const model = {
  whole,
  /** A graph with one node that holds the given graph. */
  nest: (graph: Uint8Array): Uint8Array => field(1, field(5, field(6, graph))),
};
