import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { invalidArgument } from '../../errors.ts';
import type { Certificates } from '../../state/certificates.ts';
import { SecureFront } from './secure-front.ts';

/** What a device gets to upload a file, in IoT Hub's form. The URL is `https://<hostName>/<containerName>/<blobName><sasToken>`. */
export interface UploadTarget {
  readonly hostName: string;
  readonly containerName: string;
  readonly blobName: string;
  readonly sasToken: string;
}

/** A storage account, known by its connection string. */
export class BlobStorage {
  readonly #connectionString: string;
  readonly #containerName: string;
  readonly #logger: Logger;
  #container: Promise<void> | undefined;
  #front: { readonly server: SecureFront; readonly host: string } | undefined;

  constructor(connectionString: string, containerName: string, logger: Logger) {
    this.#connectionString = connectionString;
    this.#containerName = containerName;
    this.#logger = logger;
  }

  /** The port of the https address that stands before an account with plain http; undefined without one. */
  frontPort: number | undefined;

  /** The account's key, for whoever runs the account itself. */
  get accountKey(): string {
    return readConnectionString(this.#connectionString).accountKey;
  }

  /**
   * Stands https before an account that speaks http, since devices upload over https only.
   * @param host the name by which devices know this machine
   */
  async openFront(certificates: Certificates, host: string): Promise<void> {
    const { endpoint } = readConnectionString(this.#connectionString);
    if (endpoint.protocol !== 'http:' || this.#front !== undefined) return;
    const target = { host: endpoint.hostname, port: Number(endpoint.port || 80) };
    const server = new SecureFront(certificates, target, this.#logger);
    this.frontPort = await server.open();
    this.#front = { server, host: `${host}:${this.frontPort}` };
  }

  async close(): Promise<void> {
    const front = this.#front;
    this.#front = undefined;
    this.frontPort = undefined;
    await front?.server.close();
  }

  /**
   * A target that may be read and written until `expiresAtMs`.
   * @throws VantageError EDGE_INVALID_ARGUMENT when the connection string is not one
   */
  async target(blobName: string, expiresAtMs: number): Promise<UploadTarget> {
    const { endpoint, accountName, accountKey } = readConnectionString(this.#connectionString);
    // Loaded here: half a second that only file uploads need.
    const blob = await import('@azure/storage-blob');
    const credential = new blob.StorageSharedKeyCredential(accountName, accountKey);
    const service = new blob.BlobServiceClient(endpoint.href, credential, { retryOptions: { maxTries: 1 } });
    this.#container ??= service
      .getContainerClient(this.#containerName)
      .createIfNotExists()
      .then(() => undefined)
      .catch((error: unknown) => {
        this.#container = undefined;
        this.#logger.warn('the container for file uploads could not be made; it has to be there already', {
          container: this.#containerName,
          error: messageOf(error),
        });
      });
    await this.#container;
    const sas = blob.generateBlobSASQueryParameters(
      {
        containerName: this.#containerName,
        blobName,
        permissions: blob.BlobSASPermissions.parse('racw'),
        expiresOn: new Date(expiresAtMs),
      },
      credential,
    );
    return {
      // An Azurite has the account's name in the path, which is no part of a container's name.
      hostName: (this.#front?.host ?? endpoint.host) + endpoint.pathname.replace(/\/$/, ''),
      containerName: this.#containerName,
      blobName,
      sasToken: `?${sas.toString()}`,
    };
  }
}

interface Account {
  readonly endpoint: URL;
  readonly accountName: string;
  readonly accountKey: string;
}

function readConnectionString(text: string): Account {
  const fields = new Map(
    text.split(';').map((part): [string, string] => {
      const at = part.indexOf('=');
      return [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()];
    }),
  );
  const accountName = fields.get('accountname') ?? '';
  const accountKey = fields.get('accountkey') ?? '';
  const suffix = fields.get('endpointsuffix') ?? 'core.windows.net';
  const protocol = fields.get('defaultendpointsprotocol') ?? 'https';
  const endpoint = fields.get('blobendpoint') ?? `${protocol}://${accountName}.blob.${suffix}`;
  if (accountName === '' || accountKey === '' || !URL.canParse(endpoint)) {
    throw invalidArgument('the storage connection string lacks AccountName, AccountKey or a valid BlobEndpoint');
  }
  return { endpoint: new URL(endpoint), accountName, accountKey };
}
