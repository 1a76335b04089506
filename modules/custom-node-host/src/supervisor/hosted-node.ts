import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { codeOf, messageOf, type VantageError } from '@vantage/contracts';
import { showAddress, type ModelStore } from '@vantage/model-store';
import { Backoff, redact, type Logger, type Metrics } from '@vantage/observability';
import { CALL_CODES } from '../errors.ts';
import { folderOf, resolveSource, type ResolvedSource } from '../source/resolve-source.ts';
import type { NodeDefinition } from '../twin/definition.ts';
import { CallStatistics } from './call-statistics.ts';
import { FolderWatch } from './folder-watch.ts';
import type { CallResult, ProcessSetup } from './messages.ts';
import { createNodeMetrics, type NodeMetrics } from './node-metrics.ts';
import { NodeProcess } from './node-process.ts';
import { nodeEnvironment, nodeRuntime, pythonRuntime } from './runtime.ts';
import { StandIn } from './stand-in.ts';
import type { NodeProblem, NodeState, NodeStatus } from './status.ts';

const START_DEADLINE_MS = 60_000;
const CIRCUIT = { failures: 10, pauseMs: 5000 } as const;
/** The same complaint of calls is logged again after this time. */
const REPEAT_LOG_MS = 60_000;
/** Failures of a new version that may pass by themselves; the version is tried again while the one before runs. */
const PASSING = new Set(['MODEL_DOWNLOAD_FAILED', 'HOSTED_NODE_PORT_TAKEN']);
const BUILTIN_FOLDER = path.dirname(fileURLToPath(new URL('../builtin/names.ts', import.meta.url)));

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
  readonly #leaving = new Set<Promise<void>>();
  #wanted: NodeDefinition | undefined;
  #running: Running | undefined;
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

  /** Calls under way are finished, within their deadline. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#abort.abort();
    clearTimeout(this.#retry);
    this.#watchFolder(undefined);
    await this.#work;
    const running = this.#running;
    this.#running = undefined;
    await Promise.all([running?.process.drain(), this.#standIn.release(), ...this.#leaving]);
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
    try {
      const port = keepsPort ? this.#port : await this.#hold(standIn, definition);
      const resolved = await resolveSource(definition, { root, store }, signal);
      const isPython = resolved.language === 'python';
      const process = await NodeProcess.start(
        {
          runtime: isPython ? await pythonRuntime() : nodeRuntime(definition.memoryMiB),
          cwd: resolved.builtin ? root : resolved.folder,
          env: nodeEnvironment(definition.env),
          setup: this.#setupOf(definition, resolved, port),
          startDeadlineMs: START_DEADLINE_MS,
          events: {
            onPrint: (level, line) => this.#logger[level](`node ${definition.name} prints: ${line}`),
            onCall: (result, ms, text) => this.#onCall(result, ms, text),
            onCircuit: (state, text) => this.#onCircuit(state, text),
          },
        },
        signal,
      );
      if (signal.aborted) await process.stop();
      else this.#take({ definition, resolved, process }, standIn);
    } catch (error) {
      if (standIn !== this.#standIn) await standIn.release();
      if (!signal.aborted) this.#failed(error, definition);
    }
  }

  async #hold(standIn: StandIn, definition: NodeDefinition): Promise<number> {
    const isKnown = this.#port !== 0 && (definition.port === 0 || definition.port === this.#port);
    const port = await standIn.hold(isKnown ? this.#port : definition.port, isKnown);
    if (this.#running === undefined) this.#port = port;
    return port;
  }

  #setupOf(definition: NodeDefinition, resolved: ResolvedSource, port: number): ProcessSetup {
    const { name, settings, deadlineMs, memoryMiB, maxInFlight, token, tls } = definition;
    return {
      name,
      entry: resolved.entry,
      builtin: resolved.builtin,
      folder: resolved.builtin ? BUILTIN_FOLDER : resolved.folder,
      root: this.#options.root,
      settings,
      host: this.#options.host,
      port,
      deadlineMs,
      drainMs: deadlineMs + 500,
      memoryMiB,
      maxInFlight,
      circuit: CIRCUIT,
      ...(token === undefined ? {} : { token }),
      ...(tls === undefined ? {} : { tls }),
    };
  }

  #take(next: Running, standIn: StandIn): void {
    const before = this.#running;
    this.#running = next;
    this.#port = next.process.port;
    this.#circuit = 'closed';
    this.#metrics.circuit(false);
    if (next.definition === this.#wanted) this.#rejected = undefined;
    this.#error = undefined;
    next.process.onEnd = (why) => {
      if (this.#running === next) this.#lost(next, why);
    };
    this.#backoff.healthy();
    this.#leave(standIn.release());
    if (before !== undefined) {
      this.#reloads += 1;
      this.#leave(before.process.drain());
    }
    this.#logger.info(`node ${next.definition.name} ${before === undefined ? 'runs' : 'has a new version'}`, {
      port: this.#port,
      pid: next.process.pid,
      source: sourceText(next.definition),
    });
    this.#setState('running');
  }

  /** Something that ends by itself; `stop` waits for it. */
  #leave(leaving: Promise<void>): void {
    const done = leaving
      .catch((error: unknown) => this.#logger.warn(`an old version did not end cleanly: ${messageOf(error)}`))
      .finally(() => this.#leaving.delete(done));
    this.#leaving.add(done);
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
    const definition = lost.definition;
    this.#work = this.#work.then(() =>
      this.#standIn.hold(this.#port, true).then(
        () => undefined,
        // The start says it again, and that is tried again.
        (error: unknown) => this.#logger.warn(messageOf(error)),
      ),
    );
    this.#later(delayMs, definition);
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
    this.#error = problem;
    const delayMs = Math.round(this.#backoff.next());
    this.#logger.error(`node ${definition.name} does not run, next try in ${delayMs} ms: ${problem.message}`, {
      code: problem.code,
    });
    this.#setState('failed');
    this.#later(delayMs, definition);
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

function problemOf(error: unknown): NodeProblem {
  const code = codeOf(error) ?? 'HOSTED_NODE_LOAD_FAILED';
  return { code, message: redact(messageOf(error)).slice(0, 500), at: new Date().toISOString() };
}

function sourceText({ source }: NodeDefinition): string {
  switch (source.kind) {
    case 'builtin':
      return `builtin ${source.builtin}`;
    case 'folder':
      return `folder ${source.folder}`;
    case 'zip':
      return `zip ${showAddress(source.url)}`;
  }
}
