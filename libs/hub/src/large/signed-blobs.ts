import type { BlobServiceClient, BlockBlobClient, ContainerClient, SignedIdentifier } from '@azure/storage-blob';
import { VantageError, messageOf } from '@vantage/contracts';

/** The stored access policy that every address names: it, not the address, says until when they work. */
const POLICY = 'vantage';
const DAY_MS = 86_400_000;
/** From the last time that something was put there on. */
const READABLE_DAYS = 365;
const OWN_READ_MS = 10 * 60_000;

/** Whether a connection string can sign addresses. A SAS, which may do more than read, is given to nobody. */
export function hasAccountKey(access: string): boolean {
  return /(?:^|;)\s*(?:AccountKey=|UseDevelopmentStorage=true)/i.test(access);
}

/**
 * A container of blobs that are named by their content, with the rights of the storage account; and addresses for who has
 * none: each reads one blob, nothing else, and all of them work until a year after the last blob was put there.
 */
export class SignedBlobs {
  readonly #container: ContainerClient;

  private constructor(container: ContainerClient) {
    this.#container = container;
  }

  /** @throws VantageError BLOB_STORE_UNKNOWN for what is no connection string with an account key */
  static async open(connection: string, container: string): Promise<SignedBlobs> {
    // The SDK takes a second to load: only where there is a storage.
    const { BlobServiceClient, StorageSharedKeyCredential } = await import('@azure/storage-blob');
    const retryOptions = { maxTries: 3, maxRetryDelayInMs: 1000 };
    const service = parse(() => BlobServiceClient.fromConnectionString(connection, { retryOptions }));
    if (!(service.credential instanceof StorageSharedKeyCredential)) {
      throw new VantageError(
        'BLOB_STORE_UNKNOWN',
        'the connection string has no account key: it is needed to let devices read',
      );
    }
    return new SignedBlobs(service.getContainerClient(container));
  }

  /** Of the container; no credentials in it. */
  get url(): string {
    return this.#container.url;
  }

  /**
   * Puts blobs there; what is there already is not sent again.
   *
   * @returns their addresses
   * @throws VantageError BLOB_STORE_FAILED
   */
  put(
    blobs: readonly { readonly name: string; readonly send: (blob: BlockBlobClient) => Promise<unknown> }[],
    signal: AbortSignal = new AbortController().signal,
  ): Promise<string[]> {
    return this.#ask('does not take what is to lie there', async () => {
      await this.#container.createIfNotExists({ abortSignal: signal });
      await this.#extend(signal);
      const addresses: string[] = [];
      for (const { name, send } of blobs) {
        const blob = this.#container.getBlockBlobClient(name);
        if (!(await blob.exists({ abortSignal: signal }))) await send(blob);
        addresses.push(await blob.generateSasUrl({ identifier: POLICY }));
      }
      return addresses;
    });
  }

  /** Lets the addresses that there are work for another year. @throws VantageError BLOB_STORE_FAILED */
  renew(): Promise<void> {
    return this.#ask('does not renew its addresses', () => this.#extend());
  }

  /** An address for the next minutes, whether the others still work or not. */
  async ownAddress(name: string): Promise<string> {
    const { BlobSASPermissions } = await import('@azure/storage-blob');
    return this.#container.getBlobClient(name).generateSasUrl({
      permissions: BlobSASPermissions.parse('r'),
      expiresOn: new Date(Date.now() + OWN_READ_MS),
    });
  }

  /** Once a day is enough. Policies of others stay. */
  async #extend(abortSignal: AbortSignal = new AbortController().signal): Promise<void> {
    const { signedIdentifiers, blobPublicAccess } = await this.#container.getAccessPolicy({ abortSignal });
    const until = signedIdentifiers.find(({ id }) => id === POLICY)?.accessPolicy.expiresOn?.getTime() ?? 0;
    if (until > Date.now() + (READABLE_DAYS - 1) * DAY_MS) return;
    const expiresOn = new Date(Date.now() + READABLE_DAYS * DAY_MS);
    const own: SignedIdentifier = { id: POLICY, accessPolicy: { permissions: 'r', expiresOn } };
    const others = signedIdentifiers.filter(({ id }) => id !== POLICY);
    await this.#container.setAccessPolicy(blobPublicAccess, [...others, own], { abortSignal });
  }

  async #ask<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      const why = messageOf(error).split('\n', 1)[0] ?? '';
      throw new VantageError('BLOB_STORE_FAILED', `${this.url} ${what}: ${why}`, { cause: error });
    }
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
