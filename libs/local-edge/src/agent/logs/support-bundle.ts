import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import type { LogFilter } from './log-query.ts';
import { readLog, type LogSource } from './log-request.ts';

/** A zip with what a helper asks for first: how the agent is, and the modules' logs. */
export async function supportBundle(
  source: LogSource,
  filter: LogFilter,
  withLogs: boolean,
  reported: Readonly<Record<string, unknown>>,
): Promise<Buffer> {
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(JSON.stringify(reported, undefined, 2)), 'edgeAgent-reported.json');
  for (const [id, log] of withLogs ? source.logs() : []) {
    zip.addBuffer(Buffer.from(await readLog(id, log, filter, 'text', source)), `logs/${id}_log.txt`);
  }
  zip.end();
  return buffer(zip.outputStream);
}
