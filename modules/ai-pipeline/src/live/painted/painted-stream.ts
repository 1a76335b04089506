import { Worker } from 'node:worker_threads';
import { messageOf, type RegionOfInterest } from '@vantage/contracts';
import type { Ffmpeg } from '@vantage/media';
import {
  isDelimiter,
  isParameterSet,
  readCodecConfiguration,
  splitFrame,
  type AccessUnit,
  type RtspReceiver,
} from '@vantage/rtsp';
import type { FrameInsights } from '@vantage/skill';
import { toInferences } from '../../frame-inferences.ts';
import { paintedParts } from '../../overlay/clip-frames.ts';
import type { LiveCamera, LivePacket } from '../live-camera.ts';
import type { FromPainter, PaintSetup, ToPainter } from './messages.ts';

/** So long a frame waits for what the model says about it; then what was said before stands in it. */
const INSIGHTS_WAIT_MS = 400;
/** A client may need a moment between being told of a stream and playing it. */
const LINGER_MS = 2000;
/** Decoder and encoder have to start. */
const START_TIMEOUT_MS = 20_000;

export interface PaintedStreamOptions {
  readonly camera: LiveCamera;
  readonly ffmpeg: Ffmpeg;
  readonly paint: boolean;
  readonly regions: () => readonly RegionOfInterest[];
  /** It is not needed any more, or has failed: it runs no more. */
  readonly onEnd: (reason: string | undefined) => void;
}

/** A camera's stream with what is seen painted in, as H.264, made once for all who play it. Runs from its making on. */
export class PaintedStream {
  readonly #options: PaintedStreamOptions;
  readonly #worker: Worker;
  readonly #receivers = new Set<RtspReceiver>();
  /** Packets that wait for what is seen in their frames. */
  readonly #waiting: { readonly packet: LivePacket; readonly untilMs: number }[] = [];
  readonly #ready = Promise.withResolvers<readonly Uint8Array[]>();
  readonly #unwatch: () => void;
  #parameterSets: readonly Uint8Array[] = [];
  #timer: NodeJS.Timeout | undefined;
  #linger: NodeJS.Timeout | undefined;
  #newestSeenUs = -Infinity;
  #hasBegun = false;
  #regions: readonly RegionOfInterest[] | undefined;
  #isReady = false;
  #isOver = false;

  constructor(options: PaintedStreamOptions) {
    this.#options = options;
    const { camera, ffmpeg, paint } = options;
    // Whoever waits for it hears of a failure by himself.
    this.#ready.promise.catch(() => undefined);
    this.#worker = new Worker(new URL('./paint-worker.ts', import.meta.url), {
      workerData: { ffmpeg, paint } satisfies PaintSetup,
      name: `painted ${camera.sensor}`,
      // As for cameras: pipes are closed by their sockets.
      trackUnmanagedFds: false,
    });
    this.#worker.on('message', (message: FromPainter) => this.#receive(message));
    this.#worker.on('error', (error) => this.stop(messageOf(error)));
    this.#worker.once('exit', () => this.stop('its thread ended'));
    this.#unwatch = camera.watch({
      onHeader: (bytes) => this.#onHeader(bytes),
      onPacket: (packet) => this.#onPacket(packet),
      onInsights: (frame) => this.#onInsights(frame),
      onEnd: () => this.stop('the camera left the configuration'),
    });
    this.#startLinger();
  }

  /** SPS and PPS, once the first picture is encoded. @throws when it fails before */
  parameterSets(): Promise<readonly Uint8Array[]> {
    this.#startLinger();
    return this.#ready.promise;
  }

  /** @returns lets the client go; idempotent */
  add(receiver: RtspReceiver): () => void {
    clearTimeout(this.#linger);
    this.#receivers.add(receiver);
    return () => {
      if (this.#receivers.delete(receiver)) this.#startLinger();
    };
  }

  stop(reason?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#unwatch();
    clearTimeout(this.#timer);
    clearTimeout(this.#linger);
    this.#post({ kind: 'stop' });
    this.#ready.reject(new Error(reason ?? 'nobody watches'));
    for (const receiver of this.#receivers) receiver.end();
    this.#options.onEnd(reason);
  }

  #begin(): void {
    this.#isReady = true;
    this.#ready.resolve(this.#parameterSets);
    this.#startLinger();
  }

  #startLinger(): void {
    clearTimeout(this.#linger);
    if (this.#receivers.size > 0 || this.#isOver) return;
    this.#linger = this.#isReady
      ? setTimeout(() => this.stop(), LINGER_MS)
      : setTimeout(() => this.stop(`no picture within ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS);
  }

  #post(message: ToPainter): void {
    this.#worker.postMessage(message);
  }

  #onHeader(bytes: Uint8Array): void {
    this.#flush(Infinity);
    this.#hasBegun = false;
    this.#newestSeenUs = -Infinity;
    this.#post({ kind: 'header', bytes });
  }

  #onPacket(packet: LivePacket): void {
    if (packet.key) this.#sendRegions();
    const waitMs = packet.replayed || !this.#options.paint ? 0 : INSIGHTS_WAIT_MS;
    this.#waiting.push({ packet, untilMs: performance.now() + waitMs });
    this.#flush(performance.now());
  }

  #onInsights(frame: FrameInsights): void {
    if (!this.#options.paint) return;
    const seen = paintedParts(toInferences(this.#options.camera.pipeline, frame));
    this.#post({ kind: 'insights', ptsUs: frame.ptsUs, seen });
    this.#newestSeenUs = Math.max(this.#newestSeenUs, frame.ptsUs);
    this.#flush(performance.now());
  }

  /** Hands on what has waited enough, in order. */
  #flush(nowMs: number): void {
    clearTimeout(this.#timer);
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const { packet, untilMs } = next;
      if (untilMs > nowMs && packet.ptsUs > this.#newestSeenUs) {
        this.#timer = setTimeout(() => this.#flush(performance.now()), untilMs - nowMs);
        return;
      }
      this.#waiting.shift();
      if (!packet.replayed && !this.#hasBegun) {
        this.#hasBegun = true;
        this.#post({ kind: 'begin', ptsUs: packet.ptsUs });
      }
      this.#post({ kind: 'packet', key: packet.key, bytes: packet.bytes });
    }
  }

  #sendRegions(): void {
    const regions = this.#options.regions();
    if (regions === this.#regions || !this.#options.paint) return;
    this.#regions = regions;
    this.#post({ kind: 'regions', regions });
  }

  #receive(message: FromPainter): void {
    if (this.#isOver) return;
    switch (message.kind) {
      case 'stream':
        this.#parameterSets = readCodecConfiguration('h264', message.codecData).parameterSets;
        return;
      case 'frame': {
        const nals = splitFrame(message.data, 0).filter((nal) => !isDelimiter('h264', nal));
        const inBand = nals.filter((nal) => isParameterSet('h264', nal));
        if (this.#parameterSets.length === 0) this.#parameterSets = inBand;
        if (!this.#isReady) this.#begin();
        const all = message.key && inBand.length === 0 ? [...this.#parameterSets, ...nals] : nals;
        const unit: AccessUnit = { ptsUs: message.ptsUs, key: message.key, nals: all };
        for (const receiver of this.#receivers) receiver.send(unit);
        return;
      }
      case 'failed':
        this.stop(message.reason);
        return;
    }
  }
}
