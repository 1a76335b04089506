import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '@vantage/contracts';
import { ClipWriter, PacketRing, type Ffmpeg, type EncodedPacket, type SourceStream } from '@vantage/media';
import type { Logger } from '@vantage/observability';
import type { FrameInsights } from '@vantage/skill';
import { clipDocument, clipTime, type ClipFrame } from './clip-document.ts';
import { InsightHistory } from './insight-history.ts';
import type { ClipRegion, ClipReport, RecordingSettings } from './protocol.ts';

export interface ClipRecorderOptions {
  readonly sensor: string;
  readonly ffmpeg: Ffmpeg;
  readonly settings: RecordingSettings;
  readonly regions: readonly ClipRegion[];
  readonly logger: Logger;
  readonly onState: (on: boolean, reason: string) => void;
  readonly onClip: (clip: ClipReport) => void;
  readonly onProblem: (code: string, message: string) => void;
}

/** A packet with its wall clock. */
export interface TimedPacket extends EncodedPacket, ClipFrame {}

interface OpenClip {
  readonly writer: ClipWriter;
  readonly base: string;
  readonly frames: ClipFrame[];
  readonly firstPtsUs: number;
}

/** How long a finished clip waits for the insights of its last frames. */
const INSIGHTS_WAIT_MS = 2000;

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
  #stream: SourceStream | undefined;
  #clip: OpenClip | undefined;
  #wanted = false;
  /** Stream time of the newest packet when recording was last asked for. */
  #askedAtUs: number | undefined;
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

  onStream(stream: SourceStream): void {
    this.#stream = stream;
  }

  onHeader(bytes: Uint8Array): void {
    this.#ring.setHeader(bytes);
  }

  onInsights(frame: FrameInsights): void {
    this.#history.push(frame);
  }

  record(on: boolean, reason: string): void {
    if (on) this.#askedAtUs = this.#ring.lastPtsUs;
    if (on === this.#wanted) return;
    this.#wanted = on;
    if (!on) this.#finish();
    this.#options.onState(on, reason);
  }

  onPacket(packet: TimedPacket): void {
    this.#ring.push(packet);
    this.#askedAtUs ??= packet.ptsUs;
    if (this.#wanted && this.#isOverdue(packet)) {
      this.record(false, `stopped by itself after ${this.#settings.autoStopSeconds} s`);
    }
    const clip = this.#clip;
    if (!clip) {
      if (this.#wanted) this.#open(packet.ptsUs - this.#settings.preRollSeconds * 1e6);
      return;
    }
    if (packet.key && packet.ptsUs - clip.firstPtsUs >= this.#settings.clipSeconds * 1e6) {
      // The next clip starts with this very frame: nothing between the two is lost.
      this.#finish();
      this.#open(packet.ptsUs);
      return;
    }
    clip.frames.push(packet);
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

  #open(fromPtsUs: number): void {
    const packets = this.#ring.from(fromPtsUs);
    const [first] = packets;
    if (!first || !this.#stream) return;
    const base = path.join(this.#settings.folder, this.#name(first.captureTimeMs));
    const writer = new ClipWriter({
      ffmpeg: this.#options.ffmpeg,
      path: `${base}.mp4`,
      header: this.#ring.header,
      codec: this.#stream.codec,
      logger: this.#options.logger,
    });
    for (const packet of packets) writer.push(packet);
    this.#clip = { writer, base, frames: [...packets], firstPtsUs: first.ptsUs };
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
  async #write(clip: OpenClip): Promise<void> {
    const lastPtsUs = clip.frames.reduce((latest, frame) => Math.max(latest, frame.ptsUs), 0);
    await this.#history.reached(lastPtsUs, INSIGHTS_WAIT_MS);
    const insights = this.#history.between(clip.firstPtsUs - 1e6, lastPtsUs);
    const document = clipDocument({
      pipelineId: this.#settings.pipelineId,
      sensor: this.#options.sensor,
      regions: this.#regions,
      frames: clip.frames,
      insights,
    });
    const json = `${clip.base}.json`;
    const hidden = path.join(path.dirname(json), `.${path.basename(json)}.part`);
    await mkdir(path.dirname(json), { recursive: true });
    await writeFile(hidden, JSON.stringify(document));
    await rename(hidden, json);
    const written = await clip.writer.close();
    const { size } = await stat(written.path);
    this.#options.onClip({
      path: written.path,
      sensor: this.#options.sensor,
      frames: clip.frames.length,
      seconds: Math.round((lastPtsUs - clip.firstPtsUs) / 1e4) / 100,
      sizeBytes: size,
      objects: document.inferences.reduce((sum, inference) => sum + inference.detections.length, 0),
    });
  }
}
