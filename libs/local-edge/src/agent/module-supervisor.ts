import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import type { ModuleSpec } from './config.ts';
import type { ModuleExecutor, ModuleHandle, ModuleLaunch } from './executor.ts';
import { applyRestartPolicy, coolOff, type RestartTiming, type RuntimeStatus } from './restart-policy.ts';

/** What is known of a module that the agent runs. */
export interface ModuleState {
  readonly moduleId: string;
  readonly status: RuntimeStatus;
  readonly description: string;
  readonly pid: number | undefined;
  /** `sha256:…` of what runs or ran last; empty before the first start. */
  readonly imageHash: string;
  /** Why the last start failed; undefined after one that did not. */
  readonly startError: string | undefined;
  readonly exitCode: number;
  readonly restartCount: number;
  readonly lastStartTimeUtc: string;
  readonly lastExitTimeUtc: string;
  readonly lastRestartTimeUtc: string;
}

export interface SupervisorOptions {
  readonly executor: ModuleExecutor;
  readonly timing: RestartTiming;
  readonly logger: Logger;
  /** Makes everything a start needs; called for each start. */
  readonly prepare: (spec: ModuleSpec) => Promise<ModuleLaunch>;
  readonly onChange: (state: ModuleState) => void;
}

/** .NET's DateTime.MinValue, which edgeAgent reports for "not yet". */
export const NEVER = '0001-01-01T00:00:00Z';

/**
 * Keeps one module in the state its deployment wants: runs it, and starts it again by its restart policy. Calls are
 * carried out one after the other.
 */
export class ModuleSupervisor {
  readonly #options: SupervisorOptions;
  #spec: ModuleSpec;
  #state: ModuleState;
  #handle: ModuleHandle | undefined;
  #timer: NodeJS.Timeout | undefined;
  #healthy: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  #ignored = '';

  constructor(spec: ModuleSpec, options: SupervisorOptions) {
    this.#spec = spec;
    this.#options = options;
    this.#state = {
      moduleId: spec.moduleId,
      status: 'stopped',
      description: 'not started',
      pid: undefined,
      imageHash: '',
      startError: undefined,
      exitCode: 0,
      restartCount: 0,
      lastStartTimeUtc: NEVER,
      lastExitTimeUtc: NEVER,
      lastRestartTimeUtc: NEVER,
    };
  }

  get spec(): ModuleSpec {
    return this.#spec;
  }

  get state(): ModuleState {
    return this.#state;
  }

  /** Starts the module unless it runs; the count of restarts starts over. */
  start(): Promise<void> {
    return this.#enqueue(async () => {
      if (this.#handle !== undefined) return;
      this.#cancelTimers();
      this.#set({ restartCount: 0 });
      await this.#launch();
    });
  }

  /** Ends the module; it stays ended until `start`. */
  stop(): Promise<void> {
    return this.#enqueue(() => this.#end());
  }

  /** Ends and starts it, now. */
  restart(): Promise<void> {
    return this.#enqueue(async () => {
      await this.#end();
      this.#set({ restartCount: this.#state.restartCount + 1, lastRestartTimeUtc: new Date().toISOString() });
      await this.#launch();
    });
  }

  /** Ends it hard, as a crash would; the restart policy decides what follows. False when it does not run. */
  kill(): boolean {
    this.#handle?.kill();
    return this.#handle !== undefined;
  }

  /** Takes changes that need no new start: policy, order, wanted status. */
  adopt(spec: ModuleSpec): void {
    this.#spec = spec;
  }

  #enqueue(action: () => Promise<void>): Promise<void> {
    const done = this.#work.then(action);
    this.#work = done.catch(() => undefined);
    return done;
  }

  async #launch(): Promise<void> {
    const { executor, prepare, logger, timing } = this.#options;
    let handle: ModuleHandle;
    try {
      const launch = await prepare(this.#spec);
      handle = await executor.start(launch);
      this.#tellIgnored(launch, handle.ignored);
    } catch (error) {
      logger.error('a module cannot be started', { module: this.#spec.moduleId, error: messageOf(error) });
      this.#ended('failed', -1, messageOf(error), messageOf(error));
      return;
    }
    this.#handle = handle;
    this.#set({
      status: 'running',
      description: this.#ignored === '' ? 'running' : `running; createOptions without effect here: ${this.#ignored}`,
      pid: handle.pid,
      imageHash: handle.imageHash,
      startError: undefined,
      lastStartTimeUtc: new Date().toISOString(),
    });
    this.#healthy = setTimeout(() => {
      this.#set({ restartCount: 0 });
    }, timing.healthyAfterMs);
    this.#healthy.unref();
    void handle.exited.then(({ code, reason }) => {
      // A stop that was asked for takes the handle away first.
      if (this.#handle !== handle) return;
      this.#handle = undefined;
      this.#ended(code === 0 ? 'stopped' : 'failed', code, reason ?? `exited with status ${code}`);
    });
    void handle.unhealthy?.then(() => this.#enqueue(() => this.#becameUnhealthy(handle)));
  }

  /** One that its own health check calls ill is ended and started again where its policy says so, else only shown. */
  async #becameUnhealthy(handle: ModuleHandle): Promise<void> {
    if (this.#handle !== handle) return;
    const description = 'the health check of the module fails';
    if (this.#spec.restartPolicy === 'never') {
      this.#set({ status: 'unhealthy', description });
      return;
    }
    this.#handle = undefined;
    await handle.stop(this.#options.timing.stopTimeoutMs);
    this.#ended('unhealthy', (await handle.exited).code, description);
  }

  /** What of its createOptions a module does not get is in its own log, once. */
  #tellIgnored(launch: ModuleLaunch, ignored: readonly string[]): void {
    const text = ignored.join(', ');
    if (text === this.#ignored) return;
    this.#ignored = text;
    if (text === '') return;
    const stamp = new Date().toISOString().replace('T', ' ').replace('Z', ' +00:00');
    launch.onLine('stderr', `<4> ${stamp} [edgeAgent] createOptions without effect here: ${text}`);
  }

  async #end(): Promise<void> {
    this.#cancelTimers();
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle !== undefined) {
      await handle.stop(this.#options.timing.stopTimeoutMs);
      const { code } = await handle.exited;
      this.#set({ exitCode: code, lastExitTimeUtc: new Date().toISOString() });
    }
    this.#set({ status: 'stopped', description: 'stopped', startError: undefined, pid: undefined });
  }

  #ended(ended: RuntimeStatus, exitCode: number, description: string, startError?: string): void {
    this.#cancelTimers();
    const { timing } = this.#options;
    const { restartCount } = this.#state;
    const status = applyRestartPolicy(ended, this.#spec.restartPolicy, restartCount, timing.maxRestartCount);
    const lastExitTimeUtc = new Date().toISOString();
    this.#set({ status, description, exitCode, startError, pid: undefined, lastExitTimeUtc });
    if (status !== 'backoff') return;
    const waitMs = coolOff(timing.coolOffUnitMs, restartCount, timing.maxCoolOffMs);
    this.#timer = setTimeout(() => {
      void this.#enqueue(async () => {
        if (this.#state.status !== 'backoff') return;
        this.#set({ restartCount: restartCount + 1, lastRestartTimeUtc: new Date().toISOString() });
        await this.#launch();
      });
    }, waitMs);
  }

  #cancelTimers(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#healthy);
  }

  #set(change: Partial<ModuleState>): void {
    this.#state = { ...this.#state, ...change };
    this.#options.onChange(this.#state);
  }
}
