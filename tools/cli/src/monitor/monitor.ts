import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { VantageError, messageOf, parseJson } from '@vantage/contracts';
import { ControlClient } from '../control/client.ts';
import { parseDuration } from '../duration.ts';
import { untilSignal } from '../until-signal.ts';
import { messageText, type MonitoredMessage } from './message-text.ts';

export interface MonitorOptions {
  readonly state: string;
  readonly module?: string;
  readonly since?: string;
  readonly follow: boolean;
  readonly output: 'text' | 'json';
  readonly export?: string;
  readonly count?: number;
  readonly seconds?: number;
}

/** Where to begin: after a sequence, and with messages of a time on. */
interface Beginning {
  readonly sequence: number | undefined;
  readonly fromMs: number;
}

/** Prints or writes upstream messages until a signal, `--count`, `--seconds`, or the end of the runtime. */
export async function runMonitor(options: MonitorOptions): Promise<void> {
  const begin = beginning(options, Date.now());
  const client = await ControlClient.open(options.state);
  const query = new URLSearchParams({
    ...(options.follow && { follow: '1' }),
    ...(begin.sequence !== undefined && { since: String(begin.sequence) }),
    ...(options.module !== undefined && { module: options.module }),
  });
  const sink = options.export === undefined ? undefined : await openFile(options.export);
  const stop = untilSignal(options.seconds);
  let count = 0;
  try {
    for await (const line of client.lines(`/vantage/messages?${query.toString()}`, stop.signal)) {
      const message = parseJson(line) as MonitoredMessage;
      if (Date.parse(message.enqueuedTimeUtc) < begin.fromMs) continue;
      await write(
        sink ?? process.stdout,
        sink !== undefined || options.output === 'json' ? line : messageText(message),
      );
      count += 1;
      if (count === options.count) break;
    }
  } finally {
    stop.release();
    await close(sink);
  }
  if (options.export !== undefined) {
    process.stderr.write(`${count} ${count === 1 ? 'message' : 'messages'} written to ${options.export}\n`);
  }
  if (options.count !== undefined && count < options.count && options.seconds !== undefined) {
    throw new VantageError('MESSAGES_MISSING', `${count} of ${options.count} messages came in ${options.seconds} s`);
  }
}

function beginning({ since, follow }: MonitorOptions, nowMs: number): Beginning {
  if (since === undefined) return { sequence: follow ? undefined : 0, fromMs: 0 };
  if (since === 'all') return { sequence: 0, fromMs: 0 };
  if (/^\d{1,15}$/.test(since)) return { sequence: Number(since), fromMs: 0 };
  return { sequence: 0, fromMs: nowMs - parseDuration(since, '--since (or a sequence, or "all")') };
}

async function openFile(file: string): Promise<Writable> {
  const stream = createWriteStream(path.resolve(file), { flags: 'w' });
  try {
    await once(stream, 'open');
  } catch (error) {
    throw new VantageError('EXPORT_FAILED', `${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
  return stream;
}

async function write(stream: Writable, line: string): Promise<void> {
  if (!stream.write(`${line}\n`)) await once(stream, 'drain');
}

async function close(stream: Writable | undefined): Promise<void> {
  if (stream === undefined) return;
  stream.end();
  await once(stream, 'finish');
}
