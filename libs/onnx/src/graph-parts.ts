import { NodeProto } from './generated/onnx.ts';
import type { Fields } from './wire/fields.ts';

/** A node, and where it stands in the file. */
export interface PlacedNode {
  readonly node: NodeProto;
  readonly tagStart: number;
  readonly end: number;
}

/** A weight, and where it stands in the file. */
export interface PlacedTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  /** Little-endian; a view of the file. Undefined where they are in another file, or written one by one. */
  readonly numbers: Uint8Array | undefined;
  readonly tagStart: number;
  readonly end: number;
}

/** A graph as something to be searched and edited. */
export interface GraphParts {
  readonly nodes: readonly PlacedNode[];
  readonly initializers: ReadonlyMap<string, PlacedTensor>;
  /** By the values that they make. */
  readonly makers: ReadonlyMap<string, PlacedNode>;
  /** How often each value is read: by nodes, or as an output of the graph. */
  readonly readers: ReadonlyMap<string, number>;
  /** A constant list of whole numbers; undefined where it is none, or a long one. */
  integersOf(name: string): readonly number[] | undefined;
}

const INT32 = 6;
const INT64 = 7;
/** More whole numbers than any list has that says where to cut. */
const FEW = 8;
/** Beyond it a number of 64 bits is a negative one. */
const SIGN = 2 ** 63;
/** AttributeProto.AttributeType: GRAPH and GRAPHS. */
const HOLDS_GRAPHS: ReadonlySet<number> = new Set([5, 10]);

/** @returns undefined where nodes hold graphs of their own, which could read any value of this one */
export function readGraphParts(graph: Fields): GraphParts | undefined {
  const nodes: PlacedNode[] = [];
  const initializers = new Map<string, PlacedTensor>();
  const makers = new Map<string, PlacedNode>();
  const readers = new Map<string, number>();
  const constants = new Map<string, readonly number[] | undefined>();
  const isRead = (name: string): void => void readers.set(name, (readers.get(name) ?? 0) + 1);
  while (graph.next()) {
    const { tagStart, end } = graph;
    if (graph.field === 1) {
      const node = NodeProto.decode(graph.content());
      if (node.attribute.some(({ type }) => HOLDS_GRAPHS.has(type))) return undefined;
      const placed = { node, tagStart, end };
      nodes.push(placed);
      for (const name of node.input) isRead(name);
      for (const name of node.output) makers.set(name, placed);
      if (node.opType === 'Constant') constants.set(node.output[0] ?? '', constantOf(graph.inner()));
    } else if (graph.field === 5) {
      const { integers, ...tensor } = readTensor(graph.inner());
      initializers.set(tensor.name, { ...tensor, tagStart, end });
      constants.set(tensor.name, integers);
    } else if (graph.field === 12) {
      for (const value = graph.inner(); value.next();) if (value.field === 1) isRead(value.text());
    }
  }
  return { nodes, initializers, makers, readers, integersOf: (name) => constants.get(name) };
}

type Tensor = Omit<PlacedTensor, 'tagStart' | 'end'> & { readonly integers: readonly number[] | undefined };

function readTensor(tensor: Fields): Tensor {
  const dims: number[] = [];
  const listed: number[] = [];
  let [name, dataType, isElsewhere] = ['', 0, false];
  let raw: Uint8Array | undefined;
  let floats: Uint8Array | undefined;
  let parts = 0;
  while (tensor.next()) {
    switch (tensor.field) {
      case 1:
        dims.push(...tensor.integers());
        break;
      case 2:
        dataType = tensor.value;
        break;
      // float_data: packed, they are the bytes of raw_data.
      case 4:
        parts += 1;
        floats = tensor.wireType === 2 ? tensor.content() : undefined;
        break;
      // int32_data, int64_data
      case 5:
      case 7:
        if (tensor.end - tensor.start <= 10 * FEW) listed.push(...tensor.integers());
        break;
      case 8:
        name = tensor.text();
        break;
      case 9:
        raw = tensor.content();
        break;
      case 14:
        isElsewhere = tensor.value === 1;
    }
  }
  const numbers = isElsewhere ? undefined : (raw ?? (parts === 1 ? floats : undefined));
  return { name, dims, dataType, numbers, integers: integersOf(dataType, raw, listed) };
}

function integersOf(dataType: number, raw: Uint8Array | undefined, listed: readonly number[]): number[] | undefined {
  const size = dataType === INT64 ? 8 : dataType === INT32 ? 4 : 0;
  if (size === 0) return undefined;
  if (raw === undefined)
    return listed.length > 0 ? listed.map((one) => (one > SIGN ? one - 2 * SIGN : one)) : undefined;
  const count = raw.length / size;
  if (!Number.isInteger(count) || count > FEW) return undefined;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: count }, (_, i) =>
    size === 8 ? Number(view.getBigInt64(8 * i, true)) : view.getInt32(4 * i, true),
  );
}

/** What a Constant holds, where that is a short list of whole numbers. */
function constantOf(node: Fields): readonly number[] | undefined {
  while (node.next()) {
    if (node.field !== 5) continue;
    for (const attribute = node.inner(); attribute.next();) {
      if (attribute.field === 5) return readTensor(attribute.inner()).integers;
    }
  }
  return undefined;
}
