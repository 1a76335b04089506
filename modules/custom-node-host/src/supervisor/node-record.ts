import type { VantageError } from '@vantage/contracts';
import { redact, type Logger, type Metrics } from '@vantage/observability';
import { CALL_CODES } from '../errors.ts';
import { CallStatistics } from './call-statistics.ts';
import type { CallResult } from './messages.ts';
import { createNodeMetrics, type NodeMetrics } from './node-metrics.ts';
import { CIRCUIT } from './start-process.ts';
import { problemOf, type NodeProblem, type NodeState, type NodeStatus } from './status.ts';

/** The same complaint of calls is logged again after this time. */
const REPEAT_LOG_MS = 60_000;

export interface NodeRecordOptions {
  readonly name: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Each time something but a count has changed. */
  readonly onChange: () => void;
}

/** What has become of one node over all its processes: counted, logged, measured, and told to its status. */
export class NodeRecord {
  readonly #options: NodeRecordOptions;
  readonly #metrics: NodeMetrics;
  readonly #statistics = new CallStatistics();
  #state: NodeState = 'stopped';
  #restarts = 0;
  #reloads = 0;
  #circuit: 'closed' | 'open' = 'closed';
  #error: NodeProblem | undefined;
  #rejected: NodeProblem | undefined;
  #lastLogged = { text: '', at: 0 };

  constructor(options: NodeRecordOptions) {
    this.#options = options;
    this.#metrics = createNodeMetrics(options.metrics, options.name);
  }

  get status(): Omit<NodeStatus, 'name' | 'source' | 'port'> {
    return {
      state: this.#state,
      restarts: this.#restarts,
      reloads: this.#reloads,
      circuit: this.#circuit,
      ...this.#statistics.counts,
      ...(this.#error === undefined ? {} : { error: this.#error }),
      ...(this.#rejected === undefined ? {} : { rejected: this.#rejected }),
    };
  }

  /** What a call is answered with that nobody can take. */
  get whyAbsent(): string {
    const { name } = this.#options;
    return this.#error === undefined
      ? `node ${name} is starting`
      : `node ${name} does not run: ${this.#error.message}; it is started again`;
  }

  starting(): void {
    this.#setState('starting');
  }

  /** @param isWanted it is the newest version, not the one to go back to */
  runs(isWanted: boolean, tookOver: boolean): void {
    this.#circuit = 'closed';
    this.#metrics.circuit(false);
    if (isWanted) this.#rejected = undefined;
    this.#error = undefined;
    if (tookOver) this.#reloads += 1;
    this.#setState('running');
  }

  /** Its process has ended by itself, with so many calls under way. */
  lost(why: VantageError, inFlight: number): void {
    this.#statistics.lost(inFlight);
    this.#restarts += 1;
    this.#metrics.restarted(why.code);
    this.#error = problemOf(why);
    this.#setState('failed');
  }

  /** Nothing serves. */
  failed(problem: NodeProblem, isNewVersion: boolean): void {
    if (isNewVersion) this.#rejected = problem;
    else this.#error = problem;
    this.#setState('failed');
  }

  /** The version before goes on. */
  rejected(problem: NodeProblem): void {
    this.#rejected = problem;
    this.#options.onChange();
  }

  /** Its numbers go, too. */
  stopped(): void {
    this.#metrics.forget();
    this.#state = 'stopped';
  }

  call(result: CallResult, ms: number, text: string | undefined): void {
    this.#statistics.add(result, ms);
    this.#metrics.call(result, ms);
    if (result === 'ok' || text === undefined) return;
    const now = performance.now();
    if (text === this.#lastLogged.text && now - this.#lastLogged.at < REPEAT_LOG_MS) return;
    this.#lastLogged = { text, at: now };
    this.#error = { code: CALL_CODES[result], message: redact(text), at: new Date().toISOString() };
    this.#options.logger.warn(`node ${this.#options.name}: ${text}`, { code: CALL_CODES[result] });
    this.#options.onChange();
  }

  circuit(state: 'open' | 'closed', text: string | undefined): void {
    this.#circuit = state;
    this.#metrics.circuit(state === 'open');
    const { name, logger } = this.#options;
    if (state === 'closed') logger.info(`node ${name} answers again`);
    else {
      const why = text === undefined ? '' : `: ${text}`;
      const pause = CIRCUIT.pauseMs / 1000;
      logger.error(`node ${name}: ${CIRCUIT.failures} calls in a row failed, no calls for ${pause} s${why}`);
    }
    this.#options.onChange();
  }

  #setState(state: NodeState): void {
    this.#state = state;
    this.#metrics.up(state === 'running');
    this.#options.onChange();
  }
}
