import type { RtspPlayback, RtspReceiver } from '@vantage/rtsp';
import type { MediaFile } from './media-file.ts';

/** Frames that are due go out together when a timer was late; never more than this at once. */
const MAX_BURST_UNITS = 50;

/** Faults that a test can switch on while clients play. */
export interface Faults {
  /** Send nothing, but keep connections open: a camera that hangs. */
  frozen: boolean;
  /** Added to all times sent: a camera whose clock was set. */
  clockShiftUs: number;
}

/** A file for one client, round after round, on one line of time. */
export class FilePlayback implements RtspPlayback {
  readonly #file: MediaFile;
  readonly #receiver: RtspReceiver;
  readonly #faults: Readonly<Faults>;
  #timer: NodeJS.Timeout | undefined;
  #startMs = 0;
  #index = 0;
  #round = 0;

  constructor(file: MediaFile, receiver: RtspReceiver, faults: Readonly<Faults>) {
    this.#file = file;
    this.#receiver = receiver;
    this.#faults = faults;
  }

  get nextPtsUs(): number {
    return this.#timeOf(this.#file.units[this.#index]?.ptsUs ?? 0);
  }

  start(): void {
    if (this.#timer !== undefined) return;
    const dueUs = this.#round * this.#file.loopUs + (this.#file.units[this.#index]?.sendUs ?? 0);
    this.#startMs = performance.now() - dueUs / 1000;
    this.#timer = setTimeout(() => this.#tick(), 0);
  }

  pause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #timeOf(ptsUs: number): number {
    return this.#round * this.#file.loopUs + ptsUs + this.#faults.clockShiftUs;
  }

  #tick(): void {
    const { units, loopUs } = this.#file;
    for (let sent = 0; sent < MAX_BURST_UNITS; sent++) {
      const unit = units[this.#index];
      if (unit === undefined) return;
      const dueMs = this.#startMs + (this.#round * loopUs + unit.sendUs) / 1000;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0.5) {
        this.#timer = setTimeout(() => this.#tick(), waitMs);
        return;
      }
      if (!this.#faults.frozen) this.#receiver.send({ ...unit, ptsUs: this.#timeOf(unit.ptsUs) });
      this.#index++;
      if (this.#index === units.length) {
        this.#index = 0;
        this.#round++;
      }
    }
    this.#timer = setTimeout(() => this.#tick(), 0);
  }
}
