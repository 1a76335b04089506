import type { Ffmpeg } from '@vantage/media';
import { BufferPool } from '../../camera/buffer-pool.ts';
import { PacketDecoder } from '../packet-decoder.ts';
import { FramePainter, type PlanarPicture } from './frame-painter.ts';
import type { CameraMessage } from './messages.ts';

/** A decoder that ended is started again at the next key frame; one that never worked, not more often. */
const RESTART_MS = 2000;
/** A picture is old after so long, and after so many times what lay between it and the one before. */
const OLD_MS = 2000;
const OLD_GAPS = 3;

/** One camera of a mosaic: its newest picture, as large as its tile lets it be, with what is known of it painted in. */
export class MosaicTile {
  readonly sensor: string;
  readonly #ffmpeg: Ffmpeg;
  readonly #filter: string;
  readonly #pool = new BufferPool(2, (bytes) => new ArrayBuffer(bytes));
  readonly #painter = new FramePainter();
  #header: Uint8Array | undefined;
  #decoder: PacketDecoder | undefined;
  #beginUs = Infinity;
  #lostMs = -Infinity;
  #newest: PlanarPicture | undefined;
  #newestUs = -Infinity;
  #oldAtMs = Infinity;

  /** @param room pixels of the tile; both even */
  constructor(sensor: string, ffmpeg: Ffmpeg, room: { readonly width: number; readonly height: number }) {
    this.sensor = sensor;
    this.#ffmpeg = ffmpeg;
    this.#filter = fitInto(room.width, room.height);
  }

  /** Undefined while the camera is away. Stays as it is until the next turn of the event loop. */
  get picture(): PlanarPicture | undefined {
    return performance.now() < this.#oldAtMs ? this.#newest : undefined;
  }

  /** Whether a picture is on its way. */
  get isComing(): boolean {
    return this.#decoder !== undefined;
  }

  handle(message: CameraMessage): void {
    switch (message.kind) {
      case 'header':
        this.#close();
        this.#header = message.bytes;
        this.#beginUs = Infinity;
        this.#newestUs = -Infinity;
        this.#lostMs = -Infinity;
        return;
      case 'packet':
        if (!this.#decoder && message.key && performance.now() - this.#lostMs > RESTART_MS) this.#open();
        this.#decoder?.push(message);
        return;
      case 'begin':
        this.#beginUs = message.ptsUs;
        return;
      case 'insights':
        this.#painter.remember(message.ptsUs, message.seen);
        return;
      case 'regions':
        this.#painter.regions = message.regions;
        return;
    }
  }

  /** Idempotent. */
  stop(): void {
    this.#close();
    this.#header = undefined;
  }

  #close(): void {
    this.#decoder?.stop();
    this.#decoder = undefined;
  }

  #open(): void {
    if (!this.#header) return;
    let size = { width: 0, height: 0 };
    let hasWorked = false;
    const decoder = new PacketDecoder(this.#header, {
      ffmpeg: this.#ffmpeg,
      output: [...ownShape(this.#ffmpeg), '-vf', this.#filter, '-c:v', 'rawvideo'],
      onStream: ({ width, height }) => {
        size = { width, height };
      },
      allocate: (bytes) => new Uint8Array(this.#pool.take(bytes)),
      onPicture: (ptsUs, data) => {
        const { width, height } = size;
        if (this.#decoder !== decoder) return;
        // Its shape has changed in the middle of the stream: a new decoder says how large it is now.
        if (data.length !== (width * height * 3) / 2) this.#close();
        else this.#show(ptsUs, { data, width, height });
        hasWorked = true;
      },
      onLost: () => {
        if (this.#decoder !== decoder) return;
        this.#close();
        if (!hasWorked) this.#lostMs = performance.now();
      },
    });
    this.#decoder = decoder;
  }

  #show(ptsUs: number, picture: PlanarPicture): void {
    if (ptsUs < this.#beginUs) {
      this.#pool.give(picture.data.buffer as ArrayBuffer);
      return;
    }
    this.#painter.paint(ptsUs, picture);
    if (this.#newest) this.#pool.give(this.#newest.data.buffer as ArrayBuffer);
    const gapMs = Number.isFinite(this.#newestUs) ? (ptsUs - this.#newestUs) / 1000 : OLD_MS;
    this.#newest = picture;
    this.#newestUs = ptsUs;
    this.#oldAtMs = performance.now() + Math.max(OLD_MS, OLD_GAPS * gapMs);
  }
}

/** A camera that changes its shape in the middle of its stream would be squeezed into the first one. */
function ownShape({ libavformat: [major, minor] }: Ffmpeg): string[] {
  return major > 58 || (major === 58 && minor >= 76) ? ['-autoscale', '0'] : [];
}

/** Scales to the largest size of the camera's own shape that fits; 4:2:0 needs even sides. */
function fitInto(width: number, height: number): string {
  const wide = `gte(dar,${width}/${height})`;
  const across = `if(${wide},${width},max(2,2*floor(${height}*dar/2)))`;
  const down = `if(${wide},max(2,2*floor(${width}/dar/2)),${height})`;
  return `scale=w='${across}':h='${down}':flags=bilinear:out_range=tv,format=yuv420p`;
}
