import { createRequire } from 'node:module';
import type koffi from 'koffi';

/** What Node lacks of the C library. */
export interface LibC {
  /** @returns the address, or `MAP_FAILED` */
  mmap(at: null, bytes: number, protection: number, flags: number, fd: number, offset: number): bigint;
  munmap(at: bigint, bytes: number): number;
  /** Gives an error number instead of setting it. */
  posix_fallocate(fd: number, offset: number, bytes: number): number;
  /** @returns 0, or -1 and `errno` */
  flock(fd: number, operation: number): number;
  view(at: bigint, bytes: number): ArrayBuffer;
  errno(): number;
}

let libc: LibC | undefined;

/** Loaded by the first who needs it: a foreign function interface is not for those who do not. @throws Error elsewhere */
export function loadLibC(): LibC {
  if (libc !== undefined) return libc;
  if (process.platform !== 'linux') throw new Error(`memory is mapped on Linux only, and this is ${process.platform}`);
  const ffi = createRequire(import.meta.url)('koffi') as typeof koffi;
  const c = ffi.load(null);
  libc = {
    mmap: c.func('void *mmap(void *at, size_t bytes, int protection, int flags, int fd, int64_t offset)'),
    munmap: c.func('int munmap(void *at, size_t bytes)'),
    posix_fallocate: c.func('int posix_fallocate(int fd, int64_t offset, int64_t bytes)'),
    flock: c.func('int flock(int fd, int operation)'),
    view: (at, bytes) => ffi.view(at, bytes),
    errno: () => ffi.errno(),
  };
  return libc;
}
