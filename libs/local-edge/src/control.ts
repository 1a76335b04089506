import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { codeOf } from '@vantage/contracts';
import type { ControlBackend } from './api/control-api.ts';
import type { EdgeStatus, ModuleStatus } from './api/control-status.ts';
import { invalidArgument } from './errors.ts';
import type { Faults } from './faults/faults.ts';
import type { UpstreamMessage } from './hub/message.ts';
import { latestEvents } from './latest-events.ts';
import type { LogEvent } from './options.ts';
import type { RuntimeParts } from './runtime-parts.ts';
import type { EdgeRuntime } from './runtime.ts';
import { identityName } from './state/identities.ts';

/** .NET's DateTime.MinValue, which edgeAgent reports for "not yet". */
const NEVER = '0001-01-01T00:00:00Z';

/** A running runtime as its operator sees and handles it. */
export class RuntimeControl implements ControlBackend {
  readonly #runtime: EdgeRuntime;
  readonly #parts: () => RuntimeParts;
  readonly #stateDir: string;

  /** `parts` throws EDGE_NOT_RUNNING when the runtime does not run. */
  constructor(runtime: EdgeRuntime, parts: () => RuntimeParts, stateDir: string) {
    this.#runtime = runtime;
    this.#parts = parts;
    this.#stateDir = resolve(stateDir);
  }

  get faults(): Faults {
    return this.#runtime.faults;
  }

  checkOperator(authorization: string): void {
    // By the real clock: else the fault "clock" would lock out the one who is to end it.
    this.#parts().access.checkService(authorization, Date.now());
  }

  requireClient(moduleOrDevice: string): void {
    const { identities } = this.#parts();
    if (identities.get(moduleOrDevice, '') === undefined) identities.require(identities.hub.deviceId, moduleOrDevice);
  }

  status(): EdgeStatus {
    const { identities, hub, mqttPort, apiPort } = this.#parts();
    const { deviceId, hubHostName } = identities.hub;
    const modules = this.#modules();
    const ours = new Set(modules.map(({ id }) => identityName(deviceId, id)));
    const { delivered, expired, waiting, endpoints } = hub.counts.totals();
    return {
      deviceId,
      hubHostName,
      pid: process.pid,
      stateDir: this.#stateDir,
      startedAtUtc: this.#parts().startedAtUtc,
      ports: { mqtt: mqttPort, api: apiPort },
      clock: { nowUtc: new Date(this.faults.now()).toISOString(), offsetMs: this.faults.clockOffsetMs },
      modules,
      otherClients: Object.fromEntries(hub.clients().filter(([name]) => !ours.has(name))),
      queues: endpoints.flatMap((queue) =>
        queue.waiting > 0 ? [{ endpoint: queue.endpoint, waiting: queue.waiting }] : [],
      ),
      messages: { delivered, expired, waiting, upstreamSequence: hub.cloud.lastSequence },
      routeProblems: hub.routeProblems.map(({ routeName, code, message }) => ({ routeName, code, message })),
      faults: this.faults.list(),
    };
  }

  restartBroker(): Promise<void> {
    return this.#runtime.restartBroker();
  }

  expireTokens(): Promise<number> {
    return Promise.resolve(this.#runtime.expireTokens());
  }

  killModule(moduleId: string): void {
    const { identities, agent } = this.#parts();
    identities.require(identities.hub.deviceId, moduleId);
    if (!agent.kill(moduleId)) throw invalidArgument(`the module "${moduleId}" does not run here: nothing to end`);
  }

  upstreamMessages(options: { since: number; signal: AbortSignal }): AsyncIterable<UpstreamMessage> {
    return this.#runtime.upstreamMessages(options);
  }

  async *moduleLog(
    moduleId: string,
    { tail, follow, signal }: { tail: number; follow: boolean; signal: AbortSignal },
  ): AsyncGenerator<string> {
    await this.#parts().environment.flushLog(moduleId);
    // Read in one go with the subscription below it, so that no line is missing or comes twice.
    const lines = tail === 0 ? [] : this.#logLines(moduleId).slice(-tail);
    const coming = follow
      ? latestEvents<LogEvent>((listener) => {
          this.#runtime.on('log', listener);
          return () => this.#runtime.off('log', listener);
        }, signal)
      : undefined;
    const first = coming?.next();
    try {
      yield* lines;
      for (let next = await first; next?.done === false; next = await coming?.next()) {
        if (next.value.id === moduleId) yield next.value.line;
      }
    } finally {
      await coming?.return(undefined);
    }
  }

  requestStop(): boolean {
    return this.#runtime.emit('stopRequested');
  }

  #modules(): ModuleStatus[] {
    const { identities, hub, agent } = this.#parts();
    return agent.states().map(({ moduleId, status, description, pid, exitCode, restartCount, lastStartTimeUtc }) => {
      const connection = hub.clientState(identityName(identities.hub.deviceId, moduleId));
      return {
        id: moduleId,
        status,
        reason: description,
        ...(pid === undefined ? {} : { pid }),
        exitCode,
        restartCount,
        ...(lastStartTimeUtc === NEVER ? {} : { lastStartTimeUtc }),
        ...(connection === undefined ? {} : { connection }),
      };
    });
  }

  #logLines(moduleId: string): string[] {
    const path = join(this.#stateDir, 'logs', `${moduleId}.log`);
    return [`${path}.1`, path].flatMap((file) => readText(file).split('\n').slice(0, -1));
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}
