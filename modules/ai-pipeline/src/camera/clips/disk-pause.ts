import { access, constants, mkdir, statfs } from 'node:fs/promises';

/** Enough for some seconds of any camera, and for the index and JSON of a clip. */
const ENOUGH_BYTES = 32 << 20;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/** Keeps a recording from a folder that takes nothing, mostly a full disk, until it does again. */
export class DiskPause {
  readonly #folder: string;
  readonly #onRoom: () => void;
  #isFull = false;
  #pauseMs = FIRST_PAUSE_MS;
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
    const pauseMs = this.#pauseMs;
    // A folder that seems well and takes nothing is tried ever less often.
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    this.#ask(pauseMs);
    return true;
  }

  /** A clip was written. */
  succeeded(): void {
    this.#pauseMs = FIRST_PAUSE_MS;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #ask(inMs: number): void {
    this.#timer = setTimeout(() => {
      void takesFiles(this.#folder)
        .catch(() => false)
        .then((takes) => {
          if (!takes) return this.#ask(FIRST_PAUSE_MS);
          this.#isFull = false;
          this.#onRoom();
        });
    }, inMs).unref();
  }
}

async function takesFiles(folder: string): Promise<boolean> {
  await mkdir(folder, { recursive: true });
  await access(folder, constants.W_OK | constants.X_OK);
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize >= ENOUGH_BYTES;
}
