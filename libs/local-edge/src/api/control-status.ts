import type { ActiveFault } from '../faults/faults.ts';
import type { ClientState } from '../hub/hub-state.ts';
import type { RuntimeStatus } from '../agent/restart-policy.ts';

/** A module that the agent runs, and its connection. */
export interface ModuleStatus {
  readonly id: string;
  readonly status: RuntimeStatus;
  /** Why, in a few words. */
  readonly reason: string;
  readonly pid?: number;
  readonly exitCode: number;
  readonly restartCount: number;
  /** Absent when it never was started. */
  readonly lastStartTimeUtc?: string;
  readonly connection?: ClientState;
}

/** Messages that wait for one endpoint. */
export interface QueueStatus {
  /** `<device>/<module>/<input>`, or `$upstream`. */
  readonly endpoint: string;
  readonly waiting: number;
}

/** How a runtime is; what `vantage status --json` prints. */
export interface EdgeStatus {
  readonly deviceId: string;
  readonly hubHostName: string;
  readonly pid: number;
  /** Absolute. */
  readonly stateDir: string;
  readonly startedAtUtc: string;
  readonly ports: { readonly mqtt: number; readonly api: number };
  /** The hub's clock, which the fault `clock` moves. */
  readonly clock: { readonly nowUtc: string; readonly offsetMs: number };
  readonly modules: readonly ModuleStatus[];
  /** Clients that are no modules of the agent, by their names `D` or `D/M`. */
  readonly otherClients: Readonly<Record<string, ClientState>>;
  readonly queues: readonly QueueStatus[];
  readonly messages: {
    /** Since the start of the runtime. */
    readonly delivered: number;
    readonly expired: number;
    readonly waiting: number;
    /** Sequence of the newest upstream message, ever. */
    readonly upstreamSequence: number;
  };
  /** Routes that never match, since their conditions do not compile. */
  readonly routeProblems: readonly { readonly routeName: string; readonly code: string; readonly message: string }[];
  readonly faults: readonly ActiveFault[];
}
