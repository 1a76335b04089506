import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { TWIN_BLOB_LIMITS, VantageError, codeOf, messageOf, type TwinBlob } from '@vantage/contracts';
import { isLocal, type HubOptions } from '../hub/options.ts';
import type { SpilledValue } from './spill.ts';

export interface BlobOptions extends HubOptions {
  /** File with a connection string of a storage account. */
  readonly blobConnectionFile?: string;
}

const CONTAINER = 'twins';
/** Devices read a value when they first see it; this is for those that are away, and those that start anew. */
const READABLE_DAYS = 5 * 365;

/**
 * Puts values into blob storage by their hash: what is there already is not sent again. The address lets its holder read
 * this one blob, nothing else.
 *
 * @throws VantageError BLOB_STORE_UNKNOWN, BLOB_STORE_FAILED, TWIN_TOO_LARGE
 */
export async function storeValues(values: readonly SpilledValue[], options: BlobOptions): Promise<TwinBlob[]> {
  const tooLarge = values.find(({ body }) => body.length > TWIN_BLOB_LIMITS.bytes);
  if (tooLarge) {
    throw new VantageError(
      'TWIN_TOO_LARGE',
      `${tooLarge.path.join('.')} has ${tooLarge.body.length} bytes; modules read at most ${TWIN_BLOB_LIMITS.bytes}`,
    );
  }
  const connection = await connectionString(options);
  const { BlobServiceClient, BlobSASPermissions, StorageSharedKeyCredential } = await import('@azure/storage-blob');
  const service = parse(() => BlobServiceClient.fromConnectionString(connection));
  if (!(service.credential instanceof StorageSharedKeyCredential)) {
    throw new VantageError(
      'BLOB_STORE_UNKNOWN',
      'the connection string has no account key: it is needed to let devices read',
    );
  }
  const container = service.getContainerClient(CONTAINER);
  const expiresOn = new Date(Date.now() + READABLE_DAYS * 86_400_000);
  try {
    await container.createIfNotExists();
    const blobs: TwinBlob[] = [];
    for (const { sha256, body } of values) {
      const blob = container.getBlockBlobClient(`${sha256}.json`);
      const blobHTTPHeaders = { blobContentType: 'application/json' };
      if (!(await blob.exists())) await blob.upload(body, body.length, { blobHTTPHeaders });
      const vantageBlob = await blob.generateSasUrl({ permissions: BlobSASPermissions.parse('r'), expiresOn });
      blobs.push({ vantageBlob, sha256, bytes: body.length });
    }
    return blobs;
  } catch (error) {
    const why = messageOf(error).split('\n', 1)[0] ?? '';
    throw new VantageError('BLOB_STORE_FAILED', `${container.url} does not take the values: ${why}`, { cause: error });
  }
}

/** Of the options, the environment, or the storage account that the local runtime brings along. */
async function connectionString(options: BlobOptions, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { blobConnectionFile, state } = options;
  const given = env['VANTAGE_BLOB_CONNECTION'];
  if (blobConnectionFile === undefined && given !== undefined && given !== '') return given;
  const file = blobConnectionFile ?? (isLocal(options) ? path.join(state, 'storage', 'connection') : undefined);
  try {
    if (file !== undefined) return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (blobConnectionFile !== undefined || codeOf(error) !== 'ENOENT') {
      throw new VantageError('BLOB_STORE_UNKNOWN', `${file ?? ''} cannot be read`, { cause: error });
    }
  }
  throw new VantageError(
    'BLOB_STORE_UNKNOWN',
    'the twin would pass the 32 KB that a hub takes. Name a storage account for its large values: a connection string in ' +
      'VANTAGE_BLOB_CONNECTION or --blob-connection-file',
  );
}

function parse<T>(read: () => T): T {
  try {
    return read();
  } catch {
    // The SDK's own message may quote the text.
    throw new VantageError(
      'BLOB_STORE_UNKNOWN',
      'that is no connection string of a storage account: DefaultEndpointsProtocol=…;AccountName=…;AccountKey=…',
    );
  }
}
