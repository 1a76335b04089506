import { open, readFile, rename, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '@vantage/contracts';
import { systemProperties, type HubMessage, type UpstreamMessage } from './message.ts';

/** Two files of this size are kept: the one being written and the one before it. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/**
 * The messages that left for the cloud, one JSON line each, in `<stateDir>/upstream.jsonl` (and `.1`, the older part).
 * Old messages fall off the end: this is a record for people and tests, not a queue.
 */
export class UpstreamLog {
  readonly #path: string;
  #file: FileHandle | undefined;
  #bytes = 0;
  #sequence = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(stateDir: string) {
    this.#path = join(stateDir, 'upstream.jsonl');
  }

  async open(): Promise<void> {
    this.#sequence = Math.max(await lastSequence(`${this.#path}.1`), await lastSequence(this.#path));
    this.#file = await open(this.#path, 'a', 0o600);
    this.#bytes = (await stat(this.#path)).size;
    // A line that a crash cut short must not swallow the next one.
    if (this.#bytes > 0 && !(await readFile(this.#path)).subarray(-1).equals(Buffer.from('\n'))) {
      await this.#file.appendFile('\n');
    }
  }

  /** Sequence of the newest message, 0 when there was none. */
  get lastSequence(): number {
    return this.#sequence;
  }

  /** Keeps a message; resolves when it is handed to the operating system. */
  async append(message: HubMessage): Promise<UpstreamMessage> {
    this.#sequence += 1;
    const upstream = toUpstream(message, this.#sequence);
    const line = Buffer.from(`${JSON.stringify(serialize(upstream))}\n`);
    this.#writing = this.#writing.then(
      () => this.#write(line),
      () => this.#write(line),
    );
    await this.#writing;
    return upstream;
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#writing]);
    await this.#file?.close();
    this.#file = undefined;
  }

  async #write(line: Buffer): Promise<void> {
    if (this.#bytes > 0 && this.#bytes + line.length > MAX_FILE_BYTES) {
      await this.#file?.close();
      await rename(this.#path, `${this.#path}.1`);
      this.#file = await open(this.#path, 'a', 0o600);
      this.#bytes = 0;
    }
    if (this.#file === undefined) throw new Error('the upstream log is closed');
    await this.#file.appendFile(line);
    this.#bytes += line.length;
  }
}

function toUpstream(message: HubMessage, sequence: number): UpstreamMessage {
  const { cid, ...system } = systemProperties(message);
  return {
    sequence,
    id: message.id,
    enqueuedTimeUtc: message.enqueuedTimeUtc,
    deviceId: message.deviceId,
    moduleId: message.moduleId,
    output: message.output,
    properties: message.properties,
    systemProperties: { ...system, ...(cid === undefined ? {} : { correlationId: cid }) },
    body: message.body,
  };
}

/** Text stays text, so that the file can be read; other bodies become base64. */
function serialize({ body, ...rest }: UpstreamMessage): object {
  const text = body.toString('utf8');
  return Buffer.from(text, 'utf8').equals(body)
    ? { ...rest, body: text }
    : { ...rest, bodyBase64: body.toString('base64') };
}

async function lastSequence(path: string): Promise<number> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
  for (const line of text.trimEnd().split('\n').reverse()) {
    const sequence = /^\{"sequence":(\d+),/.exec(line)?.[1];
    if (sequence !== undefined) return Number(sequence);
  }
  return 0;
}
