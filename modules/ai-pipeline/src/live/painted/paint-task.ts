import { BufferPool } from '../../camera/buffer-pool.ts';
import { PacketDecoder } from '../packet-decoder.ts';
import { FramePainter } from './frame-painter.ts';
import { LiveEncoder, findH264Encoder, h264Output } from './live-encoder.ts';
import type { CameraMessage, FromPainter, PaintSetup, PaintTaskOf } from './messages.ts';

/** Decodes a camera's packets, paints what is known of each frame into it, and encodes it: on a thread of its own. */
export class PaintTask implements PaintTaskOf<CameraMessage> {
  readonly #setup: PaintSetup & { readonly kind: 'camera' };
  readonly #send: (message: FromPainter) => void;
  readonly #pool = new BufferPool(4, (bytes) => new ArrayBuffer(bytes));
  readonly #painter = new FramePainter();
  #beginUs = Infinity;
  #decoder: PacketDecoder | undefined;
  #encoder: LiveEncoder | undefined;
  #encoding: readonly string[] = [];

  constructor(setup: PaintSetup & { readonly kind: 'camera' }, send: (message: FromPainter) => void) {
    this.#setup = setup;
    this.#send = send;
  }

  async prepare(): Promise<void> {
    this.#encoding = await findH264Encoder(this.#setup.ffmpeg);
  }

  handle(message: CameraMessage): void {
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
        this.#painter.remember(message.ptsUs, message.seen);
        return;
      case 'regions':
        this.#painter.regions = message.regions;
        return;
    }
  }

  stop(): void {
    this.#decoder?.stop();
    this.#decoder = undefined;
    this.#encoder?.stop();
    this.#encoder = undefined;
  }

  #open(header: Uint8Array): void {
    this.stop();
    this.#beginUs = Infinity;
    const { ffmpeg } = this.#setup;
    let size = { width: 0, height: 0 };
    this.#decoder = new PacketDecoder(header, {
      ffmpeg,
      // 4:2:0 has a colour for each two by two pixels.
      output: ['-vf', 'crop=trunc(iw/2)*2:trunc(ih/2)*2,format=yuv420p', '-c:v', 'rawvideo'],
      onStream: ({ width, height }) => {
        size = { width, height };
        this.#encoder = new LiveEncoder({
          ...{ ffmpeg, width, height, output: h264Output(this.#encoding, width, height) },
          onStream: (codecData) => this.#send({ kind: 'stream', codecData }),
          onFrame: (frame) => this.#send({ kind: 'frame', ...frame }),
          onFailed: (reason) => this.#send({ kind: 'failed', reason }),
        });
      },
      allocate: (bytes) => new Uint8Array(this.#pool.take(bytes)),
      onPicture: (ptsUs, data) => void this.#onPicture(ptsUs, { data, ...size }),
      onLost: () => this.#send({ kind: 'failed', reason: 'the decoder ended' }),
    });
  }

  async #onPicture(ptsUs: number, picture: { data: Uint8Array; width: number; height: number }): Promise<void> {
    if (ptsUs >= this.#beginUs) {
      if (this.#setup.paint) this.#painter.paint(ptsUs, picture);
      await this.#encoder?.write(ptsUs, picture.data);
    }
    this.#pool.give(picture.data.buffer as ArrayBuffer);
  }
}
