import { open, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@vantage/contracts';
import { blobNameOf, factsOf, readOpenClipJson } from './clips/clip-facts.ts';
import type { Journal } from './journal.ts';
import type { BlobPlace, ClipStorage } from './storage/clip-storage.ts';
import { stageBlock, stagedBlocks } from './storage/upload-file.ts';

/** Blocks of a file that grows; the last one may not be whole yet. */
interface OpenClip {
  readonly place: BlobPlace;
  /** Monotonic. */
  readonly openedMs: number;
  readonly staged: ReadonlySet<string>;
  next: number;
}

/** IoT Hub allows ten uploads of a device at a time. */
const MAX_OPEN = 5;
/** A place is good for an hour. */
const PLACE_MS = 45 * 60_000;

export interface OpenClipsOptions {
  readonly folder: string;
  readonly journal: Journal;
  readonly storage: ClipStorage;
  readonly blockBytes: () => number;
  readonly admit: (bytes: number) => Promise<void>;
  readonly onSent: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Sends clips while they are being recorded: whole blocks of `.x.mp4.part` are staged under the name that the clip will
 * have. The first block, which the recorder changes when it closes the clip, is left for then. When the clip appears, its
 * ordinary upload finds these blocks by place and content, sends what is missing and commits.
 */
export class OpenClips {
  readonly #options: OpenClipsOptions;
  readonly #clips = new Map<string, OpenClip>();

  constructor(options: OpenClipsOptions) {
    this.#options = options;
  }

  /**
   * One block of each open clip that has one.
   *
   * @param parts names such as `.x.mp4.part`
   * @returns whether anything was sent
   * @throws what storage throws
   */
  async step(parts: readonly string[]): Promise<boolean> {
    for (const name of this.#clips.keys()) if (!parts.includes(name)) await this.#forget(name);
    let sent = false;
    for (const name of parts.slice(0, MAX_OPEN)) sent = (await this.#stage(name)) || sent;
    return sent;
  }

  async stop(): Promise<void> {
    for (const name of this.#clips.keys()) await this.#forget(name);
  }

  async #stage(part: string): Promise<boolean> {
    const { folder, blockBytes, admit, signal, onSent } = this.#options;
    const size = blockBytes();
    const file = path.join(folder, part);
    const length = (await stat(file).catch(() => undefined))?.size ?? 0;
    const next = this.#clips.get(part)?.next ?? 1;
    // One more block has to be there: what the recorder writes last may be cut off after a crash.
    if (length < size * (next + 2)) return false;
    const clip = await this.#open(part, size);
    if (clip === undefined) return false;
    const buffer = Buffer.allocUnsafe(size);
    const handle = await openIfThere(file);
    // Closed meanwhile: the clip goes the ordinary way.
    if (handle === undefined) return false;
    try {
      const { bytesRead } = await handle.read(buffer, 0, size, clip.next * size);
      if (bytesRead < size) return false;
    } finally {
      await handle.close();
    }
    const isNew = await stageBlock({ client: clip.place.client, admit, signal }, clip.next, buffer, clip.staged);
    if (isNew) onSent(size);
    clip.next += 1;
    return true;
  }

  async #open(part: string, blockBytes: number): Promise<OpenClip | undefined> {
    const known = this.#clips.get(part);
    if (known !== undefined && performance.now() - known.openedMs < PLACE_MS) return known;
    if (known !== undefined) await this.#forget(part);
    const { folder, journal, storage, signal } = this.#options;
    const name = part.slice(1, -'.part'.length);
    const base = name.replace(/\.mp4$/, '');
    const document = await readOpenClipJson(path.join(folder, `.${base}.json.part`));
    // The name of the blob says who is on the clip: as long as nobody knows, it waits.
    if (document === undefined) return undefined;
    const row = journal.get(name);
    const blob = row?.blob ?? blobNameOf(factsOf(document, Date.now()), name);
    const place = await storage.place(blob, signal);
    if (place.correlationId !== undefined) journal.begun(place.correlationId, name);
    if (row === undefined) {
      journal.see(name, 'clip', 0, Date.now());
      journal.uploading(name, blob, blockBytes);
    }
    const clip = {
      place,
      openedMs: performance.now(),
      staged: await stagedBlocks({ client: place.client, signal }),
      next: known?.next ?? 1,
    };
    this.#clips.set(part, clip);
    return clip;
  }

  async #forget(part: string): Promise<void> {
    const clip = this.#clips.get(part);
    this.#clips.delete(part);
    const correlationId = clip?.place.correlationId;
    if (correlationId === undefined) return;
    const { storage, journal, signal } = this.#options;
    // The blob is made through another place.
    await storage.end(correlationId, false, 'goes on with the whole clip', signal).catch(() => undefined);
    journal.ended(correlationId);
  }
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
