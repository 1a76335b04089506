import { statfs } from 'node:fs/promises';

/** Enough for some seconds of any camera, and for the index and JSON of a clip. */
const ENOUGH_BYTES = 32 << 20;
const ASK_EVERY_MS = 1000;

/** Keeps a recording from a full disk until there is room again. */
export class DiskPause {
  readonly #folder: string;
  readonly #onRoom: () => void;
  #isFull = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string, onRoom: () => void) {
    this.#folder = folder;
    this.#onRoom = onRoom;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** @returns whether that is news */
  begin(): boolean {
    if (this.#isFull) return false;
    this.#isFull = true;
    this.#ask();
    return true;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #ask(): void {
    this.#timer = setTimeout(() => {
      void statfs(this.#folder)
        .then(({ bavail, bsize }) => bavail * bsize >= ENOUGH_BYTES)
        .catch(() => false)
        .then((hasRoom) => {
          if (!hasRoom) return this.#ask();
          this.#isFull = false;
          this.#onRoom();
        });
    }, ASK_EVERY_MS).unref();
  }
}
