import { Backoff } from '@vantage/observability';
import type { Attribute, TensorData } from '@vantage/vision';
import { FolderWatch } from './folder-watch.ts';
import { oneLine } from './output-lines.ts';
import { ParserFailure, ParserProcess, type ProcessOptions } from './parser-process.ts';
import type { TensorFile } from './tensor-file.ts';
import type {
  CustomParser,
  ParsedObject,
  ParserCounts,
  ParserInfo,
  ParserLog,
  ParserOverlay,
  ParserResult,
} from './types.ts';
import { ROW_NUMBERS, problemsOf, type Frame } from './wire.ts';

/** The same complaint is logged again after this time. */
const REPEAT_LOG_MS = 60_000;
const MAX_UNKNOWN_CLASSES = 100;

export interface HostedParserOptions {
  readonly process: ProcessOptions;
  readonly tensors: TensorFile;
  readonly deadlineMs: number;
  /** Endings of files whose change loads the parser anew. */
  readonly codeEndings: readonly string[];
  readonly log: ParserLog;
}

/**
 * A parser that keeps running: its process is started again when it ends (the first time at once, then with growing
 * pauses), and a new version of its file takes over as soon as it is loaded. Until then the old one serves.
 */
export class HostedParser implements CustomParser {
  readonly #options: HostedParserOptions;
  readonly #watch: FolderWatch;
  readonly #backoff = new Backoff({ baseMs: 250, capMs: 30_000, resetAfterMs: 30_000, jitter: 0 });
  readonly #counts = { read: 0, failed: 0, timeouts: 0, dropped: 0, restarts: 0, reloads: 0, reloadFailures: 0 };
  readonly #unknownClasses = new Set<number>();
  #process: ParserProcess | undefined;
  #info: ParserInfo;
  /** Settles when the attempt to start that is under way is over. */
  #starting: Promise<void> | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  /** Before the next attempt: settles with it. */
  #pause: { readonly over: Promise<void>; readonly endsAt: number } | undefined;
  #whyDown = '';
  #reloading: Promise<void> | undefined;
  #changedAgain = false;
  #busy: Promise<unknown> | undefined;
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;
  #lastLogged = '';
  #lastLoggedAt = 0;

  constructor(first: ParserProcess, options: HostedParserOptions) {
    this.#options = options;
    this.#info = first.info;
    this.#watch = new FolderWatch(options.process.file, options.codeEndings, () => this.#reload());
    this.#take(first);
  }

  /** Begins to look for new versions of the file. */
  start(): this {
    this.#watch.start();
    return this;
  }

  get info(): ParserInfo {
    return this.#info;
  }

  get counts(): ParserCounts {
    return { ...this.#counts };
  }

  async read(tensors: readonly TensorData[]): Promise<ParserResult> {
    this.#counts.read += 1;
    if (this.#closed !== undefined) return this.#failed('the parser is closed');
    if (this.#busy !== undefined) {
      this.#counts.dropped += 1;
      return this.#failed('the parser still reads the one before');
    }
    const reading = this.#read(tensors);
    this.#busy = reading;
    try {
      return await reading;
    } finally {
      this.#busy = undefined;
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#watch.stop();
    clearTimeout(this.#restartTimer);
    this.#closing.abort();
    await this.#process?.stop();
    await Promise.allSettled([this.#busy, this.#starting, this.#reloading]);
    this.#options.tensors.close();
  }

  async #read(tensors: readonly TensorData[]): Promise<ParserResult> {
    const { deadlineMs } = this.#options;
    try {
      const request = this.#options.tensors.write(this.#counts.read, tensors);
      const process = this.#process ?? (await this.#started(deadlineMs));
      if (process === undefined) return this.#failed(this.#whyDown);
      let frame: Frame;
      try {
        frame = await process.request(request, deadlineMs);
      } catch (error) {
        if (error instanceof ParserFailure && error.kind === 'timeout') this.#counts.timeouts += 1;
        if (this.#closed !== undefined) return this.#failed('the parser is closed');
        const reason = error instanceof Error ? error.message : String(error);
        if (process === this.#process) this.#lost(reason);
        return this.#failed(reason);
      }
      if (frame.header['fatal'] === true && process === this.#process) {
        this.#process = undefined;
        await process.stop();
        this.#lost((frame.header['failed'] as string | undefined) ?? problemsOf(frame).join('; '));
      } else {
        this.#backoff.healthy();
      }
      return this.#result(frame);
    } catch (error) {
      return this.#failed(error instanceof Error ? error.message : String(error));
    }
  }

  #result(frame: Frame): ParserResult {
    const { header, rows } = frame;
    if (typeof header['failed'] === 'string') return this.#failed(oneLine(header['failed']));
    const message = 'message' in header ? { message: header['message'] } : {};
    const problems = problemsOf(frame);
    const problem = problems.length === 0 ? {} : this.#failed(oneLine(problems.join('; ')));
    if (this.#info.modelType === undefined) return { ...message, ...problem };
    const overlay = header['overlay'] === undefined ? {} : { overlay: header['overlay'] as ParserOverlay };
    return { detections: this.#detections(header, rows), ...overlay, ...message, ...problem };
  }

  #detections(header: Frame['header'], rows: Float64Array): ParsedObject[] {
    const labels = header['labels'] as readonly (string | null)[] | undefined;
    const attributes = header['attributes'] as readonly (readonly Attribute[])[] | undefined;
    const objects: ParsedObject[] = [];
    for (let index = 0; index < rows.length / ROW_NUMBERS; index += 1) {
      const [classNumber = 0, confidence = 0, left = 0, top = 0, width = 0, height = 0] = rows.subarray(
        index * ROW_NUMBERS,
        (index + 1) * ROW_NUMBERS,
      );
      const classId = Math.trunc(classNumber);
      const label = labels?.[index] ?? this.#info.labels[classId] ?? this.#unknown(classId);
      const object = { classId, label, confidence, box: { left, top, width, height } };
      const own = attributes?.[index];
      objects.push(own === undefined || own.length === 0 ? object : { ...object, attributes: own });
    }
    return objects;
  }

  #unknown(classId: number): string {
    if (!this.#unknownClasses.has(classId) && this.#unknownClasses.size < MAX_UNKNOWN_CLASSES) {
      this.#unknownClasses.add(classId);
      const { labels, name } = this.#info;
      this.#options.log('warn', `parser ${name} gives class ${classId}, but it has ${labels.length} labels`, {
        classId,
      });
    }
    return '---';
  }

  /** Counts a failure, and logs it when it is new. */
  #failed(reason: string): { error: string } {
    this.#counts.failed += 1;
    const now = performance.now();
    if (reason !== this.#lastLogged || now - this.#lastLoggedAt > REPEAT_LOG_MS) {
      this.#lastLogged = reason;
      this.#lastLoggedAt = now;
      const { failed, read } = this.#counts;
      this.#options.log('warn', `parser ${this.#info.name}: ${reason}`, { failed, read });
    }
    return { error: reason };
  }

  #take(process: ParserProcess): void {
    this.#process = process;
    this.#info = process.info;
    this.#unknownClasses.clear();
    process.onIdleEnd = (reason) => {
      if (process === this.#process) this.#lost(reason);
    };
  }

  /** The process is gone: another one, at once if it has been well for a while, else after a pause. */
  #lost(reason: string): void {
    this.#process = undefined;
    if (this.#closed !== undefined || this.#starting !== undefined) return;
    const isFirst = this.#backoff.failures === 0;
    const pauseMs = this.#backoff.next();
    const delayMs = isFirst ? 0 : Math.round(pauseMs);
    this.#whyDown = `${reason}; the parser is started again`;
    this.#options.log('warn', `parser ${this.#info.name} is started again in ${delayMs} ms: ${reason}`, { delayMs });
    clearTimeout(this.#restartTimer);
    if (isFirst) {
      this.#restart();
      return;
    }
    const over = new Promise<void>((resolve) => {
      this.#restartTimer = setTimeout(() => {
        this.#pause = undefined;
        this.#restart();
        resolve();
      }, delayMs);
    });
    this.#pause = { over, endsAt: performance.now() + delayMs };
  }

  #restart(): void {
    if (this.#closed !== undefined || this.#process !== undefined || this.#starting !== undefined) return;
    this.#counts.restarts += 1;
    let failure: string | undefined;
    this.#starting = this.#start()
      .catch((error: unknown) => {
        failure = error instanceof Error ? error.message : String(error);
      })
      .finally(() => {
        this.#starting = undefined;
        if (failure !== undefined && this.#process === undefined) this.#lost(failure);
      });
  }

  async #start(): Promise<void> {
    const process = await ParserProcess.start(this.#options.process, this.#closing.signal);
    if (this.#closed !== undefined || this.#process !== undefined) await process.stop();
    else this.#take(process);
  }

  /** The process that is being started or soon will be, if it is there in time. */
  async #started(deadlineMs: number): Promise<ParserProcess | undefined> {
    const until = performance.now() + deadlineMs;
    const { signal } = this.#closing;
    let giveUp = (): void => undefined;
    const late = new Promise<'late'>((resolve) => (giveUp = () => resolve('late')));
    const timer = setTimeout(giveUp, deadlineMs);
    signal.addEventListener('abort', giveUp);
    while (this.#process === undefined && this.#closed === undefined) {
      const isPauseTooLong = this.#pause === undefined || this.#pause.endsAt > until;
      const next = this.#starting ?? (isPauseTooLong ? undefined : this.#pause?.over);
      if (next === undefined || (await Promise.race([next, late])) === 'late') break;
    }
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
    return this.#process;
  }

  #reload(): void {
    if (this.#closed !== undefined) return;
    if (this.#reloading !== undefined) {
      this.#changedAgain = true;
      return;
    }
    this.#reloading = this.#takeNewVersion().finally(() => {
      this.#reloading = undefined;
      if (!this.#changedAgain) return;
      this.#changedAgain = false;
      this.#reload();
    });
  }

  async #takeNewVersion(): Promise<void> {
    const { log } = this.#options;
    let next: ParserProcess;
    try {
      next = await ParserProcess.start(this.#options.process, this.#closing.signal);
    } catch (error) {
      if (this.#closed !== undefined) return;
      this.#counts.reloadFailures += 1;
      const reason = error instanceof Error ? error.message : String(error);
      log('error', `the new version of parser ${this.#info.name} is not used, the old one goes on: ${reason}`);
      return;
    }
    if (this.#closed !== undefined) {
      await next.stop();
      return;
    }
    const old = this.#process;
    clearTimeout(this.#restartTimer);
    this.#pause = undefined;
    this.#backoff.reset();
    this.#take(next);
    this.#counts.reloads += 1;
    log('info', `parser ${this.#info.name}: its new version is in use`);
    // The old one still answers what it was asked; its answer is read with the labels of the new one.
    await this.#busy?.catch(() => undefined);
    await old?.stop();
  }
}
