import { randomUUID } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { asFloats, elementCount, type TensorData } from '@vantage/vision';
import type { RequestHeader, WireType } from './wire.ts';

const ALIGNMENT = 64;
const MAX_BYTES = 512 * 1024 * 1024;

/**
 * The memory through which tensors reach a parser process: a file without a name in /dev/shm (where that is missing or
 * full: the folder for temporary files) that both sides hold open. The process maps it privately, so one copy is made;
 * a pipe makes two. It vanishes with the last process that holds it.
 */
export class TensorFile {
  readonly fd: number;
  #size = 0;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** @param folders where to try, best first */
  static open(folders: readonly string[] = ['/dev/shm', os.tmpdir()]): TensorFile {
    let failure: unknown;
    for (const folder of folders) {
      const name = path.join(folder, `vantage-parser-${randomUUID()}`);
      try {
        const fd = openSync(name, 'wx+', 0o600);
        unlinkSync(name);
        return new TensorFile(fd);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
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
      this.#writeAll(data, offset);
      offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
      return entry;
    });
    // A mapping must not reach over the end of the file. It never shrinks: a parser may still look at the last picture.
    if (offset > this.#size) {
      ftruncateSync(this.fd, offset);
      this.#size = offset;
    }
    return { id, bytes: offset, tensors: entries };
  }

  close(): void {
    closeSync(this.fd);
  }

  #writeAll(data: Float32Array | Int8Array | Int32Array, offset: number): void {
    let done = 0;
    while (done < data.byteLength) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset + done, data.byteLength - done);
      try {
        done += writeSync(this.fd, bytes, 0, bytes.length, offset + done);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        const megabytes = Math.ceil((offset + data.byteLength) / 1024 / 1024);
        throw new Error(
          `no shared memory for outputs of ${megabytes} MiB; a container has 64 MiB unless HostConfig.ShmSize says more`,
        );
      }
    }
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
