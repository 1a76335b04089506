import { mkdirSync } from 'node:fs';
import { rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '@vantage/contracts';
import { ClipWriter, PacketRing, type EncodedPacket, type Ffmpeg } from '@vantage/media';
import type { FrameInsights } from '@vantage/skill';
import { clipDocument, clipTime } from './clip-document.ts';
import { InsightHistory } from './insight-history.ts';
import type { ClipRegion, ClipReport, RecordingSettings } from './protocol.ts';

export interface ClipRecorderOptions {
  readonly sensor: string;
  readonly ffmpeg: Ffmpeg;
  readonly settings: RecordingSettings;
  readonly regions: readonly ClipRegion[];
  readonly onState: (on: boolean, reason: string) => void;
  readonly onClip: (clip: ClipReport) => void;
  readonly onProblem: (code: string, message: string) => void;
}

interface OpenClip {
  readonly writer: ClipWriter;
  readonly base: string;
  /** Times of its frames in the stream, in decoding order. */
  readonly timesUs: number[];
  /** Wall clock minus stream time, milliseconds. */
  readonly clockMs: number;
}

/** How long a finished clip waits for the insights of its last frames. */
const INSIGHTS_WAIT_MS = 2000;
/** What was seen this long before a clip stands for its first frames, if those were not looked at. */
const LOOK_BACK_US = 1_000_000;

/**
 * Cuts clips out of the encoded stream, from the pre-roll on, and writes beside each what was seen in it. Goes by the
 * stream's own clock. A recording that is asked for while nothing can be recorded starts as soon as it can.
 */
export class ClipRecorder {
  readonly #options: ClipRecorderOptions;
  readonly #ring: PacketRing;
  readonly #history: InsightHistory;
  readonly #finishing = new Set<Promise<void>>();
  #settings: RecordingSettings;
  #regions: readonly ClipRegion[];
  #clip: OpenClip | undefined;
  #wanted = false;
  /** Stream time of the newest packet when recording was last asked for. */
  #askedAtUs: number | undefined;
  #newestUs: number | undefined;
  #lastName = '';

  constructor(options: ClipRecorderOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#regions = options.regions;
    this.#ring = new PacketRing({ seconds: options.settings.preRollSeconds });
    this.#history = new InsightHistory(options.settings.preRollSeconds + options.settings.clipSeconds + 10);
  }

  setSettings(settings: RecordingSettings): void {
    this.#settings = settings;
  }

  setRegions(regions: readonly ClipRegion[]): void {
    this.#regions = regions;
  }

  onHeader(bytes: Uint8Array): void {
    // Another codec or size: what comes now does not fit into the open clip.
    if (this.#ring.setHeader(bytes)) this.#finish();
  }

  onInsights(frame: FrameInsights): void {
    this.#history.push(frame);
  }

  record(on: boolean, reason: string): void {
    if (on) this.#askedAtUs = this.#newestUs;
    if (on === this.#wanted) return;
    this.#wanted = on;
    if (!on) this.#finish();
    this.#options.onState(on, reason);
  }

  /** @param captureTimeMs wall clock of the packet's frame, milliseconds since the Unix epoch */
  onPacket(packet: EncodedPacket, captureTimeMs: number): void {
    this.#ring.push(packet);
    this.#newestUs = packet.ptsUs;
    this.#askedAtUs ??= packet.ptsUs;
    if (this.#wanted && this.#isOverdue(packet)) {
      this.record(false, `stopped by itself after ${this.#settings.autoStopSeconds} s`);
    }
    const clockMs = captureTimeMs - packet.ptsUs / 1000;
    const clip = this.#clip;
    if (!clip) {
      if (this.#wanted) this.#open(packet.ptsUs - this.#settings.preRollSeconds * 1e6, clockMs);
      return;
    }
    if (packet.key && packet.ptsUs - clip.writer.firstPtsUs >= this.#settings.clipSeconds * 1e6) {
      // The next clip starts with this very frame: nothing between the two is lost.
      this.#finish();
      this.#open(packet.ptsUs, clockMs);
      return;
    }
    clip.timesUs.push(packet.ptsUs);
    clip.writer.push(packet);
  }

  /** The stream has ended or broken off: what is open is finished; a recording goes on when it comes back. */
  async sourceEnded(): Promise<void> {
    this.#finish();
    this.#ring.clear();
    this.#askedAtUs = undefined;
    await Promise.all(this.#finishing);
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    await this.sourceEnded();
  }

  #isOverdue(packet: EncodedPacket): boolean {
    const { autoStopSeconds } = this.#settings;
    return (
      autoStopSeconds > 0 && this.#askedAtUs !== undefined && packet.ptsUs - this.#askedAtUs >= autoStopSeconds * 1e6
    );
  }

  #open(fromPtsUs: number, clockMs: number): void {
    const packets = this.#ring.since(fromPtsUs);
    const [first] = packets;
    if (!first) return;
    const base = path.join(this.#settings.folder, this.#name(clockMs + first.ptsUs / 1000));
    mkdirSync(this.#settings.folder, { recursive: true });
    const writer = ClipWriter.open({
      ring: this.#ring,
      ffmpeg: this.#options.ffmpeg,
      path: `${base}.mp4`,
      fromPtsUs,
    });
    this.#clip = { writer, base, timesUs: packets.map((packet) => packet.ptsUs), clockMs };
  }

  #name(timeMs: number): string {
    const { prefix, sensorSuffix } = this.#settings;
    const name = `${prefix}-${clipTime(timeMs)}`;
    // Two clips within one second would otherwise share a name.
    const unique = name === this.#lastName ? `${name}-2` : name;
    this.#lastName = name;
    return sensorSuffix ? `${unique}_${this.#options.sensor}` : unique;
  }

  #finish(): void {
    const clip = this.#clip;
    if (!clip) return;
    this.#clip = undefined;
    const done = this.#write(clip).catch((error: unknown) =>
      this.#options.onProblem('CLIP_FAILED', `a clip of ${this.#options.sensor} was lost: ${messageOf(error)}`),
    );
    this.#finishing.add(done);
    void done.finally(() => this.#finishing.delete(done));
  }

  /** The JSON first: whoever sees the mp4 finds its JSON beside it. */
  async #write({ writer, base, timesUs, clockMs }: OpenClip): Promise<void> {
    const { firstPtsUs, lastPtsUs } = writer;
    await this.#history.reached(lastPtsUs, INSIGHTS_WAIT_MS);
    const document = clipDocument({
      pipelineId: this.#settings.pipelineId,
      sensor: this.#options.sensor,
      regions: this.#regions,
      frames: timesUs
        .filter((ptsUs) => ptsUs >= firstPtsUs)
        .map((ptsUs) => ({ ptsUs, captureTimeMs: clockMs + ptsUs / 1000 })),
      insights: this.#history.between(firstPtsUs - LOOK_BACK_US, lastPtsUs),
    });
    await writeFileWhole(`${base}.json`, JSON.stringify(document));
    const clip = await writer.close();
    const { size } = await stat(clip.path);
    this.#options.onClip({
      path: clip.path,
      sensor: this.#options.sensor,
      frames: clip.frames,
      seconds: Math.round((lastPtsUs - firstPtsUs) / 1e4) / 100,
      sizeBytes: size,
      objects: document.inferences.reduce(
        (sum, { type, detections }) => sum + (type === 'detection' ? detections.length : 0),
        0,
      ),
    });
  }
}

/** Appears under its name complete or not at all. */
async function writeFileWhole(file: string, text: string): Promise<void> {
  const hidden = path.join(path.dirname(file), `.${path.basename(file)}.part`);
  await writeFile(hidden, text);
  await rename(hidden, file);
}
