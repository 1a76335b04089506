import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { isTwinObject } from '@vantage/contracts';
import { invalidArgument, notFound, storageNotConfigured } from '../../errors.ts';
import { identityName } from '../../state/identities.ts';
import type { StateDatabase } from '../../state/database.ts';
import type { BlobStorage, UploadTarget } from './storage.ts';

/** A device or module says that a file has been uploaded, or could not be. */
export interface FileNotification {
  readonly deviceId: string;
  /** Empty for a device. */
  readonly moduleId: string;
  readonly correlationId: string;
  /** Without the token. */
  readonly blobUri: string;
  readonly blobName: string;
  readonly isSuccess: boolean;
  readonly statusCode: number;
  readonly statusDescription: string;
  readonly enqueuedTimeUtc: string;
}

/** IoT Hub's: an upload may take an hour. */
const TIME_TO_LIVE_MS = 3_600_000;
const MAX_NAME_LENGTH = 1024;
/** IoT Hub's limit of uploads that one device has under way. */
const MAX_OPEN_PER_DEVICE = 10;
/** Older notifications are forgotten. */
const MAX_NOTIFICATIONS = 10_000;

/**
 * File upload: gives devices a place in a storage account, and keeps what they say when they are done.
 *
 * Events: `fileUpload` (FileNotification), after it is kept.
 */
export class FileUploads extends EventEmitter<{ fileUpload: [FileNotification] }> {
  readonly #database: StateDatabase;
  readonly #storage: BlobStorage | undefined;
  readonly #now: () => number;

  constructor(database: StateDatabase, storage: BlobStorage | undefined, now: () => number) {
    super();
    this.#database = database;
    this.#storage = storage;
    this.#now = now;
  }

  open(): void {
    this.#database.define(`
      CREATE TABLE IF NOT EXISTS file_uploads (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, blob TEXT NOT NULL, uri TEXT NOT NULL, expires INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS file_notifications (sequence INTEGER PRIMARY KEY, document TEXT NOT NULL)`);
  }

  /**
   * Begins an upload; blobs lie under the name of their device or module, as in IoT Hub.
   * @throws VantageError EDGE_STORAGE_NOT_CONFIGURED, EDGE_INVALID_ARGUMENT
   */
  async begin(deviceId: string, moduleId: string, body: unknown): Promise<UploadTarget & { correlationId: string }> {
    if (this.#storage === undefined) throw storageNotConfigured();
    const blobName = isTwinObject(body) ? body['blobName'] : undefined;
    if (typeof blobName !== 'string' || blobName === '' || blobName.length > MAX_NAME_LENGTH) {
      throw invalidArgument(`blobName: 1 to ${MAX_NAME_LENGTH} characters expected`);
    }
    const name = identityName(deviceId, moduleId);
    const now = this.#now();
    const open = this.#database
      .prepare('SELECT COUNT(*) AS n FROM file_uploads WHERE name = ? AND expires > ?')
      .get(name, now);
    if (Number(open?.['n']) >= MAX_OPEN_PER_DEVICE) {
      throw invalidArgument(`"${name}" has ${MAX_OPEN_PER_DEVICE} uploads under way; end some with a notification`);
    }
    const expires = now + TIME_TO_LIVE_MS;
    const target = await this.#storage.target(`${name}/${blobName}`, expires);
    const correlationId = randomUUID();
    const uri = `https://${target.hostName}/${target.containerName}/${target.blobName}`;
    const insert = this.#database.prepare('INSERT INTO file_uploads VALUES (?, ?, ?, ?, ?)');
    const clean = this.#database.prepare('DELETE FROM file_uploads WHERE expires <= ?');
    await this.#database.write(() => {
      clean.run(now);
      insert.run(correlationId, name, target.blobName, uri, expires);
    });
    return { correlationId, ...target };
  }

  /** Ends an upload. @throws VantageError EDGE_NOT_FOUND, EDGE_INVALID_ARGUMENT */
  async end(deviceId: string, moduleId: string, body: unknown, idOfPath: string): Promise<void> {
    const said = isTwinObject(body) ? body : {};
    const correlationId = idOfPath === '' ? said['correlationId'] : idOfPath;
    if (typeof correlationId !== 'string') throw invalidArgument('correlationId is missing');
    if (typeof said['isSuccess'] !== 'boolean') throw invalidArgument('isSuccess: true or false expected');
    const upload = this.#database
      .prepare('SELECT * FROM file_uploads WHERE id = ? AND name = ?')
      .get(correlationId, identityName(deviceId, moduleId));
    if (upload === undefined) throw notFound(`file upload "${correlationId}" of this device`);
    const { statusCode, statusDescription } = said;
    const notification: FileNotification = {
      deviceId,
      moduleId,
      correlationId,
      blobUri: String(upload['uri']),
      blobName: String(upload['blob']),
      isSuccess: said['isSuccess'],
      statusCode: typeof statusCode === 'number' ? statusCode : 0,
      statusDescription: typeof statusDescription === 'string' ? statusDescription : '',
      enqueuedTimeUtc: new Date(this.#now()).toISOString(),
    };
    const remove = this.#database.prepare('DELETE FROM file_uploads WHERE id = ?');
    const insert = this.#database.prepare('INSERT INTO file_notifications (document) VALUES (?)');
    const clean = this.#database.prepare(
      'DELETE FROM file_notifications WHERE sequence <= (SELECT MAX(sequence) FROM file_notifications) - ?',
    );
    await this.#database.write(() => {
      remove.run(correlationId);
      insert.run(JSON.stringify(notification));
      clean.run(MAX_NOTIFICATIONS);
    });
    this.emit('fileUpload', notification);
  }

  /** The last notifications, the oldest first. */
  notifications(): FileNotification[] {
    return this.#database
      .prepare('SELECT document FROM file_notifications ORDER BY sequence')
      .all()
      .map((row) => JSON.parse(String(row['document'])) as FileNotification);
  }
}
