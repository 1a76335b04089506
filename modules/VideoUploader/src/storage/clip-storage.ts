import {
  AnonymousCredential,
  BlobServiceClient,
  BlockBlobClient,
  ContainerClient,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import type { StorageChoice } from '../environment.ts';
import { HubFileUpload } from './hub-file-upload.ts';
import { question } from './patience.ts';

/** Where one file goes. */
export interface BlobPlace {
  readonly client: BlockBlobClient;
  /** Of the blob, with the device's name in front. */
  readonly blobName: string;
  /** An upload that IoT Hub waits to hear the end of. */
  readonly correlationId?: string;
}

/** Places to upload to, whatever gives them. */
export interface ClipStorage {
  /** Undefined while nothing has told it. */
  readonly container: string | undefined;
  /** @param blobName without the device's name */
  place(blobName: string, signal: AbortSignal): Promise<BlobPlace>;
  /** Says how the upload of a place ended. Direct storage has nobody to tell. */
  end(correlationId: string, isSuccess: boolean, why: string, signal: AbortSignal): Promise<void>;
}

/** One attempt: pauses are the uploader's, which tells about them. */
const PIPELINE = { retryOptions: { maxTries: 1 }, keepAliveOptions: { enable: true } };

/** @throws Error when a connection string cannot be read */
export function openStorage(choice: Exclude<StorageChoice, { kind: 'none' }>, deviceId: string): ClipStorage {
  switch (choice.kind) {
    case 'connectionString': {
      const service = BlobServiceClient.fromConnectionString(choice.connectionString, PIPELINE);
      return new DirectStorage(service.getContainerClient(choice.container), deviceId, true);
    }
    case 'sas':
      return new DirectStorage(new ContainerClient(choice.url, new AnonymousCredential(), PIPELINE), deviceId, false);
    case 'fileUpload':
      return new HubStorage(new HubFileUpload(choice.device), choice.accountKey);
  }
}

class DirectStorage implements ClipStorage {
  readonly #client: ContainerClient;
  readonly #deviceId: string;
  #mayMake: boolean;

  constructor(client: ContainerClient, deviceId: string, mayMake: boolean) {
    this.#client = client;
    this.#deviceId = deviceId;
    this.#mayMake = mayMake;
  }

  get container(): string {
    return this.#client.containerName;
  }

  async place(blobName: string, signal: AbortSignal): Promise<BlobPlace> {
    if (this.#mayMake) await this.#client.createIfNotExists({ abortSignal: question(signal) });
    this.#mayMake = false;
    const whole = `${this.#deviceId}/${blobName}`;
    return { client: this.#client.getBlockBlobClient(whole), blobName: whole };
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}

class HubStorage implements ClipStorage {
  readonly #hub: HubFileUpload;
  readonly #accountKey: string;
  container: string | undefined;

  constructor(hub: HubFileUpload, accountKey: string) {
    this.#hub = hub;
    this.#accountKey = accountKey;
  }

  async place(name: string, signal: AbortSignal): Promise<BlobPlace> {
    const { url, sasToken, blobName, container, correlationId } = await this.#hub.begin(name, signal);
    this.container = container;
    // With the account's key blobs get tags, which a device's signature does not allow (contract A.5).
    const client =
      this.#accountKey === ''
        ? new BlockBlobClient(`${url}${sasToken}`, new AnonymousCredential(), PIPELINE)
        : new BlockBlobClient(url, new StorageSharedKeyCredential(accountOf(url), this.#accountKey), PIPELINE);
    return { client, blobName, correlationId };
  }

  end(correlationId: string, isSuccess: boolean, why: string, signal: AbortSignal): Promise<void> {
    return this.#hub.end(correlationId, isSuccess, why, signal);
  }
}

/** `https://<account>.blob.core.windows.net/...`, or `https://<emulator>/<account>/...`. */
function accountOf(url: string): string {
  const { hostname, pathname } = new URL(url);
  if (/\.blob\./.test(hostname)) return hostname.split('.')[0] ?? '';
  return pathname.split('/')[1] ?? '';
}
