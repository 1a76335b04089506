import { setTimeout as after } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { VantageError, isObject } from '@vantage/contracts';
import { findHub, type Hub } from '@vantage/hub';
import { callAgent } from '../agent/agent-call.ts';
import type { LogsOptions } from './logs.ts';

/** A line as edgeAgent answers it with `contentType: json`. */
interface LogRecord {
  readonly id: string;
  readonly loglevel: number;
  readonly text: string;
  readonly timestamp: string | null;
}

/** What edgeAgent answers at most in one call. */
const MAX_TAIL = 500;
const ASK_EVERY_MS = 2000;
/** A log that grew to this unpacked is cut by the agent's own limits long before. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

/**
 * Prints the log of a module through GetModuleLogs (contract iot-edge-runtime C.4); with `follow` asks again and again,
 * and prints what is new.
 *
 * @throws VantageError MODULE_UNKNOWN, AGENT_REFUSED, MODULE_OFFLINE
 */
export async function agentLogs(
  module: string,
  options: LogsOptions,
  signal: AbortSignal,
  print: (line: string) => void,
): Promise<void> {
  const hub = await findHub(options);
  let seen: readonly LogRecord[] = [];
  for (let first = true; !signal.aborted; first = false) {
    const records = await ask(hub, module, options, first && !options.follow ? options.tail : MAX_TAIL);
    const fresh = first ? lastOf(records, options.tail) : records.slice(overlap(seen, records));
    for (const record of fresh) print(options.json ? JSON.stringify(record) : lineOf(record));
    if (!options.follow) return;
    seen = records;
    await after(ASK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function ask(hub: Hub, module: string, options: LogsOptions, tail: number): Promise<LogRecord[]> {
  const { since, until, level, grep } = options;
  const filter = {
    tail: Math.min(tail, MAX_TAIL),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(level === undefined ? {} : { loglevel: level }),
    ...(grep === undefined ? {} : { regex: grep }),
  };
  const items = [{ id: `^${module.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`, filter }];
  const answer = await callAgent(hub, 'GetModuleLogs', { items, encoding: 'gzip', contentType: 'json' });
  const found: unknown = Array.isArray(answer) ? answer[0] : undefined;
  if (!isObject(found)) throw new VantageError('MODULE_UNKNOWN', `${hub.device} has no module ${module}`);
  return recordsOf(found);
}

async function recordsOf({ payload, payloadBytes }: Readonly<Record<string, unknown>>): Promise<LogRecord[]> {
  let value = payload;
  if (typeof payloadBytes === 'string') {
    const bytes = await promisify(gunzip)(Buffer.from(payloadBytes, 'base64'), { maxOutputLength: MAX_UNPACKED_BYTES });
    value = bytes.toString('utf8');
  }
  if (typeof value === 'string') value = value.trim() === '' ? [] : JSON.parse(value);
  return Array.isArray(value) ? (value as LogRecord[]) : [];
}

function lastOf(records: readonly LogRecord[], tail: number): readonly LogRecord[] {
  return tail === 0 ? [] : records.slice(-tail);
}

/** How many of the first new records are the last ones that were seen. */
function overlap(seen: readonly LogRecord[], records: readonly LogRecord[]): number {
  const keys = (all: readonly LogRecord[]): string[] => all.map(({ timestamp, text }) => `${timestamp ?? ''} ${text}`);
  const [before, now] = [keys(seen), keys(records)];
  for (let length = Math.min(before.length, now.length); length > 0; length -= 1) {
    const start = before.length - length;
    if (now.slice(0, length).every((key, at) => key === before[start + at])) return length;
  }
  return 0;
}

/** IoT Edge's own form: `<6> 2026-01-31 12:00:00.000 +00:00 text`. */
function lineOf({ loglevel, timestamp, text }: LogRecord): string {
  return [`<${loglevel}>`, ...(timestamp === null ? [] : [spaced(timestamp)]), text].join(' ');
}

function spaced(timestamp: string): string {
  return timestamp.replace(
    /^(\S+)T(\d\d:\d\d:\d\d\.\d{3})\d*(Z|[+-]\d\d:\d\d)$/,
    (_all, day: string, time: string, zone: string) => `${day} ${time} ${zone === 'Z' ? '+00:00' : zone}`,
  );
}
