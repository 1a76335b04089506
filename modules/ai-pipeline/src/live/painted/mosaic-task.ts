import type { Ffmpeg } from '@vantage/media';
import { BufferPool } from '../../camera/buffer-pool.ts';
import { JPEG_OUTPUT, LiveEncoder, findH264Encoder, h264Output, type EncodedFrame } from './live-encoder.ts';
import type { FromPainter, MosaicMessage, PaintTaskOf } from './messages.ts';
import {
  MOSAIC_BYTES,
  MOSAIC_HEIGHT,
  MOSAIC_WIDTH,
  clearMosaic,
  putNothing,
  putTile,
  tilesOf,
  type Tile,
} from './mosaic-picture.ts';
import { MosaicTile } from './mosaic-tile.ts';

/** At the start, and when tiles move, so long those that send nothing are waited for, and those that are being decoded. */
const PATIENCE_MS = 1500;
const LONG_PATIENCE_MS = 3000;
/** Until a camera has told its rate. */
const DEFAULT_FPS = 25;
/** JPEGs are large, and seldom watched. */
const JPEG_STEP_MS = 1000 / 15;

interface Place {
  readonly tile: Tile;
  readonly camera: MosaicTile;
}

/**
 * All cameras of a pipeline in one picture, encoded at a steady rate: on a thread of its own. Each camera has a decoder of
 * its own that scales at once; a picture of the mosaic takes the newest of each, so none ever waits for another.
 */
export class MosaicTask implements PaintTaskOf<MosaicMessage> {
  readonly #ffmpeg: Ffmpeg;
  readonly #send: (message: FromPainter) => void;
  readonly #pool = new BufferPool(4, (bytes) => new ArrayBuffer(bytes));
  readonly #whole = new Uint8Array(MOSAIC_BYTES);
  #places = new Map<string, Place>();
  /** Without these nothing new is shown, while there is patience. */
  #awaited: readonly MosaicTile[] = [];
  #arrangedMs = 0;
  #encoding: readonly string[] = [];
  #h264: LiveEncoder | undefined;
  #jpeg: LiveEncoder | undefined;
  #jpegDueMs = 0;
  #wanted = { h264: false, jpeg: false };
  #isComposed = false;
  #timer: NodeJS.Timeout | undefined;
  #fps = DEFAULT_FPS;
  /** When the next picture is due, by `performance.now`; its time in the stream, too. */
  #dueMs = 0;
  #isStopped = false;

  constructor(ffmpeg: Ffmpeg, send: (message: FromPainter) => void) {
    this.#ffmpeg = ffmpeg;
    this.#send = send;
  }

  async prepare(): Promise<void> {
    this.#encoding = await findH264Encoder(this.#ffmpeg);
  }

  handle(message: MosaicMessage): void {
    switch (message.kind) {
      case 'tiles':
        this.#arrange(message.sensors, message.keep);
        return;
      case 'rate':
        this.#fps = message.fps;
        return;
      case 'outputs':
        this.#wanted = message;
        return;
      case 'camera':
        this.#places.get(message.sensor)?.camera.handle(message.message);
        return;
    }
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    for (const { camera } of this.#places.values()) camera.stop();
    this.#h264?.stop();
    this.#jpeg?.stop();
  }

  #arrange(sensors: readonly string[], keep: boolean): void {
    const before = this.#places;
    const tiles = tilesOf(sensors.length);
    const places = sensors.flatMap((sensor, at): Place[] => {
      const tile = tiles[at];
      if (!tile) return [];
      const kept = keep ? before.get(sensor)?.camera : undefined;
      return [{ tile, camera: kept ?? new MosaicTile(sensor, this.#ffmpeg, tile) }];
    });
    this.#awaited = places
      .map(({ camera }) => camera)
      .filter(({ sensor }) => !this.#isComposed || before.get(sensor)?.camera.picture !== undefined);
    this.#arrangedMs = performance.now();
    this.#places = new Map(places.map((place) => [place.camera.sensor, place]));
    for (const { camera } of before.values()) if (this.#places.get(camera.sensor)?.camera !== camera) camera.stop();
    if (this.#timer) return;
    this.#dueMs = performance.now();
    this.#wait();
  }

  #wait(): void {
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, this.#dueMs - performance.now()));
  }

  #tick(): void {
    const ageMs = performance.now() - this.#arrangedMs;
    if (this.#awaited.every((camera) => camera.picture ?? ageMs > (camera.isComing ? LONG_PATIENCE_MS : PATIENCE_MS))) {
      this.#awaited = [];
      this.#compose();
    }
    if (this.#isComposed) this.#encode();
    if (this.#isStopped) return;
    const stepMs = 1000 / this.#fps;
    // What a busy machine could not do in time is left out: the others keep to the beat.
    const late = Math.floor(Math.max(0, performance.now() - this.#dueMs) / stepMs);
    this.#dueMs += (late + 1) * stepMs;
    this.#wait();
  }

  #compose(): void {
    this.#isComposed = true;
    clearMosaic(this.#whole);
    for (const { tile, camera } of this.#places.values()) {
      const { picture } = camera;
      if (picture) putTile(this.#whole, tile, picture);
      else putNothing(this.#whole, tile, camera.sensor);
    }
  }

  #encode(): void {
    if (this.#wanted.h264) void this.#write((this.#h264 ??= this.#openH264()));
    if (!this.#wanted.jpeg) {
      this.#jpeg?.stop();
      this.#jpeg = undefined;
    } else if (this.#dueMs >= this.#jpegDueMs) {
      this.#jpegDueMs = Math.max(this.#jpegDueMs + JPEG_STEP_MS, this.#dueMs);
      void this.#write((this.#jpeg ??= this.#open(JPEG_OUTPUT, ({ data }) => this.#send({ kind: 'jpeg', data }))));
    }
  }

  #openH264(): LiveEncoder {
    const output = h264Output(this.#encoding, MOSAIC_WIDTH, MOSAIC_HEIGHT);
    return this.#open(
      output,
      (frame) => this.#send({ kind: 'frame', ...frame }),
      (codecData) => this.#send({ kind: 'stream', codecData }),
    );
  }

  #open(
    output: readonly string[],
    onFrame: (frame: EncodedFrame) => void,
    onStream?: (codecData: Uint8Array) => void,
  ): LiveEncoder {
    return new LiveEncoder({
      ...{ ffmpeg: this.#ffmpeg, output, width: MOSAIC_WIDTH, height: MOSAIC_HEIGHT, onFrame },
      ...(onStream ? { onStream } : {}),
      onFailed: (reason) => this.#send({ kind: 'failed', reason }),
    });
  }

  async #write(encoder: LiveEncoder): Promise<void> {
    const data = new Uint8Array(this.#pool.take(MOSAIC_BYTES));
    data.set(this.#whole);
    await encoder.write(Math.round(this.#dueMs * 1000), data);
    this.#pool.give(data.buffer);
  }
}
