import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { VantageError, messageOf } from '@vantage/contracts';
import { FragmentMuxer, PacketRing, type EncodedPacket, type Ffmpeg } from '@vantage/media';
import type { FrameInsights } from '@vantage/skill';
import { clipTime } from './clip-document.ts';
import { clipFile } from './clips/clip-names.ts';
import { DiskPause } from './clips/disk-pause.ts';
import { OpenClip } from './clips/open-clip.ts';
import { recoverClip } from './clips/recover-clips.ts';
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

const FULL = new Set(['ENOSPC', 'EDQUOT']);

/**
 * Cuts clips out of the encoded stream, from the pre-roll to the post-roll, and writes beside each what was seen in it.
 * Goes by the stream's own clock. A recording that is asked for while nothing can be recorded starts as soon as it can.
 */
export class ClipRecorder {
  readonly #options: ClipRecorderOptions;
  readonly #ring: PacketRing;
  readonly #history: InsightHistory;
  readonly #finishing = new Set<Promise<void>>();
  readonly #pause: DiskPause;
  /** Clips that a full disk kept from being finished. */
  #unfinished: string[] = [];
  #settings: RecordingSettings;
  #regions: readonly ClipRegion[];
  #clip: OpenClip | undefined;
  #wanted = false;
  /** Stream time at which the post-roll is over. */
  #stop: { readonly atUs: number; readonly reason: string } | undefined;
  /** Stream time of the newest packet when recording was last asked for. */
  #askedAtUs: number | undefined;
  #newestUs: number | undefined;
  #lastName = '';
  /** Knows the parameters of the stream that the ring holds; null where they cannot be known. */
  #format: FragmentMuxer | null | undefined;

  constructor(options: ClipRecorderOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#regions = options.regions;
    this.#ring = new PacketRing({ seconds: options.settings.preRollSeconds });
    this.#history = new InsightHistory(options.settings.preRollSeconds + options.settings.clipSeconds + 10);
    this.#pause = new DiskPause(options.settings.folder, () => this.#onRoom());
  }

  setSettings(settings: RecordingSettings): void {
    this.#settings = settings;
  }

  setRegions(regions: readonly ClipRegion[]): void {
    this.#regions = regions;
  }

  onHeader(bytes: Uint8Array): void {
    // Another codec or size: what comes now does not fit into the open clip.
    if (!this.#ring.setHeader(bytes)) return;
    this.#format = undefined;
    this.#finish();
  }

  onInsights(frame: FrameInsights): void {
    this.#history.push(frame);
    this.#clip?.onInsights(frame);
  }

  record(on: boolean, reason: string): void {
    if (on) {
      this.#askedAtUs = this.#newestUs;
      this.#stop = undefined;
      if (this.#wanted) return;
      this.#wanted = true;
      this.#options.onState(true, reason);
      return;
    }
    const { postRollSeconds = 0 } = this.#settings;
    if (!this.#wanted || this.#stop) return;
    if (!this.#clip || postRollSeconds === 0) return this.#off(reason);
    this.#stop = { atUs: (this.#newestUs ?? 0) + postRollSeconds * 1e6, reason };
  }

  /** @param captureTimeMs wall clock of the packet's frame, milliseconds since the Unix epoch */
  onPacket(packet: EncodedPacket, captureTimeMs: number): void {
    if (packet.key) this.#checkFormat(packet);
    this.#ring.push(packet);
    this.#newestUs = packet.ptsUs;
    this.#askedAtUs ??= packet.ptsUs;
    if (this.#wanted && this.#isOverdue(packet)) {
      this.#off(`stopped by itself after ${this.#settings.autoStopSeconds} s`);
    }
    if (this.#clip?.failure) this.#onFailure(this.#clip.failure);
    const clockMs = captureTimeMs - packet.ptsUs / 1000;
    const clip = this.#clip;
    if (!clip) {
      if (this.#wanted && !this.#pause.isFull) {
        this.#open(packet.ptsUs - this.#settings.preRollSeconds * 1e6, clockMs);
      }
      return;
    }
    if (packet.key && packet.ptsUs - clip.firstPtsUs >= this.#settings.clipSeconds * 1e6) {
      // The next clip starts with this very frame: nothing between the two is lost.
      this.#finish();
      this.#open(packet.ptsUs, clockMs);
    } else clip.push(packet);
    if (this.#stop && packet.ptsUs >= this.#stop.atUs) this.#off(this.#stop.reason);
  }

  /** The stream has ended or broken off: what is open is finished; a recording goes on when it comes back. */
  async sourceEnded(): Promise<void> {
    this.#finish();
    this.#ring.clear();
    this.#askedAtUs = undefined;
    if (this.#stop) this.#off(this.#stop.reason);
    await Promise.all(this.#finishing);
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    this.#pause.stop();
    await this.sourceEnded();
  }

  #off(reason: string): void {
    this.#wanted = false;
    this.#stop = undefined;
    this.#finish();
    this.#options.onState(false, reason);
  }

  /** Cameras change their picture without a new header: what is in the ring cannot be shown together with it. */
  #checkFormat(packet: EncodedPacket): void {
    const { header } = this.#ring;
    if (!header || this.#format === null || this.#format?.fits(packet) === true) return;
    if (this.#format) {
      this.#finish();
      this.#ring.clear();
    }
    this.#format = FragmentMuxer.create(header, packet) ?? null;
  }

  #isOverdue(packet: EncodedPacket): boolean {
    const { autoStopSeconds } = this.#settings;
    return (
      autoStopSeconds > 0 && this.#askedAtUs !== undefined && packet.ptsUs - this.#askedAtUs >= autoStopSeconds * 1e6
    );
  }

  #open(fromPtsUs: number, clockMs: number): void {
    const [first] = this.#ring.since(fromPtsUs);
    if (!first) return;
    const { folder, pipelineId } = this.#settings;
    const { ffmpeg, sensor } = this.#options;
    try {
      mkdirSync(folder, { recursive: true });
      const base = path.join(folder, this.#name(clockMs + first.ptsUs / 1000));
      const stream = { ring: this.#ring, history: this.#history, ffmpeg, sensor, regions: this.#regions };
      this.#clip = new OpenClip({ ...stream, base, fromPtsUs, pipelineId, clockMs });
    } catch (error) {
      this.#onFailure(error as NodeJS.ErrnoException);
    }
  }

  #name(timeMs: number): string {
    const { prefix, sensorSuffix, folder } = this.#settings;
    const name = `${prefix}-${clipTime(timeMs)}`;
    // Two clips within one second would otherwise share a name, also one of a run before.
    const isTaken = (one: string): boolean => one === this.#lastName || existsSync(clipFile(path.join(folder, one)));
    const suffix = sensorSuffix ? `_${this.#options.sensor}` : '';
    let unique = `${name}${suffix}`;
    for (let copy = 2; isTaken(unique) && copy < 100; copy += 1) unique = `${name}-${copy}${suffix}`;
    this.#lastName = unique;
    return unique;
  }

  #finish(): void {
    const clip = this.#clip;
    if (!clip) return;
    this.#clip = undefined;
    const done = clip
      .finish()
      .then((report) => {
        this.#pause.succeeded();
        this.#options.onClip(report);
      })
      .catch((error: unknown) => this.#onUnfinished(clip, error));
    this.#finishing.add(done);
    void done.finally(() => this.#finishing.delete(done));
  }

  #onUnfinished({ base }: OpenClip, error: unknown): void {
    const cause = error instanceof VantageError ? error.cause : error;
    if (isFull(cause)) {
      this.#unfinished.push(base);
      this.#onFailure(cause);
      return;
    }
    this.#options.onProblem('CLIP_FAILED', `a clip of ${this.#options.sensor} was lost: ${messageOf(error)}`);
  }

  /** The disk takes nothing more: what it took is finished, and recording waits for room. */
  #onFailure(error: NodeJS.ErrnoException): void {
    const { sensor, onProblem } = this.#options;
    const isNews = this.#pause.begin();
    this.#finish();
    if (!isNews) return;
    const why = isFull(error)
      ? 'the disk is full. It goes on when there is room'
      : `${messageOf(error)}. See that the module may write there; it goes on by itself`;
    onProblem('RECORDING_PAUSED', `${sensor} is not recorded into ${this.#settings.folder}: ${why}.`);
  }

  #onRoom(): void {
    const bases = this.#unfinished;
    this.#unfinished = [];
    for (const base of bases) {
      const done = recoverClip(base).then(
        () => undefined,
        (error: unknown) => {
          const { sensor, onProblem } = this.#options;
          onProblem(
            'CLIP_UNFINISHED',
            `${path.basename(base)} of ${sensor} waits for the next start: ${messageOf(error)}`,
          );
        },
      );
      this.#finishing.add(done);
      void done.finally(() => this.#finishing.delete(done));
    }
    if (this.#wanted) this.#options.onState(true, 'there is room in the folder again');
  }
}

function isFull(error: unknown): error is NodeJS.ErrnoException {
  return FULL.has((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}
