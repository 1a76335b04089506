/** Waiting times between attempts. */
export interface BackoffOptions {
  /** First wait. Default 500 ms. */
  readonly initialMs?: number;
  /** Default 2. */
  readonly factor?: number;
  /** Longest wait. Default 15 s. */
  readonly maxMs?: number;
  /** Part of the wait that is random, 0..1. Default 0.2. */
  readonly jitter?: number;
  /** A run that stayed healthy this long starts counting from the beginning. Default 10 s. */
  readonly resetAfterMs?: number;
  /** Give up after this many attempts in a row. Default: never. */
  readonly maxAttempts?: number;
}

export const DEFAULT_RESET_AFTER_MS = 10_000;

/** The wait before attempt `attempt` (1 is the first retry); `random` is in [0, 1). */
export function backoffDelayMs(options: BackoffOptions, attempt: number, random: number): number {
  const initial = options.initialMs ?? 500;
  const longest = options.maxMs ?? 15_000;
  const full = Math.min(longest, initial * (options.factor ?? 2) ** Math.min(attempt - 1, 30));
  return Math.round(full * (1 - (options.jitter ?? 0.2) * random));
}
