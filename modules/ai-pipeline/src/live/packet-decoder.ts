import { spawn, type ChildProcess } from 'node:child_process';
import { NutReader, passthrough, ticksToUs, type Ffmpeg, type NutStream } from '@vantage/media';

/** A decoder that falls behind by so much goes on at the next key frame. */
const MAX_BEHIND_BYTES = 8 << 20;
const MAX_BEHIND_FRAMES = 75;

export interface DecodedPacket {
  readonly ptsUs: number;
  readonly key: boolean;
  readonly bytes: Uint8Array;
  /** It stands in front of the first one that counts: however many there are, they are decoded. */
  readonly replayed: boolean;
}

export interface PacketDecoderOptions {
  readonly ffmpeg: Ffmpeg;
  /** ffmpeg's arguments behind its input: filters and codec of what comes out. */
  readonly output: readonly string[];
  onStream?(stream: NutStream): void;
  /** Where a picture's bytes go; default a new array. */
  allocate?(bytes: number): Uint8Array | undefined;
  onPicture(ptsUs: number, data: Uint8Array): void;
  /** It has ended by itself. */
  onLost(): void;
}

/** An ffmpeg that is fed with a camera's packets, and what comes out of it, frame by frame, at the packets' times. */
export class PacketDecoder {
  readonly #child: ChildProcess;
  #waitForKey = false;
  /** Times of frames that have gone in and not come out. */
  #inside: number[] = [];
  #isOver = false;

  /** @param header of the packets */
  constructor(header: Uint8Array, options: PacketDecoderOptions) {
    const { ffmpeg, output } = options;
    const input = [
      '-probesize',
      '32768',
      '-analyzeduration',
      '100000',
      '-fpsprobesize',
      '0',
      '-copyts',
      '-threads',
      '1',
    ];
    const ticks = ['-enc_time_base', '1:1000000'];
    this.#child = spawn(
      ffmpeg.path,
      [
        ...['-hide_banner', '-nostats', '-loglevel', 'error', ...input, '-f', 'nut', '-i', 'pipe:0', '-map', '0:v:0'],
        ...[...passthrough(ffmpeg), ...ticks, ...output, '-flush_packets', '1', '-f', 'nut', 'pipe:1'],
      ],
      { stdio: ['pipe', 'pipe', 'ignore'] },
    );
    const reader = new NutReader({
      onStreams: ([stream]) => {
        if (stream) options.onStream?.(stream);
      },
      allocate: ({ sizeBytes }) => (options.allocate ? options.allocate(sizeBytes) : new Uint8Array(sizeBytes)),
      onFrame: (frame, data) => {
        const ptsUs = ticksToUs(frame.pts, frame.stream.timeBase);
        this.#inside = this.#inside.filter((us) => us > ptsUs);
        options.onPicture(ptsUs, data);
      },
    });
    const lost = (): void => {
      if (this.#isOver) return;
      this.stop();
      options.onLost();
    };
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      if (this.#isOver) return;
      try {
        reader.push(chunk);
      } catch {
        lost();
      }
    });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.on('error', lost).on('close', lost);
    this.#child.stdin?.write(header);
  }

  push({ ptsUs, key, bytes, replayed }: DecodedPacket): void {
    const input = this.#child.stdin;
    if (this.#isOver || !input) return;
    if (input.writableLength > MAX_BEHIND_BYTES || this.#inside.length > MAX_BEHIND_FRAMES) this.#waitForKey = true;
    else if (key) this.#waitForKey = false;
    if (this.#waitForKey) return;
    if (!replayed) this.#inside.push(ptsUs);
    input.write(bytes);
  }

  stop(): void {
    this.#isOver = true;
    this.#child.kill('SIGKILL');
  }
}
