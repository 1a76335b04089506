import { randomBytes, randomInt } from 'node:crypto';
import type { MediaFile } from './media-file.ts';
import { RtpStream, rtpTimestamp } from './rtp.ts';

const REPORT_INTERVAL_MS = 5000;
/** Frames that are due go out together when a timer was late; never more than this at once. */
const MAX_BURST_UNITS = 50;

/** Where packets go. */
export interface PacketSink {
  /** Bytes to leave free in front of each packet. */
  readonly headroom: number;
  /** False while the client takes nothing: the frame is not made, and frames go on at the next keyframe. */
  ready(): boolean;
  sendRtp(packets: readonly Uint8Array[]): void;
  sendRtcp(packet: Uint8Array): void;
}

/** Faults that a test can switch on while clients play. */
export interface Faults {
  /** Send nothing, but keep connections open: a camera that hangs. */
  frozen: boolean;
  /** Added to all times sent: a camera whose clock was set. */
  clockShiftUs: number;
}

/** One client playing one file, round after round, on one line of time. */
export class PlaySession {
  readonly id = randomBytes(8).toString('hex');
  readonly file: MediaFile;
  readonly stream = new RtpStream(randomBytes(4).readUInt32BE(), randomInt(0x10000));
  readonly baseTicks = randomBytes(4).readUInt32BE();
  readonly #sink: PacketSink;
  readonly #faults: Readonly<Faults>;
  #timer: NodeJS.Timeout | undefined;
  #startMs = 0;
  #index = 0;
  #round = 0;
  #lastReportMs = -Infinity;
  #waitForKey = false;
  /** Frames left out because the client was too slow. */
  dropped = 0;

  constructor(file: MediaFile, sink: PacketSink, faults: Readonly<Faults>) {
    this.file = file;
    this.#sink = sink;
    this.#faults = faults;
  }

  get playing(): boolean {
    return this.#timer !== undefined;
  }

  /** RTP time of the next frame that is sent. */
  get nextTimestamp(): number {
    return this.#timestamp(this.file.units[this.#index]?.ptsUs ?? 0);
  }

  play(): void {
    if (this.#timer !== undefined) return;
    const dueUs = this.#round * this.file.loopUs + (this.file.units[this.#index]?.sendUs ?? 0);
    this.#startMs = performance.now() - dueUs / 1000;
    this.#timer = setTimeout(() => this.#tick(), 0);
  }

  pause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  stop(): void {
    const was = this.playing;
    this.pause();
    if (was && this.#sink.ready()) this.#sink.sendRtcp(this.stream.goodbye(this.#sink.headroom));
  }

  #timestamp(ptsUs: number): number {
    return rtpTimestamp(this.baseTicks, this.#round * this.file.loopUs + ptsUs + this.#faults.clockShiftUs);
  }

  #tick(): void {
    const { units, loopUs } = this.file;
    for (let sent = 0; sent < MAX_BURST_UNITS; sent++) {
      const unit = units[this.#index];
      if (unit === undefined) return;
      const dueMs = this.#startMs + (this.#round * loopUs + unit.sendUs) / 1000;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0.5) {
        this.#timer = setTimeout(() => this.#tick(), waitMs);
        return;
      }
      this.#send(unit);
      this.#index++;
      if (this.#index === units.length) {
        this.#index = 0;
        this.#round++;
      }
    }
    this.#timer = setTimeout(() => this.#tick(), 0);
  }

  #send(unit: MediaFile['units'][number]): void {
    if (this.#faults.frozen) return;
    if (!this.#sink.ready() || (this.#waitForKey && !unit.key)) {
      this.#waitForKey = true;
      this.dropped++;
      return;
    }
    this.#waitForKey = false;
    const timestamp = this.#timestamp(unit.ptsUs);
    const now = performance.now();
    if (now - this.#lastReportMs >= REPORT_INTERVAL_MS) {
      this.#lastReportMs = now;
      this.#sink.sendRtcp(this.stream.senderReport(Date.now(), timestamp, this.#sink.headroom));
    }
    this.#sink.sendRtp(this.stream.packetise(this.file.codec, unit.nals, timestamp, this.#sink.headroom));
  }
}
