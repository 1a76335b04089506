import { SharedFile } from '@vantage/shared-memory';

/** Where each tensor begins: what the widest vector instructions like. */
const ALIGNMENT = 64;

/**
 * The memory through which tensors reach another process: a file without a name that both hold open. A tensor costs one copy
 * here and none there.
 */
export class SharedMemory {
  readonly #file: SharedFile;
  #end = 0;

  private constructor(file: SharedFile) {
    this.#file = file;
  }

  /** @param folders where to try, best first */
  static open(folders?: readonly string[]): SharedMemory {
    return new SharedMemory(SharedFile.create({ prefix: 'vantage-sidecar-', ...(folders ? { folders } : {}) }));
  }

  /** For the other process to inherit. */
  get fd(): number {
    return this.#file.fd;
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
    this.#file.write(data, offset);
    this.#end = offset + data.byteLength;
    return offset;
  }

  /** Fills `into` from an offset. @throws Error when there is less */
  read(offset: number, into: ArrayBufferView): void {
    this.#file.read(offset, into);
  }

  close(): void {
    this.#file.close();
  }
}
