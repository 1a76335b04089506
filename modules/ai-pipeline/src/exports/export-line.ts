import { messageOf } from '@vantage/contracts';
import { redact } from '@vantage/observability';
import type { ExportSink } from './sink.ts';

export interface ExportStatus {
  /** `failing`: the last document did not arrive, or cannot be sent. `waiting`: nothing was sent yet. */
  readonly state: 'waiting' | 'ok' | 'failing';
  readonly target: string;
  readonly sent: number;
  /** Not sent because too many waited, or too large. */
  readonly dropped: number;
  /** Sent, but not taken. */
  readonly failed: number;
  readonly queued: number;
  readonly lastError?: string;
}

export interface ExportLineOptions {
  readonly sink: ExportSink;
  /** Contract custom-node-and-skills B: 30. */
  readonly capacity?: number;
  readonly onResult: (result: 'sent' | 'dropped' | 'failed') => void;
  /** The first of several that are alike. */
  readonly onProblem: (reason: string) => void;
}

const CAPACITY = 30;
/** Documents that wait hold this together at most, however many they are. */
const MAX_WAITING_BYTES = 16 << 20;
/** How long a stop waits for what is under way. */
const DRAIN_MS = 1000;

/** The queue in front of a sink: bounded, in order, one at a time; what does not fit is dropped and counted. */
export class ExportLine {
  readonly #options: ExportLineOptions;
  readonly #queue: { readonly document: string; readonly bytes: number }[] = [];
  readonly #abort = new AbortController();
  #waitingBytes = 0;
  #sending: Promise<void> | undefined;
  #sent = 0;
  #dropped = 0;
  #failed = 0;
  #state: ExportStatus['state'] = 'waiting';
  #lastError: string | undefined;
  #told: string | undefined;

  constructor(options: ExportLineOptions) {
    this.#options = options;
  }

  get status(): ExportStatus {
    const { target, problem } = this.#options.sink;
    const isStuck = problem !== undefined && this.#queue.length > 0;
    const lastError = isStuck ? problem : this.#lastError;
    return {
      state: isStuck ? 'failing' : this.#state,
      target,
      sent: this.#sent,
      dropped: this.#dropped,
      failed: this.#failed,
      queued: this.#queue.length,
      ...(lastError === undefined ? {} : { lastError }),
    };
  }

  push(document: string): void {
    if (this.#abort.signal.aborted) return;
    const { sink, capacity = CAPACITY } = this.#options;
    const bytes = Buffer.byteLength(document);
    if (bytes > sink.maxBytes) return this.#drop(`a document has ${bytes} bytes; ${sink.maxBytes} can be sent`);
    const full =
      this.#queue.length >= capacity || (this.#queue.length > 0 && this.#waitingBytes + bytes > MAX_WAITING_BYTES);
    if (full) return this.#drop(`it takes documents too slowly, ${this.#queue.length} wait`);
    this.#queue.push({ document, bytes });
    this.#waitingBytes += bytes;
    this.#sending ??= this.#send().finally(() => (this.#sending = undefined));
  }

  /** Gives what waits a second to arrive, where it can be reached. Idempotent. */
  async stop(): Promise<void> {
    if (this.#options.sink.problem !== undefined) this.#abort.abort();
    const drained = new AbortController();
    const timer = setTimeout(() => drained.abort(), DRAIN_MS);
    await Promise.race([
      this.#sending,
      new Promise((resolve) => drained.signal.addEventListener('abort', resolve, { once: true })),
    ]);
    clearTimeout(timer);
    this.#abort.abort();
    await this.#sending;
    for (let left = this.#queue.splice(0).length; left > 0; left -= 1) this.#drop('it was stopped');
    await this.#options.sink.stop?.();
  }

  async #send(): Promise<void> {
    const { signal } = this.#abort;
    const { sink, onResult } = this.#options;
    for (let next = this.#queue[0]; next && !signal.aborted; next = this.#queue[0]) {
      try {
        await sink.send(next.document, signal);
        this.#sent += 1;
        this.#state = 'ok';
        this.#told = undefined;
        onResult('sent');
      } catch (error) {
        if (signal.aborted) return;
        this.#failed += 1;
        this.#state = 'failing';
        onResult('failed');
        this.#tell(redact(messageOf(error)));
      }
      this.#queue.shift();
      this.#waitingBytes -= next.bytes;
    }
  }

  #drop(reason: string): void {
    this.#dropped += 1;
    this.#options.onResult('dropped');
    this.#tell(reason);
  }

  #tell(reason: string): void {
    this.#lastError = reason;
    // Numbers aside: "29 wait" and "30 wait" are the same news.
    const news = reason.replace(/\d+/g, '#');
    if (news === this.#told) return;
    this.#told = news;
    this.#options.onProblem(reason);
  }
}
