import { markAsUntransferable } from 'node:worker_threads';
import { loadLibC } from './libc.ts';
import { noSharedMemory, type SharedFile } from './shared-file.ts';

// mmap(2) and errno(3) of Linux.
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;
const ENOSPC = 28;

/**
 * A shared file as memory: what one process writes into `buffer` the other reads there, without a copy.
 *
 * A page that the file has no memory for ends the process that touches it (SIGBUS), so `allocate` comes before writing, and
 * a look at the file's size before reading what another process says it wrote. Node cannot catch that signal: map only
 * files that are shared with those whom you trust not to cut them.
 */
export class MappedMemory {
  /** What is mapped of the file. Empty after `close`, and every view of it too; it cannot be transferred to another thread. */
  readonly buffer: ArrayBuffer;
  readonly #file: SharedFile;
  readonly #bytes: number;
  readonly #at: bigint;
  #isClosed = false;

  private constructor(file: SharedFile, bytes: number, at: bigint, buffer: ArrayBuffer) {
    this.#file = file;
    this.#bytes = bytes;
    this.#at = at;
    this.buffer = buffer;
  }

  /**
   * Maps the first `bytes` of a file, which stays open and the caller's.
   *
   * @throws Error when the platform cannot, or the file is shorter
   */
  static map(file: SharedFile, bytes: number): MappedMemory {
    if (file.sizeBytes < bytes) throw new Error(`the file has ${file.sizeBytes} bytes, not ${bytes}`);
    const c = loadLibC();
    const at = c.mmap(null, bytes, PROT_READ_WRITE, MAP_SHARED, file.fd, 0);
    if (at === MAP_FAILED) throw new Error(`mmap of ${bytes} bytes failed with error ${c.errno()}`);
    const buffer = c.view(at, bytes);
    markAsUntransferable(buffer);
    return new MappedMemory(file, bytes, at, buffer);
  }

  /** Takes the memory for a part before it is written to. @throws Error when memory is short */
  allocate(offset: number, bytes: number): void {
    if (bytes === 0) return;
    const error = loadLibC().posix_fallocate(this.#file.fd, offset, bytes);
    if (error === ENOSPC) throw noSharedMemory(bytes);
    if (error !== 0) throw new Error(`posix_fallocate of ${bytes} bytes failed with error ${error}`);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // Detached first: a view that somebody kept is then empty instead of pointing at memory that is not there.
    this.buffer.transfer();
    loadLibC().munmap(this.#at, this.#bytes);
  }
}
