import type { RegistryCredential } from './config.ts';

/** What an executor needs to start a module. */
export interface ModuleLaunch {
  readonly moduleId: string;
  readonly image: string;
  readonly imagePullPolicy: 'on-create' | 'never';
  readonly createOptions: Readonly<Record<string, unknown>>;
  /** Logins of the deployment, for images that have to be fetched. */
  readonly registryCredentials: readonly RegistryCredential[];
  /** What edgeAgent gives a module, as a process of this machine reads it. */
  readonly env: Readonly<Record<string, string>>;
  /** The Unix socket of the module's workload API. */
  readonly workloadSocket: string;
  /** A line of output, without its line feed. */
  readonly onLine: (stream: 'stdout' | 'stderr', line: string) => void;
}

export interface ModuleExit {
  /** Exit status; a signal gives 137 for SIGKILL, 143 for SIGTERM, else 1. */
  readonly code: number;
  /** Why, when more is known than the status. */
  readonly reason?: string;
}

/** A module that runs. */
export interface ModuleHandle {
  readonly pid: number;
  /** `sha256:…`: what exactly runs. */
  readonly imageHash: string;
  /** Paths in `createOptions` that this executor cannot honour. */
  readonly ignored: readonly string[];
  readonly exited: Promise<ModuleExit>;
  /** Resolves when the module's own health check says that it is ill; never when it has none. */
  readonly unhealthy?: Promise<void>;
  /** SIGTERM, then SIGKILL after the time given in milliseconds. Resolves when nothing of it runs. */
  stop(timeoutMs: number): Promise<void>;
  /** Ends it hard, as a crash would; what follows is up to its restart policy. Does not wait. */
  kill(): void;
}

/** Runs modules: as processes, or as containers. */
export interface ModuleExecutor {
  /** Makes ready, and ends what a runtime that was killed has left behind. Called before the first start. */
  open(): Promise<void>;
  /** @throws VantageError when the module cannot be started; the message says why */
  start(launch: ModuleLaunch): Promise<ModuleHandle>;
  /** The module is no longer part of the deployment: nothing of it is kept. It does not run any more. */
  forget(moduleId: string): Promise<void>;
  /** Nothing of any module is left. All were stopped before. */
  close(): Promise<void>;
}
