import { EventEmitter } from 'node:events';
import { arch, platform, release } from 'node:os';
import { isTwinObject, messageOf, twinEquals } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import type { MethodResult } from '../hub/methods.ts';
import { parseAgentConfig, MAX_STARTUP_ORDER, type AgentConfig, type ModuleSpec } from './config.ts';
import type { ModuleExecutor, ModuleLaunch } from './executor.ts';
import { ModuleSupervisor, type ModuleState } from './module-supervisor.ts';
import { OrphanGuard } from './orphans.ts';
import type { RestartTiming } from './restart-policy.ts';

export interface AgentOptions {
  readonly stateDir: string;
  readonly executor: ModuleExecutor;
  readonly timing: RestartTiming;
  readonly logger: Logger;
  /** Makes a module's identity if need be, and everything its start needs. */
  readonly prepare: (spec: ModuleSpec) => Promise<ModuleLaunch>;
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
  readonly #orphans: OrphanGuard;
  #config: AgentConfig | undefined;
  #lastDesired = { version: 0, code: 417, description: 'Empty configuration' };
  #work: Promise<void> = Promise.resolve();
  #reporting: Promise<void> = Promise.resolve();
  #reportDue = false;
  #stopped = false;

  constructor(options: AgentOptions) {
    super();
    this.#options = options;
    this.#orphans = new OrphanGuard(options.stateDir, options.logger);
  }

  async start(): Promise<void> {
    await this.#orphans.reap();
    this.#report();
  }

  /** Ends all modules, the last started first. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#work;
    const supervisors = [...this.#supervisors.values()];
    await Promise.all(supervisors.map((supervisor) => supervisor.stop()));
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

  /** Brings the modules to what the desired properties say. Resolves when it is done; errors are reported, not thrown. */
  apply(desired: unknown, version: number): Promise<void> {
    this.#work = this.#work.then(async () => {
      if (this.#stopped) return;
      try {
        const config = parseAgentConfig(desired);
        await this.#carryOut(config);
        this.#config = config;
        this.#lastDesired = { version, code: 200, description: '' };
      } catch (error) {
        this.#options.logger.error('the deployment cannot be applied; the old one stays', { error: messageOf(error) });
        this.#lastDesired = { version, code: 400, description: messageOf(error) };
      }
      this.#report();
    });
    return this.#work;
  }

  /** Resolves when everything that was applied so far is carried out. */
  async settled(): Promise<void> {
    await this.#work;
  }

  /** The direct methods of `$edgeAgent` (contract C.4): ping and RestartModule; names in any case. */
  async method(name: string, payload: unknown): Promise<MethodResult> {
    switch (name.toLowerCase()) {
      case 'ping':
        return { status: 200, payload: null };
      case 'restartmodule': {
        const id = isTwinObject(payload) ? payload['id'] : undefined;
        if (typeof id !== 'string') return { status: 400, payload: { message: 'id expected' } };
        const supervisor = this.#supervisors.get(id);
        if (supervisor === undefined) return { status: 500, payload: { message: `there is no module "${id}"` } };
        await supervisor.restart();
        return { status: 200, payload: null };
      }
      default:
        return { status: 400, payload: { message: `unknown method "${name}"` } };
    }
  }

  /**
   * The plan of edgeAgent: what is gone or changed is stopped first; then, per startup order, what is wanted is
   * started. The start of one group is not awaited to be ready, as on a device.
   */
  async #carryOut(config: AgentConfig): Promise<void> {
    const wanted = new Map(config.modules.map((spec) => [spec.moduleId, spec]));
    await Promise.all(
      [...this.#supervisors].map(async ([moduleId, supervisor]) => {
        const spec = wanted.get(moduleId);
        if (spec !== undefined && !needsNewStart(supervisor.spec, spec) && spec.status === 'running') return;
        await supervisor.stop();
        if (spec !== undefined) return;
        this.#supervisors.delete(moduleId);
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
    let pid: number | undefined;
    const supervisor = new ModuleSupervisor(spec, {
      executor,
      timing,
      logger,
      prepare,
      onChange: (state) => {
        if (state.pid !== pid) {
          pid = state.pid;
          const noted =
            pid === undefined ? this.#orphans.ended(spec.moduleId) : this.#orphans.started(spec.moduleId, pid);
          noted.catch((error: unknown) => {
            logger.warn('the list of processes cannot be written', { error: messageOf(error) });
          });
        }
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
        await this.#options.report(this.#reported());
      })
      .catch((error: unknown) => {
        this.#options.logger.warn('the state of $edgeAgent could not be reported', { error: messageOf(error) });
      });
  }

  #reported(): Record<string, unknown> {
    const { version, code, description } = this.#lastDesired;
    return {
      schemaVersion: '1.1',
      version: { version: '1.5.0', build: 'vantage', commit: '' },
      lastDesiredVersion: version,
      lastDesiredStatus: { code, description },
      runtime: {
        type: 'docker',
        ...this.#config?.runtime,
        platform: { os: platform(), architecture: arch(), version: release() },
      },
      systemModules: Object.fromEntries(
        ['edgeAgent', 'edgeHub'].map((name) => [name, systemModule(this.#config?.systemModules[name], this.#stopped)]),
      ),
      modules: Object.fromEntries(
        [...this.#supervisors].map(([moduleId, { spec, state }]) => [moduleId, reportedModule(spec, state)]),
      ),
    };
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

function reportedModule(spec: ModuleSpec, state: ModuleState): Record<string, unknown> {
  return {
    type: 'docker',
    status: spec.status,
    restartPolicy: spec.restartPolicy,
    imagePullPolicy: spec.imagePullPolicy,
    startupOrder: spec.startupOrder,
    ...(spec.version === '' ? {} : { version: spec.version }),
    env: Object.fromEntries(Object.entries(spec.env).map(([key, value]) => [key, { value }])),
    settings: { image: spec.image, imageHash: '', createOptions: spec.createOptionsText },
    runtimeStatus: state.status,
    statusDescription: state.description,
    exitCode: state.exitCode,
    restartCount: state.restartCount,
    lastStartTimeUtc: state.lastStartTimeUtc,
    lastExitTimeUtc: state.lastExitTimeUtc,
    lastRestartTimeUtc: state.lastRestartTimeUtc,
  };
}

/** The agent and the hub are this very process: what the deployment says of them is reported back as it stands. */
function systemModule(desired: unknown, stopped: boolean): Record<string, unknown> {
  const settings = isTwinObject(desired) && isTwinObject(desired['settings']) ? desired['settings'] : {};
  return {
    type: 'docker',
    status: 'running',
    restartPolicy: 'always',
    imagePullPolicy: 'on-create',
    startupOrder: isTwinObject(desired) ? (desired['startupOrder'] ?? MAX_STARTUP_ORDER) : MAX_STARTUP_ORDER,
    settings,
    runtimeStatus: stopped ? 'stopped' : 'running',
    exitCode: 0,
    statusDescription: 'part of the local edge runtime',
  };
}
