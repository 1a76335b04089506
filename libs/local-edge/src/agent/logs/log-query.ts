import { isTwinObject } from '@vantage/contracts';
import { invalidArgument } from '../../errors.ts';
import type { LogEntry } from './log-file.ts';

/** Which lines of a log are wanted. */
export interface LogFilter {
  /** Only the last ones. */
  readonly tail?: number;
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** Syslog severity, 0 to 7: lines that are at least as severe. */
  readonly logLevel?: number;
  readonly regex?: RegExp;
}

/** A log line in IoT Edge's JSON form. */
export interface LogRecord {
  readonly iothub: string;
  readonly device: string;
  readonly id: string;
  readonly stream: 'stdout' | 'stderr';
  readonly loglevel: number;
  readonly text: string;
  /** ISO 8601 with the writer's own offset, or when the line came in UTC; null when neither is known. */
  readonly timestamp: string | null;
}

/** edgeAgent's own: `<6> 2026-01-31 12:00:00.000 +00:00 text`, level and time perhaps missing. */
const LINE = /^(?:<(\d)>)?\s*(?:(\d{4}-\d{2}-\d{2})\s+(\d{2}:\d{2}:\d{2}\.\d{3})\s+([+-]\d{2}:\d{2})\s+)?\s*(.*)$/s;
const INFORMATION = 6;

/** Reads a log line of a module. */
export function parseLogLine(entry: LogEntry, of: Pick<LogRecord, 'iothub' | 'device' | 'id'>): LogRecord {
  const [, level, date, time, offset, text] = LINE.exec(entry.line) ?? [];
  const came = entry.timeMs === undefined ? null : new Date(entry.timeMs).toISOString();
  return {
    ...of,
    stream: entry.stream,
    loglevel: level === undefined ? INFORMATION : Number(level),
    text: text ?? entry.line,
    timestamp: date === undefined ? came : `${date}T${time ?? ''}${offset ?? ''}`,
  };
}

/** The wanted ones among the entries, oldest first, with their reading; holds no more than it gives. */
export async function selectEntries(
  entries: AsyncIterable<LogEntry>,
  filter: LogFilter,
  of: Pick<LogRecord, 'iothub' | 'device' | 'id'>,
): Promise<{ entry: LogEntry; record: LogRecord }[]> {
  const { tail = Infinity, sinceMs = -Infinity, untilMs = Infinity, logLevel = 7, regex } = filter;
  const found: { entry: LogEntry; record: LogRecord }[] = [];
  for await (const entry of entries) {
    const record = parseLogLine(entry, of);
    const at = entry.timeMs ?? (record.timestamp === null ? 0 : Date.parse(record.timestamp));
    if (at < sinceMs || at > untilMs || record.loglevel > logLevel) continue;
    if (regex?.test(record.text) === false) continue;
    found.push({ entry, record });
    // Taking off one at a time would cost the square of the tail.
    if (found.length > 2 * tail + 1000) found.splice(0, found.length - tail);
  }
  return tail < found.length ? found.slice(found.length - tail) : found;
}

/**
 * Reads the `filter` of a request (contract iot-edge-runtime C.4).
 * @throws VantageError EDGE_INVALID_ARGUMENT
 */
export function parseLogFilter(value: unknown, nowMs: number): LogFilter {
  if (value === undefined || value === null) return {};
  if (!isTwinObject(value)) throw invalidArgument('filter: an object expected');
  const { tail, since, until, loglevel, regex } = value;
  return {
    ...(isGiven(tail) ? { tail: wholeNumber(tail, 'tail', Number.MAX_SAFE_INTEGER) } : {}),
    ...(isGiven(since) ? { sinceMs: parseMoment(since, 'since', nowMs) } : {}),
    ...(isGiven(until) ? { untilMs: parseMoment(until, 'until', nowMs) } : {}),
    ...(isGiven(loglevel) ? { logLevel: wholeNumber(loglevel, 'loglevel', 7) } : {}),
    ...(isGiven(regex) ? { regex: parseRegex(regex, 'regex') } : {}),
  };
}

/** A regular expression out of a request, not longer than 512 characters. @throws VantageError EDGE_INVALID_ARGUMENT */
export function parseRegex(value: unknown, name: string, flags = ''): RegExp {
  if (typeof value !== 'string' || value.length > 512) throw invalidArgument(`${name}: a regular expression expected`);
  try {
    return new RegExp(value, flags);
  } catch (error) {
    throw invalidArgument(`${name}: "${value}" is no regular expression`, error);
  }
}

const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^(s|secs?|seconds?)$/, 1000],
  [/^(m|mins?|minutes?)$/, 60_000],
  [/^(h|hrs?|hours?)$/, 3_600_000],
  [/^(d|days?)$/, 86_400_000],
  [/^(w|weeks?)$/, 604_800_000],
];

/**
 * A moment as requests write it: unix seconds, an ISO 8601 time, or how long ago: `90m`, `1d`, `2 days 3 hours`.
 * @returns ms since 1970
 * @throws VantageError EDGE_INVALID_ARGUMENT
 */
export function parseMoment(value: unknown, name: string, nowMs: number): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value * 1000;
  const text = typeof value === 'string' ? value.trim() : '';
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  if (/^(\d+\s*[a-z]+\s*)+$/i.test(text)) {
    let agoMs = 0;
    for (const [, number, unit] of text.toLowerCase().matchAll(/(\d+)\s*([a-z]+)/g)) {
      const scale = UNITS.find(([names]) => names.test(unit ?? ''))?.[1];
      if (scale === undefined) throw invalidArgument(`${name}: "${unit ?? ''}" is no unit of time`);
      agoMs += Number(number) * scale;
    }
    return nowMs - agoMs;
  }
  const moment = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(moment)) {
    throw invalidArgument(`${name}: unix seconds, an ISO 8601 time or a time ago such as "90m" expected`);
  }
  return moment;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function wholeNumber(value: unknown, name: string, most: number): number {
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > most) {
    throw invalidArgument(`${name}: a whole number from 0 to ${most} expected`);
  }
  return number;
}
