import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { BlobServiceClient, ContainerClient, SignedIdentifier } from '@azure/storage-blob';
import { TWIN_BLOB_LIMITS, VantageError, codeOf, messageOf, readTwinBlob, type TwinBlob } from '@vantage/contracts';
import { isLocal, type HubOptions } from '../hub/options.ts';
import type { SpilledValue } from './spill.ts';

export interface BlobOptions extends HubOptions {
  /** File with a connection string of a storage account. */
  readonly blobConnectionFile?: string;
}

const CONTAINER = 'twins';
/** The stored access policy that every address of a value names: it, not the address, says until when they work. */
const POLICY = 'vantage';
const DAY_MS = 86_400_000;
/** From the last change of any twin with large values on. */
const READABLE_DAYS = 365;
const OWN_READ_MS = 10 * 60_000;

/** The container of large values in the storage account of a solution, with the account's own rights. */
export class BlobStore {
  readonly #container: ContainerClient;

  private constructor(container: ContainerClient) {
    this.#container = container;
  }

  /** @returns undefined where no storage account is named. @throws VantageError BLOB_STORE_UNKNOWN for a useless one */
  static async find(options: BlobOptions): Promise<BlobStore | undefined> {
    const connection = await connectionString(options);
    if (connection === undefined) return undefined;
    const { BlobServiceClient, StorageSharedKeyCredential } = await import('@azure/storage-blob');
    const service = parse(() => BlobServiceClient.fromConnectionString(connection));
    if (!(service.credential instanceof StorageSharedKeyCredential)) {
      throw new VantageError(
        'BLOB_STORE_UNKNOWN',
        'the connection string has no account key: it is needed to let devices read',
      );
    }
    return new BlobStore(service.getContainerClient(CONTAINER));
  }

  /** @throws VantageError BLOB_STORE_UNKNOWN */
  static async open(options: BlobOptions): Promise<BlobStore> {
    const store = await BlobStore.find(options);
    if (store) return store;
    throw new VantageError(
      'BLOB_STORE_UNKNOWN',
      'the twin would pass the 32 KB that a hub takes. Name a storage account for its large values: a connection string in ' +
        'VANTAGE_BLOB_CONNECTION or --blob-connection-file',
    );
  }

  /**
   * Puts values into the container by their hash: what is there already is not sent again. The address lets its holder
   * read this one blob, nothing else.
   *
   * @throws VantageError BLOB_STORE_FAILED
   */
  store(values: readonly SpilledValue[]): Promise<TwinBlob[]> {
    return this.#ask('does not take the values', async () => {
      await this.#container.createIfNotExists();
      await this.#extend();
      const blobs: TwinBlob[] = [];
      for (const { sha256, body } of values) {
        const blob = this.#container.getBlockBlobClient(nameOf(sha256));
        const blobHTTPHeaders = { blobContentType: 'application/json' };
        if (!(await blob.exists())) await blob.upload(body, body.length, { blobHTTPHeaders });
        const vantageBlob = await blob.generateSasUrl({ identifier: POLICY });
        blobs.push({ vantageBlob, sha256, bytes: body.length });
      }
      return blobs;
    });
  }

  /** Lets the addresses that there are work for another year. @throws VantageError BLOB_STORE_FAILED */
  renew(): Promise<void> {
    return this.#ask('does not renew the addresses of large values', () => this.#extend());
  }

  /** The value of a blob, whether its address still works or not. @throws VantageError TWIN_BLOB_UNREADABLE, TWIN_BLOB_INVALID */
  async read(blob: TwinBlob): Promise<unknown> {
    const { BlobSASPermissions } = await import('@azure/storage-blob');
    const vantageBlob = await this.#container.getBlobClient(nameOf(blob.sha256)).generateSasUrl({
      permissions: BlobSASPermissions.parse('r'),
      expiresOn: new Date(Date.now() + OWN_READ_MS),
    });
    return readTwinBlob({ ...blob, vantageBlob });
  }

  /** Once a day is enough. Policies of others stay. */
  async #extend(): Promise<void> {
    const { signedIdentifiers, blobPublicAccess } = await this.#container.getAccessPolicy();
    const until = signedIdentifiers.find(({ id }) => id === POLICY)?.accessPolicy.expiresOn?.getTime() ?? 0;
    if (until > Date.now() + (READABLE_DAYS - 1) * DAY_MS) return;
    const expiresOn = new Date(Date.now() + READABLE_DAYS * DAY_MS);
    const own: SignedIdentifier = { id: POLICY, accessPolicy: { permissions: 'r', expiresOn } };
    await this.#container.setAccessPolicy(blobPublicAccess, [
      ...signedIdentifiers.filter(({ id }) => id !== POLICY),
      own,
    ]);
  }

  async #ask<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      const why = messageOf(error).split('\n', 1)[0] ?? '';
      throw new VantageError('BLOB_STORE_FAILED', `${this.#container.url} ${what}: ${why}`, { cause: error });
    }
  }
}

/** @throws VantageError TWIN_TOO_LARGE */
export function requireReadable(values: readonly SpilledValue[]): void {
  const tooLarge = values.find(({ body }) => body.length > TWIN_BLOB_LIMITS.bytes);
  if (!tooLarge) return;
  throw new VantageError(
    'TWIN_TOO_LARGE',
    `${tooLarge.path.join('.')} has ${tooLarge.body.length} bytes; modules read at most ${TWIN_BLOB_LIMITS.bytes}`,
  );
}

function nameOf(sha256: string): string {
  return `${sha256}.json`;
}

/** Of the options, the environment, or the storage account that the local runtime brings along. */
async function connectionString(
  options: BlobOptions,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const { blobConnectionFile, state } = options;
  const given = env['VANTAGE_BLOB_CONNECTION'];
  if (blobConnectionFile === undefined && given !== undefined && given !== '') return given;
  const file = blobConnectionFile ?? (isLocal(options) ? path.join(state, 'storage', 'connection') : undefined);
  try {
    return file === undefined ? undefined : (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (blobConnectionFile === undefined && codeOf(error) === 'ENOENT') return undefined;
    throw new VantageError('BLOB_STORE_UNKNOWN', `${file ?? ''} cannot be read`, { cause: error });
  }
}

function parse(read: () => BlobServiceClient): BlobServiceClient {
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
