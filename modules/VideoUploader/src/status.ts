import type { EdgeModuleApi } from '@vantage/edge-client';
import type { CounterMetric, GaugeMetric, Metrics } from '@vantage/observability';
import type { Journal } from './journal.ts';

export type StorageState = 'ok' | 'unreachable' | 'refused' | 'full' | 'notConfigured' | 'starting';

/** A value that others need not know at once. */
const REPORT_EVERY_MS = 1000;
const MAX_PROBLEMS = 10;

/** How the uploader is: for the twin and for metrics. */
export class Status {
  readonly #edge: Pick<EdgeModuleApi, 'report'>;
  readonly #journal: Journal;
  readonly #backlogBytes: GaugeMetric;
  readonly #backlogFiles: GaugeMetric;
  readonly #failures: CounterMetric;
  readonly #files: CounterMetric;
  readonly #sent: CounterMetric;
  #storage: { state: StorageState; since: string; error?: string } = { state: 'starting', since: now() };
  #container: string | undefined;
  #twinProblems: readonly string[] = [];
  #folderProblem: string | undefined;
  #clockProblem: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #last = '';

  constructor(edge: Pick<EdgeModuleApi, 'report'>, journal: Journal, metrics: Metrics) {
    this.#edge = edge;
    this.#journal = journal;
    this.#backlogBytes = metrics.gauge({ name: 'vantage_upload_backlog_bytes', help: 'Bytes that wait for storage' });
    this.#backlogFiles = metrics.gauge({ name: 'vantage_upload_backlog_count', help: 'Files that wait for storage' });
    this.#files = metrics.counter({
      name: 'vantage_upload_files_total',
      help: 'Files that storage has confirmed',
      labelNames: ['kind'],
    });
    this.#sent = metrics.counter({ name: 'vantage_upload_sent_bytes', help: 'Bytes of clips that were sent' });
    this.#failures = metrics.counter({
      name: 'vantage_upload_failures_total',
      help: 'Attempts that did not arrive',
      labelNames: ['reason'],
    });
  }

  get storage(): StorageState {
    return this.#storage.state;
  }

  setStorage(state: StorageState, error?: string, container?: string): void {
    if (container !== undefined) this.#container = container;
    const { since } = state === this.#storage.state ? this.#storage : { since: now() };
    this.#storage = { state, since, ...(error === undefined ? {} : { error }) };
    this.changed();
  }

  setTwinProblems(problems: readonly string[]): void {
    this.#twinProblems = problems;
    this.changed();
  }

  setFolderProblem(problem: string | undefined): void {
    if (problem === this.#folderProblem) return;
    this.#folderProblem = problem;
    this.changed();
  }

  /** Storage took a clip although the clock is wrong: its name and its tag `Date` will be, too. */
  setClockProblem(problem: string | undefined): void {
    this.#clockProblem = problem;
  }

  stored(kind: string): void {
    this.#files.inc({ kind });
    this.changed();
  }

  sent(bytes: number): void {
    this.#sent.inc(undefined, bytes);
  }

  failed(reason: string): void {
    this.#failures.inc({ reason });
    this.changed();
  }

  /** Reports soon. */
  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#report();
    }, REPORT_EVERY_MS).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #report(): void {
    const { clips, files, bytes, oldestMs } = this.#journal.backlog();
    this.#backlogBytes.set(bytes);
    this.#backlogFiles.set(files);
    const totals = this.#journal.totals();
    const waiting = this.#journal.in(['seen', 'uploading'], 1000).filter(({ error }) => error !== undefined);
    const problems = [
      // Whoever gives it no storage knows.
      ...(this.#storage.error === undefined || this.#storage.state === 'notConfigured'
        ? []
        : [{ message: this.#storage.error }]),
      ...(this.#folderProblem === undefined ? [] : [{ message: this.#folderProblem }]),
      ...(this.#clockProblem === undefined
        ? []
        : [{ message: `${this.#clockProblem}: so are the times of its clips. Set the clock.` }]),
      ...this.#twinProblems.map((message) => ({ message })),
      // While storage is away every file has the same trouble.
      ...(this.#storage.state === 'ok' ? waiting.map(({ path, error }) => ({ path, message: error ?? '' })) : []),
    ].slice(0, MAX_PROBLEMS);
    const patch = {
      storage: {
        container: null,
        error: null,
        ...this.#storage,
        ...(this.#container ? { container: this.#container } : {}),
      },
      backlog: { clips, bytes, oldest: oldestMs === undefined ? null : new Date(oldestMs).toISOString() },
      uploaded: { clips: totals.clips, bytes: totals.bytes, last: totals.last ?? null },
      removedByRecorder: totals.removedByRecorder,
      problems,
    };
    const text = JSON.stringify(patch);
    if (text === this.#last) return;
    this.#last = text;
    this.#edge.report(patch).catch(() => undefined);
  }
}

function now(): string {
  return new Date().toISOString();
}
