import { createRequire } from 'node:module';
import type { DestinationStream, Logger as Pino, pino as makePino } from 'pino';
import { isErrorLike, serializeError } from './error-fields.ts';
import { formatLine } from './log-line.ts';
import { logLevelComplaint, parseLogLevel, PINO_LEVEL, type LogLevel } from './log-level.ts';
import { redact, redactDeep } from './redact.ts';

/** Facts beside the text of a line. Usual keys: `sourceId, nodeId, frameSeq, code, error`. Secrets are masked. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Loaded with the first logger: most commands and cameras' threads make none. */
const loadPino = (): typeof makePino => (createRequire(import.meta.url)('pino') as { pino: typeof makePino }).pino;

type LogMethod = (text: string, fields?: LogFields) => void;

/**
 * What every library logs through. error = an operator must act, warn = degraded, info = a state changed, debug = per
 * event, trace = per frame.
 */
export interface Logger {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  /** A logger that adds these fields to each line. Its level follows its parent's. */
  child(fields: LogFields): Logger;
}

/** The logger of a process: owns the level and the destination. */
export interface RootLogger extends Logger {
  readonly critical: LogMethod;
  readonly level: LogLevel;
  /**
   * Changes the level of this logger and all its children, now. An unknown level changes nothing, is logged as an
   * error that lists the known ones, and gives false.
   */
  setLevel(level: unknown): boolean;
  /** Writes out what is buffered; for the moment before the process ends. */
}

export interface LoggerOptions {
  /** The module's name, printed in brackets. */
  readonly module: string;
  /** Default `information`. */
  readonly level?: LogLevel;
  /** Where lines go, each with its line feed. Default: standard output. */
  readonly destination?: { write(line: string): void };
}

/**
 * A logger whose lines have the form edgeAgent can filter (contract iot-edge-runtime C.4):
 * `<6> 2023-01-05 10:11:12.123 +00:00 [module] text {"field":1}`.
 */
export function createLogger(options: LoggerOptions): RootLogger {
  const destination: DestinationStream = options.destination ?? standardOutput();
  const root = loadPino()(
    { base: null, level: PINO_LEVEL.trace, hooks: { streamWrite: (json) => formatLine(json, options.module) } },
    destination,
  );
  const state: State = { level: options.level ?? 'information', rank: 0 };
  state.rank = rankOf(root, state.level);
  const critical = method(root, state, 'critical', {});
  const base = wrap(root, state, {});
  return {
    ...base,
    critical,
    get level() {
      return state.level;
    },
    setLevel(value) {
      const level = parseLogLevel(value);
      if (level === undefined) {
        base.error(logLevelComplaint(value), { code: 'LOG_LEVEL_UNKNOWN' });
        return false;
      }
      state.level = level;
      state.rank = rankOf(root, level);
      return true;
    },
  };
}

/** Says nothing; for tests and defaults. */
export const silentLogger: Logger = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};

/** The level all loggers of one root share: pino's children would copy it at birth and never follow. */
interface State {
  level: LogLevel;
  rank: number;
}

function rankOf(root: Pino, level: LogLevel): number {
  return root.levels.values[PINO_LEVEL[level]] ?? 0;
}

function wrap(root: Pino, state: State, bound: LogFields): Logger {
  return {
    trace: method(root, state, 'trace', bound),
    debug: method(root, state, 'debug', bound),
    info: method(root, state, 'information', bound),
    warn: method(root, state, 'warning', bound),
    error: method(root, state, 'error', bound),
    child: (fields) => wrap(root, state, { ...bound, ...fields }),
  };
}

function method(root: Pino, state: State, level: LogLevel, bound: LogFields): LogMethod {
  const rank = rankOf(root, level);
  const name = PINO_LEVEL[level] as 'info';
  return (text, fields) => {
    if (rank < state.rank) return;
    // Nested, so that no field of the caller can collide with pino's own keys.
    root[name]({ f: safeFields({ ...bound, ...fields }, state.rank <= rankOf(root, 'debug')) }, redact(text));
  };
}

function safeFields(fields: LogFields, withStack: boolean): unknown {
  const plain: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields))
    plain[key] = isErrorLike(value) ? serializeError(value, withStack) : value;
  return redactDeep(plain);
}

/**
 * Node writes synchronously to a pipe or file, so nothing is left to flush when the process ends. When the reader is gone
 * (the parent was killed) lines are lost and nothing else happens; pino's own destination would retry for ever at the end.
 */
function standardOutput(): DestinationStream {
  if (process.stdout.listenerCount('error', ignore) === 0) process.stdout.on('error', ignore);
  return { write: (line) => void process.stdout.write(line) };
}

function ignore(): void {
  // Nobody reads any more.
}
