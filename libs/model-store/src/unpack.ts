import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import type { ZipFile } from 'yauzl';
import { messageOf } from '@vantage/contracts';
import { packageCorrupt } from './errors.ts';
import type { ModelStoreLimits } from './limits.ts';
import { openZip, readDirectory, type ZipDirectory, type ZipFileEntry } from './zip-directory.ts';

export interface UnpackedFile {
  /** Path below the package's folder, `/` between parts. */
  readonly name: string;
  readonly bytes: number;
}

export interface Unpacked {
  readonly files: readonly UnpackedFile[];
  readonly topFolder: string | undefined;
}

export interface UnpackOptions {
  readonly limits: ModelStoreLimits;
  /** The package's address for errors, already without secrets. */
  readonly shown: string;
  readonly zipBytes: number;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Unpacks a zip into an empty folder. The directory is checked as a whole before the first byte is written; every
 * file's length and CRC-32 are checked while it is written. On an error the folder is left as it is: the caller owns it.
 */
export async function unpackZip(file: string, target: string, options: UnpackOptions): Promise<Unpacked> {
  const zip = await openZip(file, options.shown);
  try {
    const directory = await readDirectory(zip, options.zipBytes, options.limits, options.shown);
    await writeAll(zip, directory, target, options);
    const files = directory.files.map(({ entry, name }) => ({ name, bytes: entry.uncompressedSize }));
    return { files: files.sort((a, b) => (a.name < b.name ? -1 : 1)), topFolder: directory.topFolder };
  } finally {
    zip.close();
  }
}

async function writeAll(zip: ZipFile, directory: ZipDirectory, target: string, options: UnpackOptions): Promise<void> {
  let done = 0;
  const report = (bytes: number): void => {
    done += bytes;
    options.onBytes?.(done, directory.unpackedBytes);
  };
  for (const file of directory.files) {
    options.signal?.throwIfAborted();
    const place = path.join(target, ...file.name.split('/'));
    await mkdir(path.dirname(place), { recursive: true });
    await writeOne(zip, file, place, report, options);
  }
}

async function writeOne(
  zip: ZipFile,
  { entry, name }: ZipFileEntry,
  place: string,
  report: (bytes: number) => void,
  { shown, signal }: UnpackOptions,
): Promise<void> {
  let sum = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sum = crc32(chunk, sum);
      report(chunk.length);
      done(null, chunk);
    },
  });
  // 'wx': a file that is there already would be another entry of the same name, in whatever spelling the disk takes for equal.
  const sink = createWriteStream(place, { flags: 'wx', mode: 0o644, flush: true });
  try {
    await pipeline(await zip.openReadStreamPromise(entry), check, sink, ...(signal ? [{ signal }] : []));
  } catch (error) {
    sink.destroy();
    if (signal?.aborted === true) throw error;
    throw packageCorrupt(`${shown}: "${name}" cannot be unpacked: ${messageOf(error)}`, {}, error);
  }
  if (sum !== entry.crc32) {
    throw packageCorrupt(`${shown}: "${name}" does not match its checksum; the zip is damaged`);
  }
}
