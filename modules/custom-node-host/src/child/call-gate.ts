import type { CallResult } from '../supervisor/messages.ts';

/** gRPC status codes. */
const STATUS = { deadlineExceeded: 4, resourceExhausted: 8, unavailable: 14 } as const;

/** An error that ends a call with a status of its own (`grpcCode`) instead of UNKNOWN. */
export class CallRefused extends Error {
  readonly grpcCode: number;
  /** What goes on all the same: the pixels are still in use. */
  readonly stillWorking: Promise<unknown> | undefined;

  constructor(grpcCode: number, message: string, stillWorking?: Promise<unknown>) {
    super(message);
    this.name = 'CallRefused';
    this.grpcCode = grpcCode;
    this.stillWorking = stillWorking;
  }
}

export interface CallGateOptions {
  /** Calls under way; as many more wait. */
  readonly maxInFlight: number;
  /** For one call, its wait included. */
  readonly deadlineMs: number;
  /** After `failures` in a row calls are refused for `pauseMs`; then one is tried. */
  readonly circuit: { readonly failures: number; readonly pauseMs: number };
  readonly now?: () => number;
  readonly onBegin: (id: number) => void;
  /** `id` 0: a call that was refused. */
  readonly onEnd: (id: number, result: CallResult, ms: number, text?: string) => void;
  /** All places are held by calls that did not come back in time. */
  readonly onStuck: (text: string) => void;
  readonly onCircuit: (state: 'open' | 'closed', text?: string) => void;
}

/** Stands before the code of a node: bounds, deadline and circuit breaker of its calls. */
export class CallGate {
  readonly #options: CallGateOptions;
  readonly #now: () => number;
  readonly #line: (() => void)[] = [];
  #id = 0;
  #inFlight = 0;
  /** Calls under way whose deadline is over. */
  #late = 0;
  #failures = 0;
  #openUntil: number | undefined;
  #trying = false;
  #lastFailure = '';

  constructor(options: CallGateOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** @throws CallRefused, or what the work throws */
  async run<T>(work: () => T | Promise<T>): Promise<T> {
    const { deadlineMs, maxInFlight } = this.#options;
    const startedAt = this.#now();
    this.#passCircuit();
    const isTrial = this.#trying;
    if (this.#inFlight >= maxInFlight && this.#line.length >= maxInFlight) {
      throw this.#refuse(
        new CallRefused(STATUS.resourceExhausted, `busy: ${maxInFlight} calls under way and as many waiting`),
      );
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, deadlineMs, 'late')));
    try {
      if (!(await this.#enter(late))) {
        throw this.#refuse(new CallRefused(STATUS.deadlineExceeded, `no place within ${deadlineMs} ms`));
      }
      return await this.#call(work, startedAt, late);
    } finally {
      clearTimeout(timer);
      if (isTrial) this.#trying = false;
    }
  }

  async #call<T>(work: () => T | Promise<T>, startedAt: number, late: Promise<'late'>): Promise<T> {
    const { deadlineMs, maxInFlight, onBegin, onEnd, onStuck } = this.#options;
    const id = (this.#id += 1);
    onBegin(id);
    let isLate = false;
    const working = (async () => work())();
    const leave = (): void => {
      if (isLate) this.#late -= 1;
      const next = this.#line.shift();
      if (next === undefined) this.#inFlight -= 1;
      else next();
    };
    working.then(leave, leave);
    const ms = (): number => Math.round((this.#now() - startedAt) * 100) / 100;
    try {
      const result = await Promise.race([working, late]);
      if (result === 'late') {
        throw new CallRefused(STATUS.deadlineExceeded, `no answer within ${deadlineMs} ms`, working);
      }
      this.#succeeded();
      onEnd(id, 'ok', ms());
      return result;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const isDeadline = error instanceof CallRefused && error.grpcCode === STATUS.deadlineExceeded;
      if (isDeadline) {
        isLate = true;
        this.#late += 1;
      }
      onEnd(id, isDeadline ? 'deadline' : 'failed', ms(), text);
      this.#failed(text);
      if (this.#late >= maxInFlight) onStuck(`${this.#late} calls did not come back within ${deadlineMs} ms`);
      throw error;
    }
  }

  /** Takes a place, or waits for one that is handed over. False: the deadline came first. */
  async #enter(late: Promise<'late'>): Promise<boolean> {
    if (this.#inFlight < this.#options.maxInFlight) {
      this.#inFlight += 1;
      return true;
    }
    let handOver: () => void = () => undefined;
    const turn = new Promise<'turn'>((resolve) => (handOver = () => resolve('turn')));
    this.#line.push(handOver);
    if ((await Promise.race([turn, late])) === 'turn') return true;
    this.#line.splice(this.#line.indexOf(handOver), 1);
    return false;
  }

  #passCircuit(): void {
    if (this.#openUntil === undefined) return;
    const leftMs = this.#openUntil - this.#now();
    if (leftMs <= 0 && !this.#trying) {
      this.#trying = true;
      return;
    }
    const { failures } = this.#options.circuit;
    const when = leftMs > 0 ? `tried again in ${Math.ceil(leftMs / 1000)} s` : 'being tried';
    throw this.#refuse(
      new CallRefused(
        STATUS.unavailable,
        `not called after ${failures} failures in a row, ${when}: ${this.#lastFailure}`,
      ),
    );
  }

  #succeeded(): void {
    this.#failures = 0;
    if (this.#openUntil === undefined) return;
    this.#openUntil = undefined;
    this.#options.onCircuit('closed');
  }

  #failed(text: string): void {
    const { failures, pauseMs } = this.#options.circuit;
    this.#failures += 1;
    this.#lastFailure = text.slice(0, 300);
    if (this.#failures < failures) return;
    const wasOpen = this.#openUntil !== undefined;
    this.#openUntil = this.#now() + pauseMs;
    if (!wasOpen) this.#options.onCircuit('open', this.#lastFailure);
  }

  #refuse(error: CallRefused): CallRefused {
    this.#options.onEnd(0, 'refused', 0, error.message);
    return error;
  }
}
