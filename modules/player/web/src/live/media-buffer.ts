/** Fragments that wait for the browser: 20 seconds of a camera with 30 frames a second. Then the picture starts anew. */
const MOST_WAITING = 600;
/** Seconds behind the picture that are kept. */
const KEEP_SECONDS = 10;

/** Hands fragments to a video element in order, one at a time, and forgets what was played. */
export class MediaBuffer {
  readonly #media = new MediaSource();
  readonly #video: HTMLVideoElement;
  readonly #url: string;
  readonly #failed: (why: string) => void;
  readonly #waiting: ArrayBuffer[] = [];
  #buffer: SourceBuffer | undefined;
  #closed = false;

  constructor(video: HTMLVideoElement, mimeType: string, failed: (why: string) => void) {
    this.#video = video;
    this.#failed = failed;
    this.#url = URL.createObjectURL(this.#media);
    this.#media.addEventListener('sourceopen', () => {
      if (this.#closed) return;
      this.#media.duration = Number.POSITIVE_INFINITY;
      this.#buffer = this.#media.addSourceBuffer(mimeType);
      this.#buffer.addEventListener('updateend', () => this.#next());
      this.#next();
    });
    video.src = this.#url;
  }

  /** First and last second that can be played. */
  get range(): { readonly start: number; readonly end: number } | undefined {
    if (this.#closed || !this.#buffer || this.#media.readyState !== 'open') return undefined;
    const { buffered } = this.#buffer;
    const last = buffered.length - 1;
    return last < 0 ? undefined : { start: buffered.start(last), end: buffered.end(last) };
  }

  append(fragment: ArrayBuffer): void {
    if (this.#closed) return;
    if (this.#waiting.length >= MOST_WAITING) return this.#failed('the browser cannot keep up with the picture');
    this.#waiting.push(fragment);
    this.#next();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting.length = 0;
    URL.revokeObjectURL(this.#url);
  }

  #next(): void {
    const buffer = this.#buffer;
    if (this.#closed || !buffer || buffer.updating || this.#media.readyState !== 'open') return;
    const old = this.#video.currentTime - KEEP_SECONDS;
    const first = buffer.buffered.length > 0 ? buffer.buffered.start(0) : old;
    if (old - first > KEEP_SECONDS) return buffer.remove(first, old);
    const fragment = this.#waiting[0];
    if (!fragment) return;
    try {
      buffer.appendBuffer(fragment);
      this.#waiting.shift();
    } catch (error) {
      this.#failed(error instanceof Error ? error.message : String(error));
    }
  }
}
