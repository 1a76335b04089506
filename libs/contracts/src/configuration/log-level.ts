import { LOG_LEVELS } from '../twins/controller-twin.ts';
import { typeName, type Report } from './report.ts';
import type { LogLevel } from './types.ts';
import { quote } from './wording.ts';

/** Short names that loggers and edgeAgent use. */
const ALIASES: ReadonlyMap<string, LogLevel> = new Map([
  ['info', 'information'],
  ['warn', 'warning'],
  ['fatal', 'critical'],
]);

/** One of the documents' six names (B.1, J). Undefined: leave the level as it is. Case does not count. */
export function readLogLevel(value: unknown, path: string, report: Report): LogLevel | undefined {
  if (value === undefined || value === null) return undefined;
  const name = typeof value === 'string' ? value.trim().toLowerCase() : '';
  const level = LOG_LEVELS.find((one) => one === name) ?? ALIASES.get(name);
  if (level !== undefined) return level;
  // The original quotes ten characters: enough to see the mistake.
  const found = typeof value === 'string' ? quote(value, 10) : typeName(value);
  report.error(path, `${found} is not a log level. Use one of ${LOG_LEVELS.join(', ')}. The level stays as it is.`);
  return undefined;
}
