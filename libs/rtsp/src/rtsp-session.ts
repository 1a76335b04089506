import { randomBytes, randomInt } from 'node:crypto';
import { RtpStream, rtpTimestamp } from './rtp.ts';
import type { AccessUnit, RtspPlayback, RtspSource } from './rtsp-source.ts';

const REPORT_INTERVAL_MS = 5000;

/** Where packets go. */
export interface PacketSink {
  /** Bytes to leave free in front of each packet. */
  readonly headroom: number;
  /** False while the client takes nothing: the frame is not made, and frames go on at the next keyframe. */
  ready(): boolean;
  sendRtp(packets: readonly Uint8Array[]): void;
  sendRtcp(packet: Uint8Array): void;
}

/** One client playing one source. */
export class RtspSession {
  readonly id = randomBytes(8).toString('hex');
  readonly source: RtspSource;
  readonly stream = new RtpStream(randomBytes(4).readUInt32BE(), randomInt(0x10000));
  readonly #baseTicks = randomBytes(4).readUInt32BE();
  readonly #sink: PacketSink;
  readonly #playback: RtspPlayback;
  #playing = false;
  #lastReportMs = -Infinity;
  #waitForKey = false;
  /** Frames left out because the client was too slow. */
  dropped = 0;

  /** @param onEnd the source has nothing more for this client */
  constructor(source: RtspSource, sink: PacketSink, onEnd: () => void) {
    this.source = source;
    this.#sink = sink;
    this.#playback = source.open({ send: (unit) => this.#send(unit), end: onEnd });
  }

  get playing(): boolean {
    return this.#playing;
  }

  /** RTP time of the next frame that is sent, where it is known before. */
  get nextTimestamp(): number | undefined {
    const { nextPtsUs } = this.#playback;
    return nextPtsUs === undefined ? undefined : rtpTimestamp(this.#baseTicks, nextPtsUs);
  }

  play(): void {
    if (this.#playing) return;
    this.#playing = true;
    this.#playback.start();
  }

  pause(): void {
    if (!this.#playing) return;
    this.#playing = false;
    this.#playback.pause();
  }

  stop(): void {
    const was = this.#playing;
    this.pause();
    if (was && this.#sink.ready()) this.#sink.sendRtcp(this.stream.goodbye(this.#sink.headroom));
  }

  #send(unit: AccessUnit): void {
    if (!this.#playing) return;
    if (!this.#sink.ready() || (this.#waitForKey && !unit.key)) {
      this.#waitForKey = true;
      this.dropped++;
      return;
    }
    this.#waitForKey = false;
    const { headroom } = this.#sink;
    const timestamp = rtpTimestamp(this.#baseTicks, unit.ptsUs);
    const now = performance.now();
    if (now - this.#lastReportMs >= REPORT_INTERVAL_MS) {
      this.#lastReportMs = now;
      this.#sink.sendRtcp(this.stream.senderReport(Date.now(), timestamp, headroom));
    }
    this.#sink.sendRtp(this.stream.packetise(this.source.description.codec, unit.nals, timestamp, headroom));
  }
}
