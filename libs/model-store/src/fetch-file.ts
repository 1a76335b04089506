import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseAddress } from './address.ts';
import { download } from './download.ts';
import { addressInvalid, packageHashMismatch, packageTooLarge } from './errors.ts';
import { DEFAULT_LIMITS, sizeText, type ModelStoreLimits } from './limits.ts';

export interface FileRequest {
  /** http or https. */
  readonly url: string;
  /** Where the file goes. It appears there whole and verified; what has arrived of it waits beside it, as `.part`. */
  readonly file: string;
  /** Lower-case hex digest that it must have. */
  readonly sha256: string;
  /** The size that is expected: nothing longer is read. */
  readonly bytes: number;
  readonly limits?: Partial<ModelStoreLimits>;
  readonly signal?: AbortSignal | undefined;
  /** Called often; keep it cheap. */
  readonly onBytes?: (doneBytes: number, totalBytes: number) => void;
  readonly onRetry?: (reason: string, tries: number) => void;
}

/**
 * Downloads one file whose digest is known. What an earlier try left behind is gone on with, also that of a program
 * that was ended; a file that is there and right is not asked for.
 *
 * @returns whether anything was downloaded
 * @throws VantageError with the codes of a download: `MODEL_DOWNLOAD_FAILED`, `MODEL_DOWNLOAD_REFUSED`,
 *   `MODEL_PACKAGE_SHA256`, `MODEL_PACKAGE_TOO_LARGE`, `MODEL_PACKAGE_HTML`, `MODEL_ADDRESS_INVALID`
 */
export async function fetchFile(request: FileRequest): Promise<'downloaded' | 'was-there'> {
  const { file, sha256, bytes, signal } = request;
  signal?.throwIfAborted();
  const address = parseAddress(request.url);
  if (address.kind !== 'http') throw addressInvalid(`${address.shown} is not an http or https address`);
  const limits = { ...DEFAULT_LIMITS, ...request.limits };
  if (bytes > limits.downloadBytes) {
    throw packageTooLarge(`${address.shown} has ${sizeText(bytes)}; the limit is ${sizeText(limits.downloadBytes)}`);
  }
  if ((await digestOf(file)) === sha256) return 'was-there';
  const part = `${file}.part`;
  await mkdir(path.dirname(file), { recursive: true });
  const resumed = await prepare(part, bytes);
  const get = async (): Promise<string> => {
    // A program that was ended between the last byte and the renaming left the whole file.
    if ((await sizeOf(part)) === bytes) return (await digestOf(part)) ?? '';
    const done = await download(address, part, {
      limits: { ...limits, downloadBytes: bytes },
      resume: true,
      wanted: 'the file',
      signal,
      onBytes: (doneBytes) => request.onBytes?.(doneBytes, bytes),
      ...(request.onRetry ? { onRetry: request.onRetry } : {}),
    });
    return done.kind === 'file' ? done.sha256 : '';
  };
  let actual = await get();
  if (actual !== sha256 && resumed) {
    // The part may be of another version of the file.
    await rm(part, { force: true });
    actual = await get();
  }
  if (actual !== sha256) {
    await rm(part, { force: true });
    throw packageHashMismatch(
      `${address.shown} has the sha256 ${actual}, not the ${sha256} that was asked for: it is another file`,
      { actual },
    );
  }
  await rename(part, file);
  return 'downloaded';
}

/** @returns whether there is a part to go on with; one that is too long is of no use */
async function prepare(part: string, bytes: number): Promise<boolean> {
  const size = await sizeOf(part);
  if (size > bytes) await rm(part, { force: true });
  return size > 0 && size <= bytes;
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    (found) => (found.isFile() ? found.size : 0),
    () => 0,
  );
}

/** Undefined when there is no such file. */
async function digestOf(file: string): Promise<string | undefined> {
  if ((await sizeOf(file)) === 0) return undefined;
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
