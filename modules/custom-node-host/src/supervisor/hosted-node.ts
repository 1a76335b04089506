import { isDeepStrictEqual } from 'node:util';
import { messageOf, type VantageError } from '@vantage/contracts';
import type { ModelStore } from '@vantage/model-store';
import { Backoff, type Logger, type Metrics } from '@vantage/observability';
import { folderOf, resolveSource, type ResolvedSource } from '../source/resolve-source.ts';
import type { NodeDefinition } from '../twin/definition.ts';
import { FolderWatch } from './folder-watch.ts';
import type { NodeProcess } from './node-process.ts';
import { NodeRecord } from './node-record.ts';
import { StandIn } from './stand-in.ts';
import { startProcess } from './start-process.ts';
import { problemOf, sourceText, type NodeStatus } from './status.ts';

/** A module has ten seconds to stop. */
const STOP_MS = 6000;
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
  readonly #record: NodeRecord;
  readonly #backoff = new Backoff({ baseMs: 500, capMs: 30_000, resetAfterMs: 30_000, jitter: 0 });
  readonly #standIn: StandIn;
  /** Old versions that finish their calls. */
  readonly #leaving = new Set<NodeProcess>();
  #wanted: NodeDefinition | undefined;
  #running: Running | undefined;
  /** What ran last: the one to go back to when a new version does not start and the old one has ended meanwhile. */
  #lastRun: NodeDefinition | undefined;
  #isStarting = false;
  #port = 0;
  #abort = new AbortController();
  #work: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #watch: { readonly folder: string; readonly watch: FolderWatch } | undefined;
  #isStopped = false;

  constructor(options: HostedNodeOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ nodeId: options.name });
    const { name, metrics, onChange = () => undefined } = options;
    this.#record = new NodeRecord({ name, logger: this.#logger, metrics, onChange });
    this.#standIn = this.#newStandIn();
  }

  get status(): NodeStatus {
    const running = this.#running;
    const shown = running?.definition ?? this.#wanted;
    return {
      ...this.#record.status,
      name: this.#options.name,
      source: shown === undefined ? '' : sourceText(shown),
      ...(running === undefined ? {} : { language: running.resolved.language, pid: running.process.pid }),
      ...(running?.resolved.sha256 === undefined ? {} : { sha256: running.resolved.sha256 }),
      port: this.#port,
      ...(shown?.route === undefined ? {} : { route: shown.route }),
      ...(running === undefined ? {} : { memoryMiB: Math.round(running.process.memoryBytes / 1024 / 1024) }),
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
    this.#record.stopped();
  }

  /** The newest start wins: one that is under way is given up. */
  #begin(definition: NodeDefinition): void {
    if (this.#isStopped) return;
    this.#abort.abort();
    clearTimeout(this.#retry);
    const abort = new AbortController();
    this.#abort = abort;
    if (this.#running === undefined) this.#record.starting();
    this.#work = this.#work.then(async () => {
      if (!abort.signal.aborted) await this.#start(definition, abort.signal);
    });
  }

  async #start(definition: NodeDefinition, signal: AbortSignal): Promise<void> {
    const running = this.#running;
    const { root, store, host } = this.#options;
    // While the old version serves on the port, it is the one that holds it.
    const keepsPort = running !== undefined && [0, running.definition.port].includes(definition.port);
    const standIn = running === undefined || keepsPort ? this.#standIn : this.#newStandIn();
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

  #newStandIn(): StandIn {
    return new StandIn(this.#options.host, () => this.#record.whyAbsent);
  }

  #events(): Parameters<typeof startProcess>[3] {
    const { name } = this.#options;
    return {
      onPrint: (level, line) => this.#logger[level](`node ${name} prints: ${line}`),
      onCall: (result, ms, text) => this.#record.call(result, ms, text),
      onCircuit: (state, text) => this.#record.circuit(state, text),
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
    next.process.whenEnded((why) => {
      if (this.#running === next) this.#lost(next, why);
    });
    this.#backoff.healthy();
    void standIn.release();
    if (before !== undefined) {
      this.#leaving.add(before.process);
      void before.process.drain().then(() => this.#leaving.delete(before.process));
    }
    this.#logger.info(`node ${next.definition.name} ${before === undefined ? 'runs' : 'has a new version'}`, {
      port: this.#port,
      pid: next.process.pid,
      source: sourceText(next.definition),
    });
    this.#record.runs(next.definition === this.#wanted, before !== undefined);
  }

  /** The process has ended by itself: another one, at once if it has been well for a while, else after a pause. */
  #lost(lost: Running, why: VantageError): void {
    this.#running = undefined;
    const isFirst = this.#backoff.failures === 0;
    const pauseMs = Math.round(this.#backoff.next());
    const delayMs = isFirst ? 0 : pauseMs;
    this.#logger.error(`${why.message}; it is started again in ${delayMs} ms`, { code: why.code, delayMs });
    this.#record.lost(why, lost.process.inFlight);
    this.#work = this.#work.then(() => this.#holdWhileAbsent());
    // A new version that is being started takes its place; when that fails, this one is tried again.
    if (!this.#isStarting) this.#later(delayMs, lost.definition);
  }

  #failed(error: unknown, definition: NodeDefinition): void {
    const problem = problemOf(error);
    if (this.#running !== undefined) {
      this.#logger.error(`the new version of node ${definition.name} is not used: ${problem.message}`, {
        code: problem.code,
      });
      if (PASSING.has(problem.code)) this.#later(Math.round(this.#backoff.next()), definition);
      this.#record.rejected(problem);
      return;
    }
    const next = this.#lastRun ?? definition;
    const delayMs = Math.round(this.#backoff.next());
    this.#logger.error(`node ${definition.name} does not run, next try in ${delayMs} ms: ${problem.message}`, {
      code: problem.code,
    });
    this.#record.failed(problem, next !== definition);
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
}
