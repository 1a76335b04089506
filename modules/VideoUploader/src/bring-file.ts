import { stat } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, messageOf } from '@vantage/contracts';
import { redact, type Logger } from '@vantage/observability';
import {
  blobNameOf,
  factsOf,
  metadataOf,
  readClipJson,
  snippetFacts,
  tagsOf,
  type ClipFacts,
} from './clips/clip-facts.ts';
import { baseOf, contentTypeOf, jsonNamesOf } from './clips/clip-names.ts';
import type { FileRow, FileState, Journal } from './journal.ts';
import type { Status } from './status.ts';
import type { BlobPlace, ClipStorage } from './storage/clip-storage.ts';
import type { Patience } from './storage/patience.ts';
import { troubleOf, wrongClock } from './storage/trouble.ts';
import { uploadFile } from './storage/upload-file.ts';

const FILE_PAUSE_MS = 5000;
/** After trouble with a file it is tried again within this time. */
export const LONGEST_FILE_PAUSE_MS = 600_000;

export interface FileBringerOptions {
  readonly folder: string;
  readonly deviceId: string;
  readonly journal: Journal;
  readonly storage: ClipStorage;
  readonly status: Status;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** How large the blocks of a file of so many bytes are. */
  readonly blockBytes: (size: number) => number;
  readonly admit: (bytes: number) => Promise<void>;
  readonly patience?: Patience;
  readonly onMoved: (name: string, state: FileState) => void;
}

/** Brings one file to storage; each step is in the journal before the next is taken. */
export class FileBringer {
  readonly #options: FileBringerOptions;

  constructor(options: FileBringerOptions) {
    this.#options = options;
  }

  /**
   * @returns whether storage has it now; false: this one waits, others need not
   * @throws what would keep any other file from arriving, too
   */
  async bring(row: FileRow): Promise<boolean> {
    const { journal, folder, deviceId, logger, storage, status, signal, admit, patience, onMoved } = this.#options;
    let place: BlobPlace | undefined;
    try {
      const facts = await this.#factsOf(row);
      const blob = row.blob ?? blobNameOf(facts, row.path);
      const blockBytes = row.blockBytes > 0 ? row.blockBytes : this.#options.blockBytes(row.size);
      journal.uploading(row.path, blob, blockBytes);
      onMoved(row.path, 'uploading');
      place = await storage.place(blob, signal);
      if (place.correlationId !== undefined) journal.begun(place.correlationId, row.path);
      const stored = await uploadFile({
        client: place.client,
        file: path.join(folder, row.path),
        contentType: contentTypeOf(row.path),
        metadata: metadataOf(facts, deviceId),
        tags: tagsOf(facts),
        ...{ blockBytes, admit, signal },
        ...(patience === undefined ? {} : { patience }),
      });
      journal.stored(row.path, row.kind, { ...stored, name: place.blobName });
      onMoved(row.path, 'stored');
      status.sent(stored.sentBytes);
      status.setStorage('ok', undefined, storage.container);
      status.stored(row.kind);
      const { confirmedAt } = stored;
      status.setClockProblem(confirmedAt && wrongClock(Date.now(), confirmedAt.getTime()));
      const { bytes, sentBytes: sent, untagged: note } = stored;
      logger.info('stored', { file: row.path, blob: place.blobName, bytes, sent, note });
      await this.#end(place, true, 'stored');
      return true;
    } catch (error) {
      if (signal.aborted) throw error;
      if (place !== undefined) await this.#end(place, false, redact(messageOf(error)).slice(0, 200));
      await this.#failed(row, error);
      return false;
    }
  }

  /** Tells the hub how what a process that was killed had begun has ended. @throws when it cannot be told */
  async endInterrupted(): Promise<void> {
    const { journal, storage, signal } = this.#options;
    for (const { correlationId, path: file } of journal.openUploads()) {
      const state = journal.get(file)?.state;
      const isStored = state === 'stored' || state === 'announced' || state === 'deleted';
      await storage.end(correlationId, isStored, isStored ? 'stored' : 'interrupted', signal);
      journal.ended(correlationId);
    }
  }

  async #failed(row: FileRow, error: unknown): Promise<void> {
    const { journal, folder, logger, status } = this.#options;
    const code = codeOf(error);
    // The recorder makes room by removing the oldest; the next look says so.
    if (code === 'ENOENT' && (await isGone(path.join(folder, row.path)))) return;
    if (code === 'UPLOAD_NAME_TAKEN') {
      const { dir, name, ext } = path.posix.parse(row.blob ?? blobNameOf(await this.#factsOf(row), row.path));
      const other = path.posix.join(dir, `${name}~${Math.round(row.mtimeMs).toString(36)}${ext}`);
      logger.warn('another blob has this name; the clip gets another', { file: row.path, blob: other });
      journal.uploading(row.path, other, row.blockBytes);
      return;
    }
    const trouble = troubleOf(error, Date.now());
    if (trouble.scope === 'storage') {
      journal.failed(row.path, trouble.message, 0);
      throw error;
    }
    const pauseMs = Math.min(LONGEST_FILE_PAUSE_MS, FILE_PAUSE_MS * 2 ** Math.min(row.attempts, 10));
    journal.failed(row.path, trouble.message, Date.now() + pauseMs);
    status.failed('file');
    logger.error(`a file was not uploaded: ${trouble.message}`, { file: row.path, code, retryInMs: pauseMs });
  }

  async #end({ correlationId }: BlobPlace, isSuccess: boolean, why: string): Promise<void> {
    const { journal, logger, storage, signal } = this.#options;
    if (correlationId === undefined) return;
    try {
      await storage.end(correlationId, isSuccess, why, signal);
      journal.ended(correlationId);
    } catch (error) {
      logger.debug('IoT Hub was not told of an upload; it forgets it in an hour', { error: messageOf(error) });
    }
  }

  async #factsOf(row: FileRow): Promise<ClipFacts> {
    const { journal, folder } = this.#options;
    if (row.kind === 'snippet') return snippetFacts(row.path, row.mtimeMs);
    const base = baseOf(row.path);
    const known = journal.facts(base);
    if (known !== undefined) return known;
    for (const { name, sensor } of jsonNamesOf(base)) {
      const document = await readClipJson(path.join(folder, name));
      if (document === undefined) continue;
      const facts = factsOf(document, row.mtimeMs, sensor);
      journal.keepFacts(base, facts);
      return facts;
    }
    return factsOf(undefined, row.mtimeMs);
  }
}

async function isGone(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) === undefined;
}
