import { writeFileSync } from 'node:fs';
import { appendFile, readFile, rm } from 'node:fs/promises';
import { isObject, type Inference, type InferenceEvent } from '@vantage/contracts';
import type { FrameInsights } from '@vantage/skill';
import { toEvents, toInferences } from '../../frame-inferences.ts';
import type { ClipRegion } from '../protocol.ts';

/** Above this much that the disk has not taken, entries are left out. */
const MAX_WAITING_BYTES = 8 << 20;
const FLUSH_US = 1_000_000;

/** What a clip's document needs beside its frames. */
export interface JournalHead {
  readonly pipelineId: string;
  readonly sensor: string;
  readonly regions: readonly ClipRegion[];
  /** Stream time of the clip's first frame. */
  readonly firstPtsUs: number;
  /** Wall clock minus stream time, milliseconds. */
  readonly clockMs: number;
}

/** A frame that was looked at. */
export interface JournalEntry {
  readonly ptsUs: number;
  readonly frameId: number;
  readonly inferences: readonly Inference[];
  readonly events: readonly InferenceEvent[];
}

/**
 * Notes what is seen while a clip is open, so that a clip whose process was killed gets its document, too. Best effort:
 * a disk that takes nothing costs entries, not the clip.
 */
export class ClipJournal {
  readonly #file: string;
  readonly #pipelineId: string;
  #lines: string[] = [];
  #bytes = 0;
  #flushedUs = -Infinity;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: string, head: JournalHead) {
    this.#file = file;
    this.#pipelineId = head.pipelineId;
    try {
      // Before the first frame is on the disk: a clip without a head could not be told apart later.
      writeFileSync(file, `${JSON.stringify(head)}\n`);
    } catch {
      this.#bytes = Infinity;
    }
  }

  add(frame: FrameInsights): void {
    if (this.#bytes > MAX_WAITING_BYTES) return;
    const { ptsUs, frameId } = frame;
    const inferences = toInferences(this.#pipelineId, frame);
    const line = `${JSON.stringify({ ptsUs, frameId, inferences, events: toEvents(frame) } satisfies JournalEntry)}\n`;
    this.#lines.push(line);
    this.#bytes += line.length;
    if (ptsUs - this.#flushedUs < FLUSH_US) return;
    this.#flushedUs = ptsUs;
    const text = this.#lines.join('');
    this.#lines = [];
    this.#writing = this.#writing
      .then(() => appendFile(this.#file, text))
      .catch(() => undefined)
      .then(() => void (this.#bytes -= text.length));
  }

  async remove(): Promise<void> {
    this.#lines = [];
    await this.#writing;
    await rm(this.#file, { force: true });
  }
}

/** Reads a journal as far as it is whole; undefined where not even its head is. */
export async function readJournal(
  file: string,
): Promise<{ readonly head: JournalHead; readonly entries: readonly JournalEntry[] } | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const [head, ...entries] = text.split('\n').map(parsed);
  if (!isObject(head) || typeof head['firstPtsUs'] !== 'number' || typeof head['clockMs'] !== 'number')
    return undefined;
  const isEntry = (entry: unknown): entry is JournalEntry => isObject(entry) && Array.isArray(entry['inferences']);
  // Our own file, as `ClipJournal` writes it.
  return { head: head as unknown as JournalHead, entries: entries.filter(isEntry) };
}

/** The last line may have been cut off. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
