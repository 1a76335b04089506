import { createHash } from 'node:crypto';
import { open, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { BlobGetPropertiesResponse, BlockBlobClient } from '@azure/storage-blob';
import { Readable } from 'node:stream';
import { isObject, messageOf } from '@vantage/contracts';
import { fileChanged, nameTaken, notConfirmed } from '../errors.ts';
import { question, whileBytesFlow, type Patience } from './patience.ts';

const PIECE_BYTES = 64 << 10;

export interface UploadRequest {
  readonly client: BlockBlobClient;
  readonly file: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly blockBytes: number;
  /** Waits until so many bytes may be sent. */
  readonly admit: (bytes: number) => Promise<void>;
  readonly signal: AbortSignal;
  readonly patience?: Patience;
}

export interface Stored {
  readonly etag: string;
  /** Hex. */
  readonly md5: string;
  readonly bytes: number;
  /** What went over the line; less than `bytes` when an earlier attempt had sent some. */
  readonly sentBytes: number;
  /** Why the blob has no tags. */
  readonly untagged?: string;
  /** The time on storage's clock when it confirmed. */
  readonly confirmedAt?: Date;
}

/**
 * Brings a file to a block blob, whole or not at all, and only once: blocks are named after their place and content, so
 * that what an earlier attempt staged is not sent again; a blob that already has this very content counts as done; and a
 * blob with other content is never replaced.
 *
 * Resolves when storage has confirmed length and MD5.
 *
 * @throws VantageError UPLOAD_NAME_TAKEN, UPLOAD_FILE_CHANGED, UPLOAD_NOT_CONFIRMED; the client's and the file's errors
 */
export async function uploadFile(request: UploadRequest): Promise<Stored> {
  const { client, file } = request;
  const before = await stat(file);
  const handle = await open(file);
  try {
    const md5 = await hashOf(handle, before.size);
    let sentBytes = 0;
    let untagged: string | undefined;
    if ((await propertiesOf(request)) === undefined) {
      const sent = await stageBlocks(request, handle, before.size);
      sentBytes = sent.sentBytes;
      if (!sent.md5.equals(md5)) throw fileChanged(path.basename(file));
      const after = await stat(file);
      if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) throw fileChanged(path.basename(file));
      untagged = await commit(request, sent.ids, md5);
    }
    const properties = await propertiesOf(request);
    if (properties === undefined) throw notConfirmed(client.name, 'it is not there');
    const stored = properties.contentMD5;
    if (properties.contentLength !== before.size || stored === undefined || !md5.equals(stored)) {
      if (sentBytes === 0) throw nameTaken(client.name);
      throw notConfirmed(client.name, `it has ${properties.contentLength ?? 0} bytes or another hash`);
    }
    return {
      etag: properties.etag ?? '',
      md5: md5.toString('hex'),
      bytes: before.size,
      sentBytes,
      ...(untagged === undefined ? {} : { untagged }),
      ...(properties.date === undefined ? {} : { confirmedAt: properties.date }),
    };
  } finally {
    await handle.close();
  }
}

/**
 * Stages one block of a file that may still be growing.
 *
 * @returns false when storage had it already
 */
export async function stageBlock(
  request: Pick<UploadRequest, 'client' | 'admit' | 'signal' | 'patience'>,
  index: number,
  bytes: Buffer,
  staged: ReadonlySet<string>,
): Promise<boolean> {
  const md5 = createHash('md5').update(bytes).digest();
  const id = blockId(index, md5);
  if (staged.has(id)) return false;
  await request.admit(bytes.length);
  const send = (abortSignal: AbortSignal, onProgress: (progress: { loadedBytes: number }) => void): Promise<unknown> =>
    request.client.stageBlock(id, () => inPieces(bytes), bytes.length, {
      ...{ transactionalContentMD5: md5, abortSignal, onProgress },
    });
  await whileBytesFlow(request.signal, send, request.patience);
  return true;
}

/** The client tells of progress with each piece that the line has taken. */
function inPieces(bytes: Buffer): Readable {
  const pieces = Array.from({ length: Math.ceil(bytes.length / PIECE_BYTES) }, (_, at) =>
    bytes.subarray(at * PIECE_BYTES, (at + 1) * PIECE_BYTES),
  );
  return Readable.from(pieces, { objectMode: false });
}

/** The names of the blocks that storage holds for a blob that is not committed yet. */
export async function stagedBlocks({ client, signal }: Pick<UploadRequest, 'client' | 'signal'>): Promise<Set<string>> {
  try {
    const { uncommittedBlocks = [] } = await client.getBlockList('uncommitted', { abortSignal: question(signal) });
    return new Set(uncommittedBlocks.map(({ name }) => name));
  } catch (error) {
    if (isStatus(error, 404) && !/Container/.test(codeIn(error))) return new Set();
    throw error;
  }
}

async function stageBlocks(
  request: UploadRequest,
  handle: FileHandle,
  size: number,
): Promise<{ ids: string[]; md5: Buffer; sentBytes: number }> {
  const staged = await stagedBlocks(request);
  const whole = createHash('md5');
  const ids: string[] = [];
  let sentBytes = 0;
  for (let at = 0, index = 0; at < size; index += 1) {
    const buffer = Buffer.allocUnsafe(Math.min(request.blockBytes, size - at));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    if (bytesRead !== buffer.length) throw fileChanged(path.basename(request.file));
    whole.update(buffer);
    ids.push(blockId(index, createHash('md5').update(buffer).digest()));
    if (await stageBlock(request, index, buffer, staged)) sentBytes += buffer.length;
    at += buffer.length;
  }
  return { ids, md5: whole.digest(), sentBytes: Math.max(sentBytes, 1) };
}

/** @returns why tags were left out */
async function commit(request: UploadRequest, ids: string[], md5: Buffer): Promise<string | undefined> {
  const { client, contentType, metadata, tags, signal } = request;
  const options = {
    blobHTTPHeaders: { blobContentType: contentType, blobContentMD5: md5 },
    // What is there under this name is somebody's evidence.
    conditions: { ifNoneMatch: '*' },
  };
  try {
    await client.commitBlockList(ids, { ...options, metadata, tags, abortSignal: question(signal) });
  } catch (error) {
    if (isStatus(error, 409, 412) && /BlobAlreadyExists|ConditionNotMet/.test(codeIn(error))) return undefined;
    if (!/BlobTagsNotSupported|AuthorizationPermissionMismatch|FeatureVersionMismatch/.test(codeIn(error))) throw error;
    const why = `no tags: ${codeIn(error)}`;
    const said = [metadata['Error_Message'], why].filter((part) => part !== undefined).join(' ');
    await client.commitBlockList(ids, {
      ...options,
      metadata: { ...metadata, Error_Message: said },
      abortSignal: question(signal),
    });
    return why;
  }
  return undefined;
}

/** All ids of a blob have to be of one length. */
function blockId(index: number, md5: Buffer): string {
  return Buffer.from(`${String(index).padStart(6, '0')}-${md5.toString('hex')}`).toString('base64');
}

async function propertiesOf({ client, signal }: UploadRequest): Promise<BlobGetPropertiesResponse | undefined> {
  try {
    return await client.getProperties({ abortSignal: question(signal) });
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

async function hashOf(handle: FileHandle, size: number): Promise<Buffer> {
  const hash = createHash('md5');
  const buffer = Buffer.allocUnsafe(1 << 20);
  for (let at = 0; at < size;) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - at), at);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
  return hash.digest();
}

function isStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return isObject(error) && statuses.includes(Number(error['statusCode']));
}

function codeIn(error: unknown): string {
  const code = isObject(error) ? error['code'] : undefined;
  return typeof code === 'string' ? code : messageOf(error).slice(0, 80);
}
