import { isDeepStrictEqual } from 'node:util';
import { messageOf, type VantageError } from '@vantage/contracts';
import type { ModelStore } from '@vantage/model-store';
import { Backoff, redact, type Logger, type Metrics } from '@vantage/observability';
import { CALL_CODES } from '../errors.ts';
import { folderOf, resolveSource, type ResolvedSource } from '../source/resolve-source.ts';
import type { NodeDefinition } from '../twin/definition.ts';
import { CallStatistics } from './call-statistics.ts';
import { FolderWatch } from './folder-watch.ts';
import type { CallResult } from './messages.ts';
import { createNodeMetrics, type NodeMetrics } from './node-metrics.ts';
import type { NodeProcess } from './node-process.ts';
import { StandIn } from './stand-in.ts';
import { CIRCUIT, startProcess } from './start-process.ts';
import { problemOf, sourceText, type NodeProblem, type NodeState, type NodeStatus } from './status.ts';

/** A module has ten seconds to stop. */
const STOP_MS = 6000;
/** The same complaint of calls is logged again after this time. */
const REPEAT_LOG_MS = 60_000;
/** Failures of a new version that may pass by themselves; the version is tried again while the one before runs. */
const PASSING = new Set(['MODEL_DOWNLOAD_FAILED', 'HOSTED_NODE_PORT_TAKEN']);

export interface HostedNodeOptions {
  readonly name: string;
  /** Address to listen on. */
  readonly host: string;
  /** Folder that relative folders start from. */
  readonly root: string;
  readonly store: ModelStore;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Each time something but a count has changed. */
  readonly onChange?: () => void;
}

interface Running {
  readonly definition: NodeDefinition;
  readonly resolved: ResolvedSource;
  readonly process: NodeProcess;
}

/**
 * One node under its name: keeps a process that serves it, starts it again when it ends, and lets a new version take the
 * port over as soon as it serves; calls that the old one has begun are finished by it. A version that does not start
 * changes nothing. While no process serves, calls are answered with the reason.
 */
export class HostedNode {
  readonly #options: HostedNodeOptions;
  readonly #logger: Logger;
  readonly #metrics: NodeMetrics;
  readonly #backoff = new Backoff({ baseMs: 500, capMs: 30_000, resetAfterMs: 30_000, jitter: 0 });
  readonly #statistics = new CallStatistics();
  readonly #standIn: StandIn;
  /** Old versions that finish their calls. */
  readonly #leaving = new Set<NodeProcess>();
  #wanted: NodeDefinition | undefined;
  #running: Running | undefined;
  /** What ran last: the one to go back to when a new version does not start and the old one has ended meanwhile. */
  #lastRun: NodeDefinition | undefined;
  #isStarting = false;
  #state: NodeState = 'stopped';
  #port = 0;
  #abort = new AbortController();
  #work: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #watch: { readonly folder: string; readonly watch: FolderWatch } | undefined;
  #isStopped = false;
  #restarts = 0;
  #reloads = 0;
  #circuit: 'closed' | 'open' = 'closed';
  #error: NodeProblem | undefined;
  #rejected: NodeProblem | undefined;
  #lastLogged = { text: '', at: 0 };

  constructor(options: HostedNodeOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ nodeId: options.name });
    this.#metrics = createNodeMetrics(options.metrics, options.name);
    this.#standIn = new StandIn(options.host, () => this.#whyAbsent());
  }

  get status(): NodeStatus {
    const running = this.#running;
    const shown = running?.definition ?? this.#wanted;
    return {
      name: this.#options.name,
      state: this.#state,
      source: shown === undefined ? '' : sourceText(shown),
      ...(running === undefined ? {} : { language: running.resolved.language, pid: running.process.pid }),
      ...(running?.resolved.sha256 === undefined ? {} : { sha256: running.resolved.sha256 }),
      port: this.#port,
      ...(shown?.route === undefined ? {} : { route: shown.route }),
      restarts: this.#restarts,
      reloads: this.#reloads,
      circuit: this.#circuit,
      ...(running === undefined ? {} : { memoryMiB: Math.round(running.process.memoryBytes / 1024 / 1024) }),
      ...this.#statistics.counts,
      ...(this.#error === undefined ? {} : { error: this.#error }),
      ...(this.#rejected === undefined ? {} : { rejected: this.#rejected }),
    };
  }

  /** Makes the node as it is wanted; the same again changes nothing. What it ran goes on until the new one serves. */
  apply(definition: NodeDefinition): void {
    if (this.#isStopped || isDeepStrictEqual(definition, this.#wanted)) return;
    this.#wanted = definition;
    this.#backoff.reset();
    this.#watchFolder(folderOf(definition, this.#options.root));
    this.#begin(definition);
  }

  /** Settles when no start is under way; what is tried again later is not waited for. */
  async settled(): Promise<void> {
    let work: Promise<void> | undefined;
    while (work !== this.#work) {
      work = this.#work;
      await work;
    }
  }

  /** Calls under way are finished, those that take longer than six seconds are not. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#abort.abort();
    clearTimeout(this.#retry);
    this.#watchFolder(undefined);
    await this.#work;
    const running = this.#running;
    this.#running = undefined;
    await Promise.all([
      running?.process.drain(STOP_MS),
      this.#standIn.release(),
      ...[...this.#leaving].map((process) => process.drain(STOP_MS)),
    ]);
    this.#metrics.forget();
    this.#state = 'stopped';
  }

  /** The newest start wins: one that is under way is given up. */
  #begin(definition: NodeDefinition): void {
    if (this.#isStopped) return;
    this.#abort.abort();
    clearTimeout(this.#retry);
    const abort = new AbortController();
    this.#abort = abort;
    if (this.#running === undefined) this.#setState('starting');
    this.#work = this.#work.then(async () => {
      if (!abort.signal.aborted) await this.#start(definition, abort.signal);
    });
  }

  async #start(definition: NodeDefinition, signal: AbortSignal): Promise<void> {
    const running = this.#running;
    const { root, store, host } = this.#options;
    // While the old version serves on the port, it is the one that holds it.
    const keepsPort = running !== undefined && [0, running.definition.port].includes(definition.port);
    const standIn = running === undefined || keepsPort ? this.#standIn : new StandIn(host, () => this.#whyAbsent());
    this.#isStarting = true;
    try {
      const port = keepsPort ? this.#port : await this.#hold(standIn, definition);
      const resolved = await resolveSource(definition, { root, store }, signal);
      const process = await startProcess(definition, resolved, { host, port, root }, this.#events(), signal);
      if (signal.aborted) await process.stop();
      else this.#take({ definition, resolved, process }, standIn);
    } catch (error) {
      if (standIn !== this.#standIn) await standIn.release();
      this.#isStarting = false;
      if (!signal.aborted) this.#failed(error, definition);
    } finally {
      this.#isStarting = false;
    }
  }

  #events(): Parameters<typeof startProcess>[3] {
    const { name } = this.#options;
    return {
      onPrint: (level, line) => this.#logger[level](`node ${name} prints: ${line}`),
      onCall: (result, ms, text) => this.#onCall(result, ms, text),
      onCircuit: (state, text) => this.#onCircuit(state, text),
    };
  }

  async #hold(standIn: StandIn, definition: NodeDefinition): Promise<number> {
    const isKnown = this.#port !== 0 && (definition.port === 0 || definition.port === this.#port);
    const port = await standIn.hold(isKnown ? this.#port : definition.port, isKnown);
    if (this.#running === undefined) this.#port = port;
    return port;
  }

  async #holdWhileAbsent(): Promise<void> {
    if (this.#running !== undefined || this.#isStopped) return;
    try {
      await this.#standIn.hold(this.#port, true);
    } catch (error) {
      // The next start says it again, and that is tried again.
      this.#logger.warn(messageOf(error));
    }
  }

  #take(next: Running, standIn: StandIn): void {
    const before = this.#running;
    this.#running = next;
    this.#lastRun = next.definition;
    this.#port = next.process.port;
    this.#circuit = 'closed';
    this.#metrics.circuit(false);
    if (next.definition === this.#wanted) this.#rejected = undefined;
    this.#error = undefined;
    next.process.whenEnded((why) => {
      if (this.#running === next) this.#lost(next, why);
    });
    this.#backoff.healthy();
    void standIn.release();
    if (before !== undefined) {
      this.#reloads += 1;
      this.#leaving.add(before.process);
      void before.process.drain().then(() => this.#leaving.delete(before.process));
    }
    this.#logger.info(`node ${next.definition.name} ${before === undefined ? 'runs' : 'has a new version'}`, {
      port: this.#port,
      pid: next.process.pid,
      source: sourceText(next.definition),
    });
    this.#setState('running');
  }

  /** The process has ended by itself: another one, at once if it has been well for a while, else after a pause. */
  #lost(lost: Running, why: VantageError): void {
    this.#running = undefined;
    this.#statistics.lost(lost.process.inFlight);
    this.#restarts += 1;
    this.#metrics.restarted(why.code);
    this.#error = problemOf(why);
    const isFirst = this.#backoff.failures === 0;
    const pauseMs = Math.round(this.#backoff.next());
    const delayMs = isFirst ? 0 : pauseMs;
    this.#logger.error(`${why.message}; it is started again in ${delayMs} ms`, { code: why.code, delayMs });
    this.#setState('failed');
    this.#work = this.#work.then(() => this.#holdWhileAbsent());
    // A new version that is being started takes its place; when that fails, this one is tried again.
    if (!this.#isStarting) this.#later(delayMs, lost.definition);
  }

  #failed(error: unknown, definition: NodeDefinition): void {
    const problem = problemOf(error);
    if (this.#running !== undefined) {
      this.#rejected = problem;
      this.#logger.error(`the new version of node ${definition.name} is not used: ${problem.message}`, {
        code: problem.code,
      });
      if (PASSING.has(problem.code)) this.#later(Math.round(this.#backoff.next()), definition);
      this.#options.onChange?.();
      return;
    }
    const next = this.#lastRun ?? definition;
    if (next === definition) this.#error = problem;
    else this.#rejected = problem;
    const delayMs = Math.round(this.#backoff.next());
    this.#logger.error(`node ${definition.name} does not run, next try in ${delayMs} ms: ${problem.message}`, {
      code: problem.code,
    });
    this.#setState('failed');
    this.#later(delayMs, next);
  }

  #later(delayMs: number, definition: NodeDefinition): void {
    clearTimeout(this.#retry);
    if (this.#isStopped) return;
    this.#retry = setTimeout(() => this.#begin(definition), delayMs);
  }

  #watchFolder(folder: string | undefined): void {
    if (folder === this.#watch?.folder) return;
    this.#watch?.watch.stop();
    this.#watch = undefined;
    if (folder === undefined) return;
    const watch = new FolderWatch(folder, () => {
      if (this.#wanted === undefined) return;
      this.#backoff.reset();
      this.#begin(this.#wanted);
    });
    watch.start();
    this.#watch = { folder, watch };
  }

  #onCall(result: CallResult, ms: number, text: string | undefined): void {
    this.#statistics.add(result, ms);
    this.#metrics.call(result, ms);
    if (result === 'ok' || text === undefined) return;
    const now = performance.now();
    if (text === this.#lastLogged.text && now - this.#lastLogged.at < REPEAT_LOG_MS) return;
    this.#lastLogged = { text, at: now };
    this.#error = { code: CALL_CODES[result], message: redact(text), at: new Date().toISOString() };
    this.#logger.warn(`node ${this.#options.name}: ${text}`, { code: CALL_CODES[result] });
    this.#options.onChange?.();
  }

  #onCircuit(state: 'open' | 'closed', text: string | undefined): void {
    this.#circuit = state;
    this.#metrics.circuit(state === 'open');
    const { name } = this.#options;
    if (state === 'closed') this.#logger.info(`node ${name} answers again`);
    else {
      const why = text === undefined ? '' : `: ${text}`;
      const pause = CIRCUIT.pauseMs / 1000;
      this.#logger.error(`node ${name}: ${CIRCUIT.failures} calls in a row failed, no calls for ${pause} s${why}`);
    }
    this.#options.onChange?.();
  }

  #whyAbsent(): string {
    const { name } = this.#options;
    return this.#error === undefined
      ? `node ${name} is starting`
      : `node ${name} does not run: ${this.#error.message}; it is started again`;
  }

  #setState(state: NodeState): void {
    this.#state = state;
    this.#metrics.up(state === 'running');
    this.#options.onChange?.();
  }
}
