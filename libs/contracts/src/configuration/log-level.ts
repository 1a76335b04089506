import { LOG_LEVELS } from '../twins/controller-twin.ts';
import { typeName, type Report } from './report.ts';
import type { LogLevel } from './types.ts';
import { quote } from './wording.ts';

/** The documents' six names (B.1, J), and the short ones of loggers. */
const LEVELS: ReadonlyMap<string, LogLevel> = new Map([
  ['trace', 'trace'],
  ['debug', 'debug'],
  ['information', 'info'],
  ['info', 'info'],
  ['warning', 'warn'],
  ['warn', 'warn'],
  ['error', 'error'],
  ['critical', 'fatal'],
  ['fatal', 'fatal'],
]);

/** Undefined: leave the level as it is. Case does not count. */
export function readLogLevel(value: unknown, path: string, report: Report): LogLevel | undefined {
  if (value === undefined || value === null) return undefined;
  const level = typeof value === 'string' ? LEVELS.get(value.trim().toLowerCase()) : undefined;
  if (level !== undefined) return level;
  // The original quotes ten characters: enough to see the mistake.
  const found = typeof value === 'string' ? quote(value, 10) : typeName(value);
  report.error(path, `${found} is not a log level. Use one of ${LOG_LEVELS.join(', ')}. The level stays as it is.`);
  return undefined;
}
