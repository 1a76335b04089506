import type { ContainerClient } from '@azure/storage-blob';
import { messageOf } from '@vantage/contracts';
import { redact } from '@vantage/observability';
import { modelStorageFailed } from '../errors.ts';
import type { StorageSettings } from '../settings.ts';

const CONTAINER = 'models';
const YEAR_MS = 365 * 86_400_000;
const LOOPBACK = /^https?:\/\/(127\.|localhost[:/]|\[::1\])/i;

/** Models in the blob storage of the solution, for devices that cannot read this Player's files. */
export class ModelStorage {
  readonly #container: ContainerClient;

  private constructor(container: ContainerClient) {
    this.#container = container;
  }

  /**
   * @returns undefined where the storage's key is not known, which signs the addresses (a SAS that may do more is given
   *   to nobody), or where a device could not reach it
   */
  static async find(settings: StorageSettings | undefined): Promise<ModelStorage | undefined> {
    const storage = settings && (await ModelStorage.open(settings.access));
    return storage && !LOOPBACK.test(storage.#container.url) ? storage : undefined;
  }

  /** As {@link find}, wherever the storage is. */
  static async open(access: string): Promise<ModelStorage | undefined> {
    if (/^https?:/i.test(access)) return undefined;
    // The SDK takes a second to load: only where there is a storage.
    const { BlobServiceClient, StorageSharedKeyCredential } = await import('@azure/storage-blob');
    const service = BlobServiceClient.fromConnectionString(access, {
      retryOptions: { maxTries: 2, maxRetryDelayInMs: 1000 },
    });
    if (!(service.credential instanceof StorageSharedKeyCredential)) return undefined;
    return new ModelStorage(service.getContainerClient(CONTAINER));
  }

  /**
   * Brings a zip there, once; its content is its name.
   *
   * @returns an address that reads this one blob for a year
   * @throws VantageError MODEL_STORAGE_FAILED
   */
  async put(file: string, sha256: string, signal: AbortSignal): Promise<string> {
    const { BlobSASPermissions } = await import('@azure/storage-blob');
    const blob = this.#container.getBlockBlobClient(`${sha256}.zip`);
    try {
      await this.#container.createIfNotExists({ abortSignal: signal });
      if (!(await blob.exists({ abortSignal: signal }))) {
        await blob.uploadFile(file, { blobHTTPHeaders: { blobContentType: 'application/zip' }, abortSignal: signal });
      }
      return await blob.generateSasUrl({
        permissions: BlobSASPermissions.parse('r'),
        expiresOn: new Date(Date.now() + YEAR_MS),
      });
    } catch (error) {
      throw modelStorageFailed(redact(messageOf(error).split('\n', 1)[0] ?? ''));
    }
  }
}
