import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadLibC } from './libc.ts';

// flock(2) of Linux.
const LOCK_EX_NB = 6;

/** Where shared memory is looked for, best first: on a disk it is the page cache that is shared. */
export const SHARED_FOLDERS: readonly string[] = ['/dev/shm', os.tmpdir()];

export interface NewSharedFile {
  /** Its name begins so; the rest is random. */
  readonly prefix: string;
  /** Where to try, best first; default {@link SHARED_FOLDERS}. */
  readonly folders?: readonly string[];
  /** Keeps its name until `unlink`, for a process that does not inherit it. */
  readonly named?: boolean;
  /** Who may open it by its name; default 0600. */
  readonly mode?: number;
}

/**
 * A file that two processes hold open to show each other data. It is gone with the last process that holds it, because it
 * has no name (any more): nothing is left behind, whoever crashes. To write or to read is one copy; {@link MappedMemory}
 * does without.
 */
export class SharedFile {
  /** For a child process to inherit. */
  readonly fd: number;
  /** Its name, as long as it has one. */
  #path: string | undefined;
  #closed = false;

  private constructor(fd: number, name?: string) {
    this.fd = fd;
    this.#path = name;
  }

  /** @throws Error when no folder lets it */
  static create({ prefix, folders = SHARED_FOLDERS, named = false, mode = 0o600 }: NewSharedFile): SharedFile {
    let failure: unknown = new Error('no folder for shared memory is named');
    for (const folder of folders) {
      const name = path.join(folder, `${prefix}${randomUUID()}`);
      try {
        const fd = openSync(name, 'wx+', mode);
        // The umask took bits away that a process of the same group needs.
        if (mode !== 0o600) fchmodSync(fd, mode);
        const file = new SharedFile(fd, name);
        if (!named) file.unlink();
        return file;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /**
   * Opens what another process has created, never through a symbolic link.
   *
   * @throws Error when it is not there, no plain file, or not ours to open
   */
  static open(name: string): SharedFile {
    const fd = openSync(name, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (fstatSync(fd).isFile()) return new SharedFile(fd);
    closeSync(fd);
    throw new Error(`${name} is no plain file`);
  }

  /** Where another process finds it; undefined when it has no name. */
  get path(): string | undefined {
    return this.#path;
  }

  get sizeBytes(): number {
    return fstatSync(this.fd).size;
  }

  /** Makes it longer (or shorter: what another process has mapped must never shrink). Memory is taken where it is written. */
  resize(bytes: number): void {
    ftruncateSync(this.fd, bytes);
  }

  /** Takes its name away: who holds it keeps it, nobody else finds it. */
  unlink(): void {
    if (this.#path === undefined) return;
    const name = this.#path;
    this.#path = undefined;
    try {
      unlinkSync(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  /**
   * Takes the file's lock unless another process has it. It is held until `close`, and ends with the process, however that
   * ends: so it tells whether somebody is still there.
   *
   * @throws Error where there is no flock(2)
   */
  tryLock(): boolean {
    return loadLibC().flock(this.fd, LOCK_EX_NB) === 0;
  }

  /** Blocks for the time of a memory copy. @throws Error when memory is short */
  write(data: ArrayBufferView, offset: number): void {
    let done = 0;
    while (done < data.byteLength) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset + done, data.byteLength - done);
      try {
        done += writeSync(this.fd, bytes, 0, bytes.length, offset + done);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        throw noSharedMemory(offset + data.byteLength);
      }
    }
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
    this.unlink();
    closeSync(this.fd);
  }
}

export function noSharedMemory(bytes: number): Error {
  const mebibytes = Math.ceil(bytes / 1024 / 1024);
  return new Error(`no shared memory for ${mebibytes} MiB; a container has 64 MiB unless HostConfig.ShmSize says more`);
}
