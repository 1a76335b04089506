import { MultipartReader } from '../core/multipart.ts';

/** `silent`: connected, and nothing comes. */
export type JpegState = 'connecting' | 'picture' | 'silent' | 'lost';

export interface JpegListener {
  state(state: JpegState): void;
  picture(picture: ImageBitmap): void;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8000;
const SILENT_MS = 4000;

/** JPEGs one after the other, each as it comes; of those that come too fast the newest. Connects again by itself. */
export class JpegStream {
  readonly #url: string;
  readonly #listener: JpegListener;
  #over: AbortController | undefined;
  #retryMs = FIRST_RETRY_MS;
  #waiting: Uint8Array<ArrayBuffer> | undefined;
  #decoding = false;

  constructor(url: string, listener: JpegListener) {
    this.#url = url;
    this.#listener = listener;
  }

  /** Idempotent. */
  start(): void {
    if (this.#over) return;
    this.#over = new AbortController();
    this.#retryMs = FIRST_RETRY_MS;
    void this.#run(this.#over.signal);
  }

  /** Idempotent; the last picture is the listener's. */
  stop(): void {
    this.#over?.abort();
    this.#over = undefined;
    this.#waiting = undefined;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#listener.state('connecting');
      await this.#read(signal).catch(() => undefined);
      if (signal.aborted) return;
      this.#listener.state('lost');
      await new Promise((resolve) => window.setTimeout(resolve, this.#retryMs));
      this.#retryMs = Math.min(LAST_RETRY_MS, 2 * this.#retryMs);
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const response = await fetch(this.#url, { signal, cache: 'no-store' });
    if (!response.ok || !response.body) throw new Error(`the server answered ${response.status}`);
    const parts = new MultipartReader();
    const reader = response.body.getReader();
    let silence = 0;
    const listen = (): void => {
      window.clearTimeout(silence);
      silence = window.setTimeout(() => this.#listener.state('silent'), SILENT_MS);
    };
    listen();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        const newest = parts.push(value).at(-1);
        if (!newest) continue;
        listen();
        this.#waiting = newest;
        void this.#decode(signal);
      }
    } finally {
      window.clearTimeout(silence);
      void reader.cancel().catch(() => undefined);
    }
  }

  async #decode(signal: AbortSignal): Promise<void> {
    if (this.#decoding) return;
    this.#decoding = true;
    for (let jpeg = this.#waiting; jpeg && !signal.aborted; jpeg = this.#waiting) {
      this.#waiting = undefined;
      // What is no picture is left out; the next one is on its way.
      const picture = await createImageBitmap(new Blob([jpeg], { type: 'image/jpeg' })).catch(() => undefined);
      if (!picture || signal.aborted) continue;
      this.#retryMs = FIRST_RETRY_MS;
      this.#listener.state('picture');
      this.#listener.picture(picture);
      picture.close();
    }
    this.#decoding = false;
  }
}
