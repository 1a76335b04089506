import type { BlockBlobClient } from '@azure/storage-blob';
import { SignedBlobs } from '@vantage/hub';
import { handsOver } from '../hub/value-account.ts';
import type { StorageSettings } from '../settings.ts';

const CONTAINER = 'models';

/** Models in the blob storage of the solution, for devices that cannot read this Player's files. */
export class ModelStorage {
  readonly #blobs: SignedBlobs;

  private constructor(blobs: SignedBlobs) {
    this.#blobs = blobs;
  }

  /** @returns undefined where no address can be signed, or where a device could not reach it */
  static async find(settings: StorageSettings | undefined, isSameMachine = false): Promise<ModelStorage | undefined> {
    const access = settings?.access;
    if (!handsOver(access, isSameMachine)) return undefined;
    return new ModelStorage(await SignedBlobs.open(access, CONTAINER));
  }

  /**
   * Brings a zip there, once; its content is its name.
   *
   * @returns an address that reads this one blob
   * @throws VantageError BLOB_STORE_FAILED
   */
  async put(file: string, sha256: string, abortSignal: AbortSignal): Promise<string> {
    const blobHTTPHeaders = { blobContentType: 'application/zip' };
    const send = (blob: BlockBlobClient): Promise<unknown> => blob.uploadFile(file, { blobHTTPHeaders, abortSignal });
    const [address = ''] = await this.#blobs.put([{ name: `${sha256}.zip`, send }], abortSignal);
    return address;
  }
}
