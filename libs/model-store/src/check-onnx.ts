import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@vantage/contracts';
import { fileMissing, fileNotOnnx } from './errors.ts';
import { sizeText } from './limits.ts';
import { sniff } from './sniff.ts';

/** Fields of `ModelProto` (onnx.proto3) and their protobuf wire types: 0 varint, 2 length and bytes. */
const FIELDS: Readonly<Record<number, number>> = {
  1: 0,
  2: 2,
  3: 2,
  4: 2,
  5: 0,
  6: 2,
  7: 2,
  8: 2,
  14: 2,
  20: 2,
  25: 2,
  26: 2,
};
const GRAPH = 7;

/**
 * Tells a file that is no ONNX model from one that may be, with a sentence that a person can act on, where the runtime
 * would only say "protobuf parsing failed". Reads the file's outermost structure, not its weights, so it costs little for
 * any size. The compact ORT format is let through.
 */
export async function checkOnnxFile(file: string): Promise<void> {
  const name = path.basename(file);
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw fileMissing(`the model file ${file} does not exist`, { file: name }, error);
    throw fileNotOnnx(
      `the model file ${file} cannot be read (${codeOf(error) ?? 'unknown reason'})`,
      { file: name },
      error,
    );
  }
  try {
    const info = await handle.stat();
    if (!info.isFile()) throw fileNotOnnx(`${file} is a folder, not an ONNX model`, { file: name });
    if (info.size === 0)
      throw fileNotOnnx(`${name} is empty (0 bytes): the model was not copied or downloaded`, { file: name });
    const head = Buffer.alloc(Math.min(512, info.size));
    await handle.read(head, 0, head.length, 0);
    checkHead(head, name);
    if (head.toString('latin1', 4, 8) === 'ORTM') return;
    await walk(handle, info.size, name);
  } finally {
    await handle.close();
  }
}

function checkHead(head: Buffer, name: string): void {
  const refuse = (what: string): never => {
    throw fileNotOnnx(`${name} is ${what}, not an ONNX model`, { file: name });
  };
  const kind = sniff(head);
  if (kind === 'lfs-pointer') refuse('a Git LFS pointer (the model itself was not fetched: run "git lfs pull")');
  if (kind === 'html') refuse('a web page');
  if (kind === 'json') refuse('a JSON text');
  if (kind === 'zip' || kind === 'gzip' || kind === '7z' || kind === 'rar' || kind === 'tar')
    refuse(`a ${kind} archive`);
}

/** Steps over the fields of the outermost message; each says how long it is. */
async function walk(handle: FileHandle, size: number, name: string): Promise<void> {
  const buffer = Buffer.alloc(20);
  let at = 0;
  let hasGraph = false;
  while (at < size) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    const tag = varint(buffer.subarray(0, bytesRead), 0);
    const field = tag === undefined ? 0 : Math.floor(tag.value / 8);
    const wire = tag === undefined ? -1 : tag.value % 8;
    const value = tag === undefined ? undefined : varint(buffer.subarray(0, bytesRead), tag.next);
    if (tag === undefined || FIELDS[field] !== wire) throw notModel(name, at, size);
    if (value === undefined) throw cutShort(name, size);
    at += value.next + (wire === 2 ? value.value : 0);
    if (field === GRAPH) hasGraph = true;
    if (at > size) throw cutShort(name, size);
  }
  if (!hasGraph)
    throw fileNotOnnx(`${name} (${sizeText(size)}) holds no graph: it is not a whole ONNX model`, { file: name });
}

function notModel(name: string, at: number, size: number): Error {
  const where = at === 0 ? 'its first bytes are not those of one' : `at byte ${at} of ${size} it stops being one`;
  return fileNotOnnx(`${name} (${sizeText(size)}) is not an ONNX model: ${where}`, { file: name });
}

function cutShort(name: string, size: number): Error {
  return fileNotOnnx(`${name} is cut short: the model says that it is longer than the ${sizeText(size)} there are`, {
    file: name,
  });
}

function varint(bytes: Buffer, from: number): { value: number; next: number } | undefined {
  let value = 0;
  for (let i = from; i < bytes.length && i < from + 10; i += 1) {
    const byte = bytes[i] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * (i - from));
    if (byte < 0x80) return { value, next: i + 1 };
  }
  return undefined;
}
