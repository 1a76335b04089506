import type { RegionOfInterest } from '@vantage/contracts';
import { NutReader, PictureFeed, findVideoEncoder, passthrough, ticksToUs, type Ffmpeg } from '@vantage/media';
import { Canvas } from '@vantage/vision';
import { BufferPool } from '../../camera/buffer-pool.ts';
import type { ClipFrameInsights } from '../../overlay/clip-frames.ts';
import { paintFrame } from '../../overlay/paint-frame.ts';
import { PacketDecoder } from '../packet-decoder.ts';
import type { FromPainter, PaintSetup, ToPainter } from './messages.ts';

type Seen = Omit<ClipFrameInsights, 'atMs'>;

/** What was seen so long before a frame stands for it, if the frame itself was not looked at. */
const LOOK_BACK_US = 1_000_000;
const MAX_SEEN = 300;
/** Pictures that wait while an encoder starts, or a busy machine lets it wait; then frames are left out. */
const MAX_WAITING = 12;
const H264_ENCODERS = new Set(['libx264', 'libopenh264']);

/** Decodes a camera's packets, paints what is known of each frame into it, and encodes it: on a thread of its own. */
export class PaintTask {
  readonly #setup: PaintSetup;
  readonly #send: (message: FromPainter) => void;
  readonly #pool = new BufferPool(4, (bytes) => new ArrayBuffer(bytes));
  readonly #seen: { readonly ptsUs: number; readonly seen: Seen }[] = [];
  #regions: readonly RegionOfInterest[] = [];
  #beginUs = Infinity;
  #decoder: PacketDecoder | undefined;
  #feed: PictureFeed | undefined;
  #encoder: readonly string[] | undefined;

  constructor(setup: PaintSetup, send: (message: FromPainter) => void) {
    this.#setup = setup;
    this.#send = send;
  }

  /** Call once, first. @throws MEDIA_ENCODER_MISSING */
  async prepare(): Promise<void> {
    const encoder = await findVideoEncoder(this.#setup.ffmpeg);
    if (!H264_ENCODERS.has(encoder.name)) throw new Error(`this ffmpeg has no encoder for H.264, only ${encoder.name}`);
    const tune = encoder.name === 'libx264' ? ['-tune', 'zerolatency'] : [];
    this.#encoder = [...encoder.arguments, ...tune];
  }

  handle(message: ToPainter): void {
    switch (message.kind) {
      case 'header':
        this.#open(message.bytes);
        return;
      case 'packet':
        this.#decoder?.push(message);
        return;
      case 'begin':
        this.#beginUs = message.ptsUs;
        return;
      case 'insights':
        this.#seen.push({ ptsUs: message.ptsUs, seen: message.seen });
        if (this.#seen.length > MAX_SEEN) this.#seen.shift();
        return;
      case 'regions':
        this.#regions = message.regions;
        return;
      case 'stop':
        this.stop();
        return;
    }
  }

  stop(): void {
    this.#decoder?.stop();
    this.#decoder = undefined;
    void this.#feed?.kill();
    this.#feed = undefined;
  }

  #open(header: Uint8Array): void {
    this.stop();
    this.#beginUs = Infinity;
    let size = { width: 0, height: 0 };
    this.#decoder = new PacketDecoder(header, {
      ffmpeg: this.#setup.ffmpeg,
      // 4:2:0 has a colour for each two by two pixels.
      output: ['-vf', 'crop=trunc(iw/2)*2:trunc(ih/2)*2,format=yuv420p', '-c:v', 'rawvideo'],
      onStream: ({ width, height }) => {
        size = { width, height };
        this.#feed = this.#openFeed(width, height);
      },
      allocate: (bytes) => new Uint8Array(this.#pool.take(bytes)),
      onPicture: (ptsUs, data) => void this.#onPicture(ptsUs, data, size),
      onLost: () => this.#send({ kind: 'failed', reason: 'the decoder ended' }),
    });
  }

  async #onPicture(ptsUs: number, data: Uint8Array, size: { width: number; height: number }): Promise<void> {
    const feed = this.#feed;
    if (feed && ptsUs >= this.#beginUs) {
      const seen = this.#setup.paint ? this.#at(ptsUs) : undefined;
      if (seen || (this.#setup.paint && this.#regions.length > 0)) {
        const known = seen ?? { detections: [], segmentations: [], lines: [] };
        paintFrame(new Canvas({ data, ...size, format: 'yuv420p' }), { atMs: 0, ...known }, this.#regions);
      }
      await feed.write({ ptsUs, data });
      if (feed.failure !== undefined && feed === this.#feed) this.#send({ kind: 'failed', reason: feed.failure });
    }
    this.#pool.give(data.buffer as ArrayBuffer);
  }

  /** What was last seen at a frame. */
  #at(ptsUs: number): Seen | undefined {
    const found = this.#seen.findLast((one) => one.ptsUs <= ptsUs);
    return found && ptsUs - found.ptsUs <= LOOK_BACK_US ? found.seen : undefined;
  }

  #openFeed(width: number, height: number): PictureFeed {
    const { ffmpeg } = this.#setup;
    const reader = new NutReader({
      onStreams: ([stream]) => {
        if (stream) this.#send({ kind: 'stream', codecData: stream.codecData.slice() });
      },
      allocate: ({ sizeBytes }) => new Uint8Array(sizeBytes),
      onFrame: (frame, data) => {
        // The feed counts from its first picture.
        const ptsUs = feed.span.firstUs + ticksToUs(frame.pts, frame.stream.timeBase);
        this.#send({ kind: 'frame', ptsUs, key: frame.key, data });
      },
    });
    const feed: PictureFeed = new PictureFeed({
      ...{ ffmpeg, format: 'yuv420p', width, height, maxWaiting: MAX_WAITING },
      output: [...(this.#encoder ?? []), ...live(ffmpeg, width, height), '-flush_packets', '1', '-f', 'nut', 'pipe:1'],
      onOutput: (chunk) => {
        if (feed === this.#feed) reader.push(chunk);
      },
    });
    return feed;
  }
}

/** Frames in the order of their times, each at its own, a key frame a second: clients join there. */
function live(ffmpeg: Ffmpeg, width: number, height: number): string[] {
  const blocks = Math.ceil(width / 16) * Math.ceil(height / 16);
  // The level follows from the ticks otherwise, as if each were a frame.
  const level = blocks > 36_864 ? [] : ['-level', blocks > 8704 ? '5.2' : '4.2'];
  const keys = ['-g', '1000', '-force_key_frames', 'expr:gte(t,n_forced)'];
  return [...passthrough(ffmpeg), '-enc_time_base', '1:60000', '-pix_fmt', 'yuv420p', '-bf', '0', ...level, ...keys];
}
