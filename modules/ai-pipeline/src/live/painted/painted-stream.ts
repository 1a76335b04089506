import { Worker } from 'node:worker_threads';
import { messageOf } from '@vantage/contracts';
import { isDelimiter, isParameterSet, readCodecConfiguration, splitFrame } from '@vantage/media';
import type { AccessUnit, RtspPlayback, RtspReceiver } from '@vantage/rtsp';
import type { PictureClient } from '../picture-stream.ts';
import type { FromPainter, PaintSetup, ToPainter } from './messages.ts';

/** A client may need a moment between being told of a stream and playing it. */
const LINGER_MS = 2000;
/** Decoder and encoder have to start. */
const START_TIMEOUT_MS = 20_000;

export interface PaintedStreamOptions {
  readonly setup: PaintSetup;
  /** Of its thread. */
  readonly name: string;
  /** It is not needed any more, or has failed: it runs no more. */
  readonly onEnd: (reason: string | undefined) => void;
}

/**
 * What a thread paints and encodes, once for all who play it: H.264, and of a mosaic JPEGs. Runs from its making on, while
 * somebody plays it.
 */
export class PaintedStream {
  readonly #options: PaintedStreamOptions;
  readonly #worker: Worker;
  readonly #receivers = new Set<RtspReceiver>();
  readonly #viewers = new Set<PictureClient>();
  readonly #ready = Promise.withResolvers<readonly Uint8Array[]>();
  #parameterSets: readonly Uint8Array[] = [];
  #linger: NodeJS.Timeout | undefined;
  #jpeg: Uint8Array | undefined;
  #isAsked = false;
  #isReady = false;
  #isOver = false;

  constructor(options: PaintedStreamOptions) {
    this.#options = options;
    // Whoever waits for it hears of a failure by himself.
    this.#ready.promise.catch(() => undefined);
    this.#worker = new Worker(new URL('./paint-worker.ts', import.meta.url), {
      workerData: options.setup,
      name: options.name,
      // As for cameras: pipes are closed by their sockets.
      trackUnmanagedFds: false,
    });
    this.#worker.on('message', (message: FromPainter) => this.#receive(message));
    this.#worker.on('error', (error) => this.stop(messageOf(error)));
    this.#worker.once('exit', () => this.stop('its thread ended'));
  }

  /** To its thread. */
  post(message: ToPainter): void {
    this.#worker.postMessage(message);
  }

  /** SPS and PPS, once the first picture is encoded. @throws when it fails before */
  parameterSets(): Promise<readonly Uint8Array[]> {
    this.#isAsked = true;
    this.#sendOutputs();
    this.#startLinger();
    return this.#ready.promise;
  }

  /** Gives JPEGs to a client, the newest at once, if there is one. @returns lets it go; idempotent */
  addViewer(client: PictureClient): () => void {
    clearTimeout(this.#linger);
    this.#viewers.add(client);
    this.#sendOutputs();
    if (this.#jpeg) client.onPicture(this.#jpeg);
    return () => {
      if (!this.#viewers.delete(client)) return;
      if (this.#viewers.size === 0) this.#jpeg = undefined;
      this.#sendOutputs();
      this.#startLinger();
    };
  }

  /** A client, from the next key frame on. */
  open(receiver: RtspReceiver): RtspPlayback {
    let leave: (() => void) | undefined;
    return {
      nextPtsUs: undefined,
      start: () => {
        leave ??= this.#add(receiver);
      },
      pause: () => {
        leave?.();
        leave = undefined;
      },
    };
  }

  /** Idempotent. */
  stop(reason?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#linger);
    this.post({ kind: 'stop' });
    this.#ready.reject(new Error(reason ?? 'nobody watches'));
    for (const receiver of this.#receivers) receiver.end();
    for (const viewer of [...this.#viewers]) viewer.onEnd();
    this.#options.onEnd(reason);
  }

  #add(receiver: RtspReceiver): () => void {
    let hasBegun = false;
    const fromKey: RtspReceiver = {
      send: (unit) => {
        hasBegun ||= unit.key;
        if (hasBegun) receiver.send(unit);
      },
      end: () => receiver.end(),
    };
    clearTimeout(this.#linger);
    this.#receivers.add(fromKey);
    return () => {
      if (this.#receivers.delete(fromKey)) this.#startLinger();
    };
  }

  #begin(): void {
    this.#isReady = true;
    this.#ready.resolve(this.#parameterSets);
    this.#startLinger();
  }

  #startLinger(): void {
    clearTimeout(this.#linger);
    if (this.#receivers.size + this.#viewers.size > 0 || this.#isOver) return;
    this.#linger =
      this.#isAsked && !this.#isReady
        ? setTimeout(() => this.stop(`no picture within ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS)
        : setTimeout(() => this.stop(), LINGER_MS);
  }

  /** H.264, once it was asked for, is made to the end: clients come and go. */
  #sendOutputs(): void {
    if (this.#options.setup.kind !== 'mosaic' || this.#isOver) return;
    this.post({ kind: 'outputs', h264: this.#isAsked, jpeg: this.#viewers.size > 0 });
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
      case 'jpeg':
        this.#jpeg = message.data;
        for (const viewer of [...this.#viewers]) viewer.onPicture(message.data);
        return;
      case 'failed':
        this.stop(message.reason);
        return;
    }
  }
}
