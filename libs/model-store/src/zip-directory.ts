import yauzl from 'yauzl';
import { messageOf } from '@vantage/contracts';
import { cleanEntryName, commonTopFolder, isLeftover } from './entry-name.ts';
import {
  packageBomb,
  packageCorrupt,
  packageEmpty,
  packageEncrypted,
  packageTruncated,
  packageUnsafe,
  packageUnsupported,
} from './errors.ts';
import { RATIO_FROM_BYTES, sizeText, type ModelStoreLimits } from './limits.ts';

export interface ZipFileEntry {
  readonly entry: yauzl.Entry;
  /** Path below the package's folder, the single top folder already taken off. */
  readonly name: string;
}

export interface ZipDirectory {
  readonly files: readonly ZipFileEntry[];
  readonly topFolder: string | undefined;
  readonly unpackedBytes: number;
}

const STORED = 0;
const DEFLATED = 8;
const METHODS: Readonly<Record<number, string>> = {
  9: 'Deflate64',
  12: 'BZIP2',
  14: 'LZMA',
  93: 'Zstandard',
  95: 'XZ',
};

/** File type bits of a Unix mode; zips keep the mode in the upper half of the external attributes (APPNOTE 4.4.15). */
const TYPE_MASK = 0o170000;
const REGULAR = 0o100000;
const FOLDER = 0o040000;
const LINK = 0o120000;

/** Opens a zip for {@link readDirectory}. The caller closes it. */
export async function openZip(file: string, shown: string): Promise<yauzl.ZipFile> {
  try {
    return await yauzl.openPromise(file, { lazyEntries: true, autoClose: false, decodeStrings: false });
  } catch (error) {
    throw damaged(shown, error);
  }
}

/**
 * Reads the whole directory of a zip and checks it against the limits, before a byte is unpacked. Nothing that this
 * accepts can be written outside of the folder it is unpacked to.
 */
export async function readDirectory(
  zip: yauzl.ZipFile,
  zipBytes: number,
  limits: ModelStoreLimits,
  shown: string,
): Promise<ZipDirectory> {
  if (zip.entryCount > limits.entries) {
    throw packageBomb(`${shown} has ${zip.entryCount} entries; the limit is ${limits.entries}`);
  }
  const kept: { entry: yauzl.Entry; name: string }[] = [];
  const names = new Set<string>();
  const folders = new Set<string>();
  let unpackedBytes = 0;
  let packedBytes = 0;
  for await (const entry of entriesOf(zip, shown)) {
    const decoded = yauzl.getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, false);
    const clean = cleanEntryName(decoded);
    const quoted = `entry ${JSON.stringify(decoded.slice(0, 120))}`;
    if (!clean.ok) throw packageUnsafe(`${shown}: ${quoted} is refused, ${clean.why}`);
    checkKind(entry, clean.folder, shown, quoted);
    packedBytes += entry.compressedSize;
    unpackedBytes += entry.uncompressedSize;
    checkSizes(entry, { packedBytes, unpackedBytes, zipBytes }, limits, shown, quoted);
    const parts = clean.name.split('/');
    if (parts.length > limits.depth) throw packageBomb(`${shown}: ${quoted} lies deeper than ${limits.depth} folders`);
    for (let depth = 1; depth < parts.length; depth += 1) folders.add(parts.slice(0, depth).join('/'));
    if (clean.folder || isLeftover(clean.name)) continue;
    if (names.has(clean.name)) throw packageUnsafe(`${shown} holds ${quoted} twice`);
    names.add(clean.name);
    kept.push({ entry, name: clean.name });
  }
  const clash = [...names].find((name) => folders.has(name));
  if (clash !== undefined) throw packageUnsafe(`${shown}: "${clash}" is both a file and a folder`);
  if (kept.length === 0) throw packageEmpty(`${shown} is a zip without any file in it`);
  const topFolder = commonTopFolder(kept.map(({ name }) => name));
  const cut = topFolder === undefined ? 0 : topFolder.length + 1;
  return { files: kept.map(({ entry, name }) => ({ entry, name: name.slice(cut) })), topFolder, unpackedBytes };
}

async function* entriesOf(zip: yauzl.ZipFile, shown: string): AsyncGenerator<yauzl.Entry> {
  try {
    yield* zip.eachEntry();
  } catch (error) {
    throw damaged(shown, error);
  }
}

function damaged(shown: string, error: unknown): Error {
  const reason = messageOf(error);
  return /end of central directory|unexpected EOF|truncated|not enough|out of bounds/i.test(reason)
    ? packageTruncated(`${shown} is not a complete zip: it ends too early (${reason})`)
    : packageCorrupt(`${shown} is a damaged zip: ${reason}`);
}

function checkKind(entry: yauzl.Entry, folder: boolean, shown: string, quoted: string): void {
  const type = (entry.externalFileAttributes >>> 16) & TYPE_MASK;
  if (type === LINK) throw packageUnsafe(`${shown}: ${quoted} is a symbolic link; links are not unpacked`);
  if (type !== 0 && type !== REGULAR && type !== FOLDER) throw packageUnsafe(`${shown}: ${quoted} is no plain file`);
  if (folder) return;
  if (entry.isEncrypted()) {
    throw packageEncrypted(`${shown}: ${quoted} is encrypted; make the zip without a password`);
  }
  const method = entry.compressionMethod;
  if (method !== STORED && method !== DEFLATED) {
    const name = METHODS[method] ?? `method ${method}`;
    throw packageUnsupported(`${shown}: ${quoted} is compressed with ${name}; make the zip with Deflate`);
  }
}

interface Sums {
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly zipBytes: number;
}

function checkSizes(entry: yauzl.Entry, sums: Sums, limits: ModelStoreLimits, shown: string, quoted: string): void {
  const { packedBytes, unpackedBytes, zipBytes } = sums;
  if (unpackedBytes > limits.unpackedBytes) {
    throw packageBomb(`${shown} would unpack to more than ${sizeText(limits.unpackedBytes)}`);
  }
  const bomb = (unpacked: number, packed: number): boolean =>
    unpacked >= RATIO_FROM_BYTES && unpacked > packed * limits.ratio;
  if (bomb(entry.uncompressedSize, entry.compressedSize)) {
    throw packageBomb(
      `${shown}: ${quoted} would unpack from ${sizeText(entry.compressedSize)} to ${sizeText(entry.uncompressedSize)}, over the limit of ${limits.ratio} to 1`,
    );
  }
  // Entries that share their bytes (Fifield, "A better zip bomb") add up to more than the file they lie in.
  if (packedBytes > zipBytes) throw packageBomb(`${shown}: its entries overlap`);
  if (bomb(unpackedBytes, zipBytes)) {
    throw packageBomb(`${shown} (${sizeText(zipBytes)}) would unpack to more than ${limits.ratio} times its size`);
  }
}
