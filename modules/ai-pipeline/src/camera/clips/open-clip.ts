import { stat } from 'node:fs/promises';
import { ClipWriter, type EncodedPacket, type Ffmpeg, type PacketRing } from '@vantage/media';
import type { FrameInsights } from '@vantage/skill';
import { clipDocument } from '../clip-document.ts';
import type { InsightHistory } from '../insight-history.ts';
import type { ClipRegion, ClipReport } from '../protocol.ts';
import { ClipJournal } from './clip-journal.ts';
import { clipFile, documentFile, journalFile } from './clip-names.ts';
import { writeWholeFile } from './whole-file.ts';

/** How long a finished clip waits for the insights of its last frames. */
const INSIGHTS_WAIT_MS = 2000;
/** What was seen this long before a clip stands for its first frames, if those were not looked at. */
const LOOK_BACK_US = 1_000_000;

export interface OpenClipOptions {
  readonly base: string;
  readonly ring: PacketRing;
  readonly fromPtsUs: number;
  readonly ffmpeg: Ffmpeg;
  readonly history: InsightHistory;
  readonly pipelineId: string;
  readonly sensor: string;
  readonly regions: readonly ClipRegion[];
  /** Wall clock minus stream time, milliseconds. */
  readonly clockMs: number;
}

/** A clip that is being recorded, and what is noted beside it. */
export class OpenClip {
  readonly base: string;
  readonly #options: OpenClipOptions;
  readonly #writer: ClipWriter;
  readonly #journal: ClipJournal;

  /** The ring must hold a key frame. */
  constructor(options: OpenClipOptions) {
    const { base, ring, ffmpeg, fromPtsUs, history } = options;
    this.base = base;
    this.#options = options;
    this.#writer = ClipWriter.open({ ring, ffmpeg, path: clipFile(base), fromPtsUs });
    const { firstPtsUs } = this.#writer;
    this.#journal = new ClipJournal(journalFile(base), { ...headOf(options), firstPtsUs });
    for (const frame of history.between(firstPtsUs - LOOK_BACK_US, Infinity)) this.#journal.add(frame);
  }

  get firstPtsUs(): number {
    return this.#writer.firstPtsUs;
  }

  /** Why the disk takes nothing more of it. */
  get failure(): NodeJS.ErrnoException | undefined {
    return this.#writer.failure;
  }

  push(packet: EncodedPacket): void {
    this.#writer.push(packet);
  }

  onInsights(frame: FrameInsights): void {
    this.#journal.add(frame);
  }

  /**
   * Makes the clip whole. The JSON appears first, so that whoever sees the mp4 finds its JSON beside it. It has exactly
   * the frames that the file has.
   *
   * @throws what the disk said, and what is there stays to be recovered
   */
  async finish(): Promise<ClipReport> {
    const { history, sensor, clockMs, base } = this.#options;
    await history.reached(this.#writer.lastPtsUs, INSIGHTS_WAIT_MS);
    const timesUs = await this.#writer.complete();
    const { firstPtsUs, lastPtsUs } = this.#writer;
    const document = clipDocument({
      ...headOf(this.#options),
      frames: timesUs.map((ptsUs) => ({ ptsUs, captureTimeMs: clockMs + ptsUs / 1000 })),
      insights: history.between(firstPtsUs - LOOK_BACK_US, lastPtsUs),
    });
    await writeWholeFile(documentFile(base), JSON.stringify(document));
    const clip = await this.#writer.close();
    await this.#journal.remove();
    const { size } = await stat(clip.path);
    return {
      path: clip.path,
      sensor,
      frames: clip.frames,
      seconds: Math.round((lastPtsUs - firstPtsUs) / 1e4) / 100,
      sizeBytes: size,
      objects: document.inferences.reduce(
        (sum, { type, detections }) => sum + (type === 'detection' ? detections.length : 0),
        0,
      ),
    };
  }
}

function headOf({ pipelineId, sensor, regions, clockMs }: OpenClipOptions): {
  pipelineId: string;
  sensor: string;
  regions: readonly ClipRegion[];
  clockMs: number;
} {
  return { pipelineId, sensor, regions, clockMs };
}
