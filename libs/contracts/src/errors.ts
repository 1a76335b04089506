/**
 * The one error type of the house. Every library declares its codes in its own `errors.ts`.
 *
 * Branded with a global symbol, so that an error is recognised after it crossed a worker or came from a second copy
 * of this package.
 */
const BRAND = Symbol.for('vantage.error');

export interface VantageErrorOptions {
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** Facts that are safe to log and report: never a credential, never a URL with one. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export class VantageError extends Error {
  /** Stable, upper snake case, documented in `docs/errors.md`. */
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, options: VantageErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'VantageError';
    this.code = code;
    this.details = options.details ?? {};
    Object.defineProperty(this, BRAND, { value: true });
  }

  static is(error: unknown): error is VantageError {
    return typeof error === 'object' && error !== null && (error as Record<symbol, unknown>)[BRAND] === true;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (typeof error === 'string') return error;
  // An error of another realm is no instance of ours.
  if (typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string') {
    return error.message;
  }
  return JSON.stringify(error) ?? String(error);
}

/** The code of anything that was thrown: ours, Node's (`ENOENT`), or undefined. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
