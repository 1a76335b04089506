const MAX_TRACKS = 4096;

/** What is known about tracked objects; those that were not seen for longest are forgotten first. */
export class Tracks<T> {
  readonly #tracks = new Map<string, { lastUs: number; value: T }>();
  readonly #keepUs: number;

  /** @param keepUs of frame time that a track is remembered without being seen */
  constructor(keepUs: number) {
    this.#keepUs = keepUs;
  }

  /** What is known; it counts as seen now. A track that was away for too long is a new one. */
  see(key: string, nowUs: number, create: () => T): T {
    const known = this.#tracks.get(key);
    const value = known && nowUs - known.lastUs <= this.#keepUs ? known.value : create();
    // Set anew, so that the oldest come first.
    this.#tracks.delete(key);
    this.#tracks.set(key, { lastUs: nowUs, value });
    return value;
  }

  /** Forgets what was not seen for long enough, and says what. To be called after the objects of a frame. */
  expire(nowUs: number): { readonly key: string; readonly value: T; readonly lastUs: number }[] {
    const gone: { readonly key: string; readonly value: T; readonly lastUs: number }[] = [];
    for (const [key, { value, lastUs }] of this.#tracks) {
      if (nowUs - lastUs <= this.#keepUs && this.#tracks.size <= MAX_TRACKS) break;
      this.#tracks.delete(key);
      gone.push({ key, value, lastUs });
    }
    return gone;
  }

  clear(): void {
    this.#tracks.clear();
  }
}
