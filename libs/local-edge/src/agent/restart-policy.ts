/** When a module that ended is started again. */
export type RestartPolicy = 'never' | 'on-failure' | 'on-unhealthy' | 'always';

/** What a module does now, in edgeAgent's words. */
export type RuntimeStatus = 'unknown' | 'backoff' | 'running' | 'unhealthy' | 'stopped' | 'failed' | 'dead';

/** edgeAgent's figures (contract iot-edge-runtime C.3). */
export interface RestartTiming {
  /** First wait in milliseconds; doubles with each restart. Default 10 000. */
  readonly coolOffUnitMs: number;
  /** Longest wait in milliseconds. Default 300 000. */
  readonly maxCoolOffMs: number;
  /** After this long without an end the count of restarts starts over, in milliseconds. Default 600 000. */
  readonly healthyAfterMs: number;
  /** A module that was restarted so often is left `failed`. Default 20. */
  readonly maxRestartCount: number;
  /** How long a module may take between SIGTERM and SIGKILL, in milliseconds. Default 10 000. */
  readonly stopTimeoutMs: number;
}

export const DEFAULT_RESTART_TIMING: RestartTiming = {
  coolOffUnitMs: 10_000,
  maxCoolOffMs: 300_000,
  healthyAfterMs: 600_000,
  maxRestartCount: 20,
  stopTimeoutMs: 10_000,
};

/** How long a module waits before its next start: min(unit * 2^restarts, most). Same unit in and out. */
export function coolOff(unit: number, restartCount: number, most: number): number {
  return Math.min(unit * 2 ** restartCount, most);
}

/**
 * The status of a module once its policy was asked: `backoff` if it will be started again, `failed` if it was too
 * often, else what it was. `on-failure` and `on-unhealthy` act alike on failed and unhealthy modules; only `always`
 * restarts one that ended by itself with status 0.
 */
export function applyRestartPolicy(
  status: RuntimeStatus,
  policy: RestartPolicy,
  restartCount: number,
  maxRestartCount: number,
): RuntimeStatus {
  if (status === 'running' || status === 'dead' || policy === 'never') return status;
  if (policy !== 'always' && status !== 'failed' && status !== 'unhealthy') return status;
  return restartCount >= maxRestartCount ? 'failed' : 'backoff';
}
