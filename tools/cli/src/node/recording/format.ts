import { open, type FileHandle } from 'node:fs/promises';
import { VantageError, isObject, messageOf } from '@vantage/contracts';

/**
 * A recording: a line that says what it is, then one record a call, in the order the calls ended:
 *
 *     VANTAGE-NODE-RECORDING 1\n
 *     [4 bytes: length of the header, little endian][header: JSON, UTF-8][request][response]
 *
 * `request` and `response` are the protobuf messages of custom_node.proto exactly as they travelled, as long as the header
 * says. A last record that is cut off is left out.
 */
const MAGIC = 'VANTAGE-NODE-RECORDING 1\n';

export interface CallHeader {
  readonly call: 'handshake' | 'process';
  /** Which connection, counted from 1. */
  readonly connection: number;
  /** Milliseconds since the recording began, and that the call took. */
  readonly atMs: number;
  readonly tookMs: number;
  /** Bytes. */
  readonly request: number;
  readonly response: number;
  /** Instead of a response. */
  readonly error?: { readonly code: string; readonly details: string };
}

export interface RecordedCall {
  readonly header: CallHeader;
  readonly request: Buffer;
  readonly response: Buffer;
}

const MAX_HEADER = 64 * 1024;
const MAX_MESSAGE = 256 * 1024 * 1024;
const MAX_DETAILS = 4096;

/** Writes a recording, record by record, never more than `maxBytes`. */
export class RecordingWriter {
  readonly #file: FileHandle;
  readonly #maxBytes: number;
  #bytes: number;
  #work: Promise<void> = Promise.resolve();
  #failure: unknown;
  #isFull = false;

  private constructor(file: FileHandle, maxBytes: number) {
    this.#file = file;
    this.#maxBytes = maxBytes;
    this.#bytes = MAGIC.length;
  }

  /** @throws VantageError NODE_RECORDING_UNWRITABLE where the file exists already or cannot be made */
  static async create(file: string, maxBytes: number): Promise<RecordingWriter> {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(MAGIC);
      return new RecordingWriter(handle, maxBytes);
    } catch (error) {
      throw new VantageError('NODE_RECORDING_UNWRITABLE', `${file} cannot be made: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a record did not fit any more. Nothing is written from then on. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Resolves when the record is in the file; callers that wait keep memory bounded. */
  async write(
    header: Omit<CallHeader, 'request' | 'response'>,
    request: Uint8Array,
    response: Uint8Array,
  ): Promise<void> {
    const details = header.error?.details.slice(0, MAX_DETAILS);
    const whole: CallHeader = {
      ...header,
      ...(header.error === undefined ? {} : { error: { code: header.error.code, details: details ?? '' } }),
      request: request.length,
      response: response.length,
    };
    const json = Buffer.from(JSON.stringify(whole));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(json.length);
    const bytes = 4 + json.length + request.length + response.length;
    if (this.#isFull || this.#bytes + bytes > this.#maxBytes) {
      this.#isFull = true;
      return;
    }
    this.#bytes += bytes;
    this.#work = this.#work.then(async () => {
      if (this.#failure !== undefined) return;
      try {
        await this.#file.writev([length, json, request, response]);
      } catch (error) {
        this.#failure = error;
        this.#isFull = true;
      }
    });
    await this.#work;
  }

  /** @throws VantageError NODE_RECORDING_UNWRITABLE where something could not be written */
  async close(): Promise<void> {
    await this.#work;
    await this.#file.close();
    if (this.#failure !== undefined)
      throw new VantageError('NODE_RECORDING_UNWRITABLE', `the recording is cut off: ${messageOf(this.#failure)}`);
  }
}

/**
 * Reads a recording, one call at a time.
 *
 * @throws VantageError NODE_RECORDING_INVALID where the file is none, or is broken in the middle
 */
export async function* readRecording(file: string): AsyncGenerator<RecordedCall> {
  const handle = await open(file).catch((error: unknown) => {
    throw invalid(file, messageOf(error));
  });
  try {
    const { size } = await handle.stat();
    let at = 0;
    const take = async (length: number): Promise<Buffer | undefined> => {
      if (at + length > size) return undefined;
      const bytes = Buffer.allocUnsafe(length);
      const { bytesRead } = await handle.read(bytes, 0, length, at);
      at += length;
      return bytesRead === length ? bytes : undefined;
    };
    if ((await take(MAGIC.length))?.toString('latin1') !== MAGIC)
      throw invalid(file, `it does not begin with "${MAGIC.trim()}"`);
    while (at < size) {
      const start = at;
      const length = (await take(4))?.readUInt32LE() ?? 0;
      if (length > MAX_HEADER) throw invalid(file, `the record at byte ${start} has a header of ${length} bytes`);
      const header = readHeader(await take(length), file, start);
      if (header === undefined) return;
      const request = await take(header.request);
      const response = request && (await take(header.response));
      if (!request || !response) return;
      yield { header, request, response };
    }
  } finally {
    await handle.close();
  }
}

function readHeader(bytes: Buffer | undefined, file: string, start: number): CallHeader | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  let header: unknown;
  try {
    header = JSON.parse(bytes.toString());
  } catch (error) {
    throw invalid(file, `the record at byte ${start}: ${messageOf(error)}`);
  }
  if (!isHeader(header)) throw invalid(file, `the record at byte ${start} has a header that is none`);
  return header;
}

function isHeader(value: unknown): value is CallHeader {
  if (!isObject(value)) return false;
  const sizes = [value['request'], value['response']];
  const error = value['error'];
  return (
    (value['call'] === 'handshake' || value['call'] === 'process') &&
    [value['connection'], value['atMs'], value['tookMs']].every((one) => typeof one === 'number') &&
    sizes.every((one) => Number.isInteger(one) && (one as number) >= 0 && (one as number) <= MAX_MESSAGE) &&
    (error === undefined ||
      (isObject(error) && typeof error['code'] === 'string' && typeof error['details'] === 'string'))
  );
}

function invalid(file: string, reason: string): VantageError {
  return new VantageError('NODE_RECORDING_INVALID', `${file} cannot be read as a recording: ${reason}`);
}
