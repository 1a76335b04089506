import type { Readable } from 'node:stream';
import type { ContainerClient } from '@azure/storage-blob';
import { messageOf, sensorTag } from '@vantage/contracts';
import { redact } from '@vantage/observability';
import type { ApiClipSource } from '../api.ts';
import type { StorageSettings } from '../settings.ts';
import { splitFileName } from './clip-name.ts';
import type { ClipSource, SourceFile } from './clip-source.ts';

const MAX_BLOBS = 200_000;

/** What the uploader brought to blob storage, of one device. */
export class BlobSource implements ClipSource {
  readonly where = 'storage';
  readonly #settings: StorageSettings;
  readonly #device: () => Promise<string | null>;
  #container: ContainerClient | undefined;
  state: ApiClipSource = { state: 'ok' };

  constructor(settings: StorageSettings, device: () => Promise<string | null>) {
    this.#settings = settings;
    this.#device = device;
  }

  async list(signal: AbortSignal): Promise<readonly SourceFile[] | undefined> {
    const device = await this.#device();
    const files: SourceFile[] = [];
    try {
      const container = await this.#open();
      const blobs = container.listBlobsFlat({
        includeTags: true,
        abortSignal: signal,
        ...(device === null ? {} : { prefix: `${device}/` }),
      });
      for await (const { name: at, properties, tags } of blobs) {
        const split = splitFileName(at.slice(at.lastIndexOf('/') + 1));
        if (split) {
          const startedAtMs = Date.parse(tags?.['Date'] ?? '');
          files.push({
            ...split,
            at,
            bytes: properties.contentLength ?? 0,
            version: properties.etag,
            ...(tags?.['Sensor'] === undefined ? {} : { sensor: sensorOf(at, tags['Sensor']) }),
            ...(Number.isNaN(startedAtMs) ? {} : { startedAtMs }),
          });
        }
        if (files.length >= MAX_BLOBS) break;
      }
      this.state = { state: 'ok' };
      return files;
    } catch (error) {
      const { statusCode } = error as { statusCode?: number };
      if (statusCode === 404) {
        this.state = { state: 'missing', message: `there is no container ${this.#settings.container} yet` };
        return [];
      }
      const isRefused = statusCode === 401 || statusCode === 403;
      // The SDK's messages go over many lines and repeat headers.
      const why = redact(messageOf(error).split('\n', 1)[0] ?? '');
      this.state = isRefused
        ? { state: 'refused', message: 'the blob storage does not accept the credentials' }
        : { state: 'unreachable', message: `the blob storage does not answer: ${why}` };
      return undefined;
    }
  }

  async open(file: SourceFile, start: number, end: number, signal: AbortSignal): Promise<Readable> {
    const blob = (await this.#open()).getBlobClient(file.at);
    const { readableStreamBody } = await blob.download(start, end - start + 1, { abortSignal: signal });
    return readableStreamBody as Readable;
  }

  /** The SDK takes a second to load: only where there is a storage. */
  async #open(): Promise<ContainerClient> {
    if (this.#container) return this.#container;
    const { BlobServiceClient } = await import('@azure/storage-blob');
    const { access, container } = this.#settings;
    // A storage that is down must not hold a list for minutes.
    const options = { retryOptions: { maxTries: 2, tryTimeoutInMs: 10_000, maxRetryDelayInMs: 1000 } };
    const service = /^https?:/i.test(access)
      ? new BlobServiceClient(access, undefined, options)
      : BlobServiceClient.fromConnectionString(access, options);
    this.#container = service.getContainerClient(container);
    return this.#container;
  }
}

/** A tag cannot hold every name: the folder of the blob has it whole (C.6: `…/<sensor>/<skill>/<label>/<file>`, snippets: `…/<sensor>/<file>`). */
function sensorOf(at: string, tag: string): string {
  const folders = at.split('/');
  return [folders.at(-4), folders.at(-2)].find((name) => name !== undefined && sensorTag(name) === tag) ?? tag;
}
