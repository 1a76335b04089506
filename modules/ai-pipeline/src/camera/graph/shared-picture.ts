import { BufferPool } from '../buffer-pool.ts';
import type { View } from '../view.ts';
import { pack, unpack } from './pixels.ts';
import type { SharedPicture } from './stage.ts';

/** Buffers of a size that are kept for later pictures: one at each node of a usual graph. */
const POOLED = 6;

/** Memory of the pictures of one camera. Used only on the camera's thread. */
export class PicturePool {
  readonly #planes = new BufferPool(POOLED, (bytes) => new SharedArrayBuffer(bytes));
  readonly #packed = new BufferPool(POOLED, (bytes) => new ArrayBuffer(bytes));

  /** Memory for planes, to be filled and handed to `fromPlanes`, or given back with `give`. */
  take(bytes: number): SharedArrayBuffer {
    return this.#planes.take(bytes);
  }

  give(buffer: SharedArrayBuffer): void {
    this.#planes.give(buffer);
  }

  /** A picture with one reference. Takes `planes` over, which came from `take`. */
  fromPlanes(planes: SharedArrayBuffer, width: number, height: number, view: View): SharedPicture {
    return new Counted({ planes: this.#planes, packed: this.#packed }, { planes }, width, height, view);
  }

  /** A picture with one reference. Copies `packed`: B, G, R of each pixel, without padding. */
  fromPacked(packed: Uint8Array, width: number, height: number, view: View): SharedPicture {
    const own = this.#packed.take(packed.length);
    new Uint8Array(own).set(packed);
    return new Counted({ planes: this.#planes, packed: this.#packed }, { packed: own }, width, height, view);
  }
}

interface Pools {
  readonly planes: BufferPool<SharedArrayBuffer>;
  readonly packed: BufferPool<ArrayBuffer>;
}

class Counted implements SharedPicture {
  readonly width: number;
  readonly height: number;
  readonly view: View;
  readonly #pools: Pools;
  #planes: SharedArrayBuffer | undefined;
  #packed: Uint8Array<ArrayBuffer> | undefined;
  #references = 1;

  constructor(
    pools: Pools,
    pixels: { readonly planes?: SharedArrayBuffer; readonly packed?: ArrayBuffer },
    width: number,
    height: number,
    view: View,
  ) {
    this.#pools = pools;
    this.#planes = pixels.planes;
    this.#packed = pixels.packed && new Uint8Array(pixels.packed);
    this.width = width;
    this.height = height;
    this.view = view;
  }

  planes(): Uint8Array<SharedArrayBuffer> {
    const bytes = this.#bytes;
    if (!this.#planes) {
      this.#planes = this.#pools.planes.take(bytes);
      if (this.#packed) unpack(this.#packed, bytes / 3, new Uint8Array(this.#planes));
    }
    return new Uint8Array(this.#planes, 0, bytes);
  }

  packed(): Uint8Array {
    if (!this.#packed) {
      this.#packed = new Uint8Array(this.#pools.packed.take(this.#bytes));
      this.packInto(this.#packed);
    }
    return this.#packed;
  }

  packInto(target: Uint8Array): void {
    if (this.#packed && target !== this.#packed) target.set(this.#packed);
    else if (this.#planes) pack(new Uint8Array(this.#planes), this.#bytes / 3, target);
  }

  retain(): void {
    this.#references += 1;
  }

  release(): void {
    this.#references -= 1;
    if (this.#references !== 0) return;
    if (this.#planes) this.#pools.planes.give(this.#planes);
    if (this.#packed) this.#pools.packed.give(this.#packed.buffer);
    this.#planes = undefined;
    this.#packed = undefined;
  }

  get #bytes(): number {
    return this.width * this.height * 3;
  }
}
