import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Where each tensor begins: what the widest vector instructions like. */
const ALIGNMENT = 64;

/**
 * The memory through which tensors reach another process: a file without a name in /dev/shm that both hold open. Node
 * cannot map memory, so a tensor costs one copy here and none there. It vanishes with the last process that holds it.
 */
export class SharedMemory {
  /** For the other process to inherit. */
  readonly fd: number;
  #end = 0;
  #closed = false;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** @param folders where to try, best first; on a disk it is the page cache that is shared */
  static open(folders: readonly string[] = ['/dev/shm', os.tmpdir()]): SharedMemory {
    let failure: unknown;
    for (const folder of folders) {
      const name = path.join(folder, `vantage-sidecar-${randomUUID()}`);
      try {
        const fd = openSync(name, 'wx+', 0o600);
        unlinkSync(name);
        return new SharedMemory(fd);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** First byte behind what was written since `rewind`. */
  get end(): number {
    return this.#end;
  }

  rewind(): void {
    this.#end = 0;
  }

  /**
   * Writes behind what is there; gives the offset.
   *
   * @throws Error when the memory is full
   */
  write(data: ArrayBufferView): number {
    const offset = Math.ceil(this.#end / ALIGNMENT) * ALIGNMENT;
    let done = 0;
    while (done < data.byteLength) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset + done, data.byteLength - done);
      done += writeSync(this.fd, bytes, 0, bytes.length, offset + done);
    }
    this.#end = offset + data.byteLength;
    return offset;
  }

  /** Fills `into` from an offset. @throws Error when there is less */
  read(offset: number, into: ArrayBufferView): void {
    let done = 0;
    while (done < into.byteLength) {
      const bytes = new Uint8Array(into.buffer, into.byteOffset + done, into.byteLength - done);
      const count = readSync(this.fd, bytes, 0, bytes.length, offset + done);
      if (count === 0) throw new Error(`the shared memory ends ${into.byteLength - done} bytes too early`);
      done += count;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.fd);
  }
}
