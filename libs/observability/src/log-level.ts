import { redact } from './redact.ts';

/** The six levels of the twin (contract deepstream-accelerator B.1 and J), quietest last. */
export const LOG_LEVELS = ['trace', 'debug', 'information', 'warning', 'error', 'critical'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const ALIASES: Readonly<Record<string, LogLevel>> = {
  info: 'information',
  warn: 'warning',
  fatal: 'critical',
  verbose: 'debug',
};

/** pino's name of a level. */
export const PINO_LEVEL: Readonly<Record<LogLevel, string>> = {
  trace: 'trace',
  debug: 'debug',
  information: 'info',
  warning: 'warn',
  error: 'error',
  critical: 'fatal',
};

/**
 * The level a text names, in any case; `info`, `warn` and `fatal` (edgeAgent's RuntimeLogLevel) are understood too.
 * Undefined when it names none: contract B.1 then keeps the level that stands. `verbose` is refused by the contract
 * for the twin (scenario 23), hence `strict`.
 */
export function parseLogLevel(value: unknown, strict = true): LogLevel | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim().toLowerCase();
  const level = LOG_LEVELS.find((one) => one === text);
  if (level !== undefined) return level;
  if (strict && text === 'verbose') return undefined;
  return Object.hasOwn(ALIASES, text) ? ALIASES[text] : undefined;
}

/** Why a value is no level: quotes at most ten characters of it, and lists what is (contract B.1). */
export function logLevelComplaint(value: unknown): string {
  const supported = `supported: ${LOG_LEVELS.join(', ')}`;
  if (typeof value !== 'string') return `logLevel must be a string; ${supported}`;
  return `logLevel "${redact(value).slice(0, 10)}" is unknown; ${supported}`;
}
