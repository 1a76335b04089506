import type { RawPicture } from './picture-stream.ts';

/** ffmpeg hands both out together; this many without a partner mean that one of the two streams is broken. */
const MAX_UNPAIRED = 16;

/**
 * Puts the two pictures of a frame together, that for the network and the full one: they come through a pipe each.
 *
 * While one of them is missing neither pipe may wait, for ffmpeg could be stuck in the other. So reading pauses only
 * for a whole pair.
 */
export class PicturePairs {
  readonly #onPair: (small: RawPicture, full: RawPicture) => void | Promise<void>;
  readonly #small: RawPicture[] = [];
  readonly #full: RawPicture[] = [];
  #held: Promise<void> | undefined;

  constructor(onPair: (small: RawPicture, full: RawPicture) => void | Promise<void>) {
    this.#onPair = onPair;
  }

  pushSmall(picture: RawPicture): void | Promise<void> {
    this.#small.push(picture);
    return this.#match();
  }

  pushFull(picture: RawPicture): void | Promise<void> {
    this.#full.push(picture);
    return this.#match();
  }

  #match(): void | Promise<void> {
    if (this.#held) return this.#held;
    for (;;) {
      const [small] = this.#small;
      const [full] = this.#full;
      if (!small || !full) break;
      if (small.rawUs === full.rawUs) {
        this.#small.shift();
        this.#full.shift();
        const held = this.#onPair(small, full);
        if (held === undefined) continue;
        this.#held = held.then(async () => {
          this.#held = undefined;
          await this.#match();
        });
        return this.#held;
      }
      // One of the two was dropped on the way: the older one has no partner any more.
      if (small.rawUs < full.rawUs) this.#small.shift();
      else this.#full.shift();
    }
    if (Math.max(this.#small.length, this.#full.length) > MAX_UNPAIRED) {
      throw new Error('the pictures for the network and the full ones do not belong together');
    }
    return undefined;
  }
}
