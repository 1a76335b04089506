import type { EdgeStatus, Fault } from '@vantage/local-edge';

/** What the soak tells the process with the runtime. */
export type ToHub = { readonly id: number } & (
  | { readonly order: 'deploy'; readonly deployment: object }
  | { readonly order: 'fault'; readonly fault: Fault; readonly forMs: number }
  | { readonly order: 'clear' | 'restart-broker' | 'expire-tokens' | 'stop' }
  | { readonly order: 'kill'; readonly module: string }
  | { readonly order: 'run'; readonly modules: readonly string[]; readonly run: boolean }
  | { readonly order: 'look'; readonly modules: readonly string[] }
);

/** The answer to `look`. */
export interface Look {
  readonly status: EdgeStatus;
  readonly memoryMiB: number;
  /** Modules that were told to stop and have nothing left that is not acknowledged. */
  readonly idle: readonly string[];
}

export type FromHub =
  | { readonly saw: 'ready' }
  | { readonly saw: 'log'; readonly line: string }
  | { readonly saw: 'done'; readonly id: number; readonly result: unknown }
  | { readonly saw: 'failed'; readonly id: number; readonly reason: string };
