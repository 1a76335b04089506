import { gzipSync } from 'node:zlib';
import { isTwinObject } from '@vantage/contracts';
import { invalidArgument } from '../../errors.ts';
import type { LogFile } from './log-file.ts';
import { parseLogFilter, parseRegex, selectEntries, type LogFilter } from './log-query.ts';

/** Whose logs there are. */
export interface LogSource {
  readonly hubHostName: string;
  readonly deviceId: string;
  /** Modules with a log, by name. */
  logs(): ReadonlyMap<string, LogFile>;
}

/** `items`, `encoding` and `contentType` of GetModuleLogs and UploadModuleLogs, read. */
export interface LogRequest {
  readonly items: readonly { readonly id: RegExp; readonly filter: LogFilter }[];
  readonly encoding: 'none' | 'gzip';
  readonly contentType: 'text' | 'json';
}

/** @throws VantageError EDGE_INVALID_ARGUMENT */
export function parseLogRequest(payload: Readonly<Record<string, unknown>>, nowMs: number): LogRequest {
  const { items, encoding, contentType } = payload;
  // edgeAgent takes one item without its list too.
  const list: readonly unknown[] = Array.isArray(items) ? items : isTwinObject(items) ? [items] : [];
  if (list.length === 0) throw invalidArgument('items: a list of { id, filter } expected');
  return {
    items: list.map((item) => {
      if (!isTwinObject(item)) throw invalidArgument('items: a list of { id, filter } expected');
      const id = item['id'] === 'all' ? '' : item['id'];
      return { id: parseRegex(id, 'id', 'i'), filter: parseLogFilter(item['filter'], nowMs) };
    }),
    encoding: oneOf(encoding, ['none', 'gzip'], 'encoding'),
    contentType: oneOf(contentType, ['text', 'json'], 'contentType'),
  };
}

/** The modules that a request names, each once with the filter of the first item that names it. */
export function modulesOf(request: LogRequest, source: LogSource): { id: string; log: LogFile; filter: LogFilter }[] {
  return [...source.logs()].flatMap(([id, log]) => {
    const item = request.items.find((one) => one.id.test(id));
    return item === undefined ? [] : [{ id, log, filter: item.filter }];
  });
}

/** The wanted lines of one log: as they stand, or as a JSON array of records. */
export async function readLog(
  id: string,
  log: LogFile,
  filter: LogFilter,
  contentType: LogRequest['contentType'],
  source: LogSource,
): Promise<string> {
  const of = { iothub: source.hubHostName, device: source.deviceId, id };
  const found = await selectEntries(log.entries(), filter, of);
  return contentType === 'json'
    ? JSON.stringify(found.map(({ record }) => record))
    : found.map(({ entry }) => `${entry.line}\n`).join('');
}

export function encode(text: string, encoding: LogRequest['encoding']): Buffer {
  return encoding === 'gzip' ? gzipSync(text) : Buffer.from(text);
}

function oneOf<T extends string>(value: unknown, allowed: readonly [T, ...T[]], name: string): T {
  if (value === undefined || value === null) return allowed[0];
  const found = allowed.find((item) => typeof value === 'string' && item === value.toLowerCase());
  if (found === undefined) throw invalidArgument(`${name}: one of ${allowed.join(', ')} expected`);
  return found;
}
