import { VantageError, messageOf } from '@vantage/contracts';
import { elementTypeName } from './element-type.ts';
import { onnxInvalid } from './errors.ts';
import { insideFolder } from './external-data.ts';
import type { OnnxInitializer, OnnxModel, OnnxValue } from './model.ts';
import { StringStringEntryProto, ValueInfoProto } from './generated/onnx.ts';
import { Fields } from './wire/fields.ts';

/** Names and numbers of an exporter, not data: no picture and no weights travel in them. */
const MAX_METADATA_BYTES = 1024 * 1024;
const MAX_METADATA_ENTRIES = 1000;
/** Graphs inside of nodes (If, Loop, Scan) inside of graphs. */
const MAX_DEPTH = 16;
const MAX_VALUES = 10_000;
const MAX_RANK = 64;
/** Nodes and weights: a hundred times what the largest public models have. */
const MAX_PARTS = 1_000_000;

interface Reading {
  readonly name: string;
  readonly metadata: Map<string, string>;
  readonly opsets: Map<string, number>;
  readonly inputs: OnnxValue[];
  readonly outputs: OnnxValue[];
  readonly initializers: OnnxInitializer[];
  readonly operators: Map<string, number>;
  readonly externalFiles: Set<string>;
  parts: number;
}

/**
 * Reads what a model file says of itself. Time and memory go with the number of nodes and weights, not with their size:
 * the numbers of the weights are passed over.
 *
 * @param bytes the whole file; not kept
 * @param name for messages, such as the file's name
 * @throws VantageError `ONNX_INVALID`, `ONNX_EXTERNAL_DATA_OUTSIDE`
 */
export function readOnnx(bytes: Uint8Array, name: string): OnnxModel {
  try {
    return readModel(bytes, name);
  } catch (error) {
    if (VantageError.is(error)) throw error;
    throw onnxInvalid(name, whatElse(bytes) ?? messageOf(error));
  }
}

function readModel(bytes: Uint8Array, name: string): OnnxModel {
  const reading: Reading = {
    name,
    metadata: new Map(),
    opsets: new Map(),
    inputs: [],
    outputs: [],
    initializers: [],
    operators: new Map(),
    externalFiles: new Set(),
    parts: 0,
  };
  const header = { irVersion: 0, modelVersion: 0, producer: '', producerVersion: '', domain: '', description: '' };
  let graphName: string | undefined;
  for (const model = new Fields(bytes); model.next();) {
    switch (model.field) {
      case 1:
        header.irVersion = model.value;
        break;
      case 2:
        header.producer = model.text();
        break;
      case 3:
        header.producerVersion = model.text();
        break;
      case 4:
        header.domain = model.text();
        break;
      case 5:
        header.modelVersion = model.value;
        break;
      case 6:
        header.description = model.text(65_536);
        break;
      case 7:
        if (graphName !== undefined) throw new RangeError('it has two graphs');
        graphName = readGraph(reading, model.inner(), 0);
        break;
      case 8:
        readOpset(reading, model.inner());
        break;
      case 14:
        if (reading.metadata.size >= MAX_METADATA_ENTRIES || model.end - model.start > MAX_METADATA_BYTES) break;
        addEntry(reading.metadata, model.content());
    }
  }
  if (graphName === undefined || header.irVersion < 1) throw new RangeError('it holds no graph');
  const weights = new Set(reading.initializers.map((one) => one.name));
  const { producer, producerVersion, ...rest } = header;
  return {
    ...rest,
    producer: `${producer} ${producerVersion}`.trim(),
    graphName,
    opsets: reading.opsets,
    metadata: reading.metadata,
    // Up to IR version 3 every weight had to be an input as well.
    inputs: reading.inputs.filter((input) => !weights.has(input.name)),
    outputs: reading.outputs,
    initializers: reading.initializers,
    operators: reading.operators,
    externalFiles: [...reading.externalFiles].sort(),
  };
}

function readGraph(reading: Reading, graph: Fields, depth: number): string {
  if (depth > MAX_DEPTH) throw new RangeError(`its graphs are nested deeper than ${MAX_DEPTH}`);
  let name = '';
  while (graph.next()) {
    reading.parts += 1;
    if (reading.parts > MAX_PARTS) throw new RangeError(`it has more than ${MAX_PARTS} nodes and weights`);
    switch (graph.field) {
      case 1:
        readNode(reading, graph.inner(), depth);
        break;
      case 2:
        name = graph.text();
        break;
      case 5: {
        const initializer = readTensor(reading, graph.inner());
        if (depth === 0) reading.initializers.push(initializer);
        break;
      }
      case 11:
        if (depth === 0) reading.inputs.push(readValue(graph.content(), reading.inputs.length));
        break;
      case 12:
        if (depth === 0) reading.outputs.push(readValue(graph.content(), reading.outputs.length));
    }
  }
  return name;
}

function readNode(reading: Reading, node: Fields, depth: number): void {
  let operator = '';
  let domain = '';
  while (node.next()) {
    if (node.field === 4) operator = node.text(256);
    else if (node.field === 7) domain = node.text(256);
    else if (node.field === 5) readAttribute(reading, node.inner(), depth);
  }
  const key = domain === '' || domain === 'ai.onnx' ? operator : `${domain}.${operator}`;
  reading.operators.set(key, (reading.operators.get(key) ?? 0) + 1);
}

/** A node's constants may lie in other files, too, and its graphs hold nodes. */
function readAttribute(reading: Reading, attribute: Fields, depth: number): void {
  while (attribute.next()) {
    if (attribute.field === 5 || attribute.field === 10) readTensor(reading, attribute.inner());
    else if (attribute.field === 6 || attribute.field === 11) readGraph(reading, attribute.inner(), depth + 1);
  }
}

function readTensor(reading: Reading, tensor: Fields): OnnxInitializer {
  const dims: number[] = [];
  let name = '';
  let type = 0;
  let bytes = 0;
  const external = new Map<string, string>();
  while (tensor.next()) {
    switch (tensor.field) {
      case 1:
        for (const size of tensor.integers()) {
          dims.push(size);
          if (dims.length > MAX_RANK) throw new RangeError(`a weight has more than ${MAX_RANK} dimensions`);
        }
        break;
      case 2:
        type = tensor.value;
        break;
      case 8:
        name = tensor.text();
        break;
      // float_data, int32_data, string_data, int64_data, raw_data, double_data, uint64_data
      case 4:
      case 5:
      case 6:
      case 7:
      case 9:
      case 10:
      case 11:
        bytes += tensor.end - tensor.start;
        break;
      case 13:
        addEntry(external, tensor.content().subarray(0, 8192));
    }
  }
  const location = external.get('location');
  if (location === undefined) return { name, type: elementTypeName(type), dims, bytes };
  const externalFile = insideFolder(reading.name, location);
  reading.externalFiles.add(externalFile);
  return { name, type: elementTypeName(type), dims, bytes: Number(external.get('length') ?? 0), externalFile };
}

function readValue(bytes: Uint8Array, already: number): OnnxValue {
  if (already >= MAX_VALUES) throw new RangeError(`it has more than ${MAX_VALUES} inputs or outputs`);
  const { name, type } = ValueInfoProto.decode(bytes);
  const tensor = type?.tensorType;
  if (tensor === undefined) return { name, type: otherType(type) };
  const elements = elementTypeName(tensor.elemType);
  if (tensor.shape === undefined) return { name, type: elements };
  const dims = tensor.shape.dim.map(({ dimValue, dimParam }) =>
    dimValue !== undefined && dimValue >= 0n ? Number(dimValue) : dimParam || '?',
  );
  return { name, type: elements, dims };
}

function otherType(type: ValueInfoProto['type']): string {
  if (type?.sequenceType) return 'sequence';
  if (type?.mapType) return 'map';
  if (type?.optionalType) return 'optional';
  return type?.sparseTensorType ? 'sparse' : 'undefined';
}

function readOpset(reading: Reading, opset: Fields): void {
  let domain = '';
  let version = 0;
  while (opset.next()) {
    if (opset.field === 1) domain = opset.text(256);
    else if (opset.field === 2) version = opset.value;
  }
  reading.opsets.set(domain || 'ai.onnx', version);
}

function addEntry(into: Map<string, string>, entry: Uint8Array): void {
  const { key, value } = StringStringEntryProto.decode(entry);
  into.set(key, value);
}

/** What people really have when it is no model. */
function whatElse(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'it is empty';
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 200));
  if (start.startsWith('version https://git-lfs')) {
    return 'it is a pointer of Git LFS; run "git lfs pull" where it comes from';
  }
  if (start.startsWith('PK\u0003\u0004')) return 'it is a zip file (PyTorch saves such files); export it to ONNX';
  if (/^\s*<(!doctype|html)/i.test(start)) return 'it is a web page; the address does not lead to the file itself';
  if (start.startsWith('ftrt')) return 'it is a TensorRT engine; use the ONNX file it was built from';
  return undefined;
}
