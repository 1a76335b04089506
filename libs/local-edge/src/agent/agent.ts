import { EventEmitter } from 'node:events';
import { messageOf, twinEquals } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import {
  isKnownSchema,
  parseAgentConfig,
  type AgentConfig,
  type ModuleSpec,
  type RegistryCredential,
} from './config.ts';
import type { ModuleExecutor, ModuleLaunch } from './executor.ts';
import type { LastGood } from './last-good.ts';
import { ModuleSupervisor, type ModuleState } from './module-supervisor.ts';
import { reportedProperties, type DeploymentStatus } from './reported.ts';
import type { RestartTiming } from './restart-policy.ts';

export interface AgentOptions {
  readonly executor: ModuleExecutor;
  readonly lastGood: LastGood;
  readonly timing: RestartTiming;
  readonly logger: Logger;
  /** Makes a module's identity if need be, and everything its start needs. */
  readonly prepare: (spec: ModuleSpec, registryCredentials: readonly RegistryCredential[]) => Promise<ModuleLaunch>;
  /** A module is no longer part of the deployment. */
  readonly removed: (moduleId: string) => Promise<void>;
  /** Puts the reported properties of `$edgeAgent` in place. */
  readonly report: (reported: Record<string, unknown>) => Promise<void>;
}

/**
 * Runs the modules of a deployment: reads the desired properties of `$edgeAgent`, plans, carries the plan out, and
 * reports (contract iot-edge-runtime C).
 *
 * Events: `module` (the state of a module changed).
 */
export class EdgeAgent extends EventEmitter<{ module: [ModuleState] }> {
  readonly #options: AgentOptions;
  readonly #supervisors = new Map<string, ModuleSupervisor>();
  readonly #startedUtc = new Date().toISOString();
  #config: AgentConfig | undefined;
  #status: DeploymentStatus = { version: 0, code: 417, description: 'Empty configuration' };
  #work: Promise<void> = Promise.resolve();
  #reporting: Promise<void> = Promise.resolve();
  #reportDue = false;
  #stopped = false;

  constructor(options: AgentOptions) {
    super();
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#options.executor.open();
    this.#report();
  }

  /** Ends all modules, side by side. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#work;
    const supervisors = [...this.#supervisors.values()];
    await Promise.all(supervisors.map((supervisor) => supervisor.stop()));
    await this.#options.executor.close();
    this.#report();
    await this.#reporting;
  }

  states(): ModuleState[] {
    return [...this.#supervisors.values()].map((supervisor) => supervisor.state);
  }

  /** Ends a module hard, as a crash would; false when it does not run. */
  kill(moduleId: string): boolean {
    return this.#supervisors.get(moduleId)?.kill() ?? false;
  }

  /** Ends and starts a module, now; false when there is none of that name. */
  async restart(moduleId: string): Promise<boolean> {
    const supervisor = this.#supervisors.get(moduleId);
    await supervisor?.restart();
    return supervisor !== undefined;
  }

  /** Brings the modules to what the desired properties say. Resolves when it is done; errors are reported, not thrown. */
  apply(desired: unknown, version: number): Promise<void> {
    this.#work = this.#work.then(async () => {
      if (this.#stopped) return;
      this.#status = await this.#take(desired, version);
      this.#report();
    });
    return this.#work;
  }

  /** Resolves when everything that was applied so far is carried out. */
  async settled(): Promise<void> {
    await this.#work;
  }

  async #take(desired: unknown, version: number): Promise<DeploymentStatus> {
    const { logger, lastGood } = this.#options;
    let config: AgentConfig;
    try {
      config = parseAgentConfig(desired);
    } catch (error) {
      logger.error('the deployment cannot be applied; the old one stays', { error: messageOf(error) });
      await this.#fallBack();
      return { version, code: isKnownSchema(desired) ? 400 : 412, description: messageOf(error) };
    }
    try {
      await this.#carryOut(config);
      await lastGood.save(desired);
      return { version, code: 200, description: '' };
    } catch (error) {
      logger.error('the deployment could not be carried out', { error: messageOf(error) });
      return { version, code: 500, description: messageOf(error) };
    }
  }

  /** At a start with a configuration that is not good, the last good one runs. */
  async #fallBack(): Promise<void> {
    const { logger, lastGood } = this.#options;
    if (this.#config !== undefined) return;
    const desired = lastGood.read();
    if (desired === undefined) return;
    try {
      await this.#carryOut(parseAgentConfig(desired));
    } catch (error) {
      logger.error('the last good deployment could not be carried out', { error: messageOf(error) });
    }
  }

  /**
   * The plan of edgeAgent: what is gone or changed is stopped first; then, per startup order, what is wanted is
   * started. The start of one group is not awaited to be ready, as on a device.
   */
  async #carryOut(config: AgentConfig): Promise<void> {
    this.#config = config;
    const wanted = new Map(config.modules.map((spec) => [spec.moduleId, spec]));
    await Promise.all(
      [...this.#supervisors].map(async ([moduleId, supervisor]) => {
        const spec = wanted.get(moduleId);
        if (spec !== undefined && !needsNewStart(supervisor.spec, spec) && spec.status === 'running') return;
        await supervisor.stop();
        if (spec !== undefined) return;
        this.#supervisors.delete(moduleId);
        await this.#options.executor.forget(moduleId);
        await this.#options.removed(moduleId);
      }),
    );
    for (const group of byStartupOrder(config.modules)) {
      await Promise.all(
        group.map(async (spec) => {
          const supervisor = this.#supervisors.get(spec.moduleId) ?? this.#supervise(spec);
          const changed = needsNewStart(supervisor.spec, spec);
          supervisor.adopt(spec);
          const { status } = supervisor.state;
          if (spec.status === 'running' && (changed || status === 'stopped' || status === 'failed')) {
            await supervisor.start();
          }
        }),
      );
    }
  }

  #supervise(spec: ModuleSpec): ModuleSupervisor {
    const { executor, timing, logger, prepare } = this.#options;
    const supervisor = new ModuleSupervisor(spec, {
      executor,
      timing,
      logger,
      prepare: (wanted) => prepare(wanted, this.#config?.registryCredentials ?? []),
      onChange: (state) => {
        this.emit('module', state);
        this.#report();
      },
    });
    this.#supervisors.set(spec.moduleId, supervisor);
    return supervisor;
  }

  /** Brings the reported properties up to date, soon; changes in between share one update. */
  #report(): void {
    if (this.#reportDue) return;
    this.#reportDue = true;
    this.#reporting = this.#reporting
      .then(async () => {
        this.#reportDue = false;
        const modules = [...this.#supervisors.values()].map(({ spec, state }) => ({ spec, state }));
        await this.#options.report(
          reportedProperties({
            status: this.#statusNow(),
            config: this.#config,
            startedUtc: this.#startedUtc,
            isRunning: !this.#stopped,
            modules,
          }),
        );
      })
      .catch((error: unknown) => {
        this.#options.logger.warn('the state of $edgeAgent could not be reported', { error: messageOf(error) });
      });
  }

  /** A plan has failed as long as a module of it cannot be started; it may still come right. */
  #statusNow(): DeploymentStatus {
    const { version } = this.#status;
    if (this.#stopped) return { version, code: 406, description: 'Agent is not running' };
    const failed = this.states().filter(({ startError }) => startError !== undefined);
    if (this.#status.code !== 200 || failed.length === 0) return this.#status;
    const reasons = failed.map(({ moduleId, startError }) => `${moduleId}: ${startError ?? ''}`);
    return { version, code: 500, description: `cannot be started: ${reasons.join('; ')}` };
  }
}

function needsNewStart(old: ModuleSpec, now: ModuleSpec): boolean {
  const parts = ({ image, env, createOptions, version }: ModuleSpec): object => ({
    image,
    env,
    createOptions,
    version,
  });
  return !twinEquals(parts(old), parts(now));
}

function byStartupOrder(specs: readonly ModuleSpec[]): ModuleSpec[][] {
  const groups = new Map<number, ModuleSpec[]>();
  for (const spec of specs) groups.set(spec.startupOrder, [...(groups.get(spec.startupOrder) ?? []), spec]);
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}
