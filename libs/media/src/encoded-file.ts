import { FfmpegRun } from './ffmpeg-run.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import type { NutStream } from './nut-format.ts';
import { fileUnreadable } from './errors.ts';

export interface EncodedFrame {
  readonly ptsUs: number;
  readonly key: boolean;
  /** As the container holds it: NAL units behind lengths or start codes, see `codecData`. */
  readonly data: Uint8Array;
}

/** The first video stream of a file, in decoding order. */
export interface EncodedFile {
  /** FFmpeg's name of the codec. */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** The container's codec configuration (avcC, hvcC) or parameter sets behind start codes. */
  readonly codecData: Uint8Array;
  readonly frames: readonly EncodedFrame[];
  /** True when the file was larger than allowed and ends early. */
  readonly truncated: boolean;
}

/**
 * Reads the encoded video of a whole file into memory, at most `maxBytes` of it.
 *
 * @throws MEDIA_FILE_UNREADABLE
 */
export function readEncodedFile(path: string, ffmpeg: Ffmpeg, maxBytes: number): Promise<EncodedFile> {
  return new Promise((resolve, reject) => {
    const frames: EncodedFrame[] = [];
    let header: NutStream | undefined;
    let info = { codec: 'unknown', fps: 0 };
    let pending: EncodedFrame | undefined;
    let total = 0;
    let truncated = false;
    const run = new FfmpegRun(
      {
        url: path,
        ffmpeg,
        picture: undefined,
        encoded: true,
        pace: 'asFastAsPossible',
        socketTimeoutMs: 0,
        thoroughProbe: true,
      },
      {
        onStream: ({ codec, fps }) => (info = { codec, fps }),
        takeBuffer: (bytes) => new ArrayBuffer(bytes),
        onPicture: () => undefined,
        onEncodedHeader: (stream) => (header = stream),
        allocatePacket: (ptsUs, key, bytes) => {
          total += bytes;
          if (total > maxBytes) {
            truncated = true;
            run.kill();
            return undefined;
          }
          pending = { ptsUs, key, data: new Uint8Array(bytes) };
          return pending.data;
        },
        onPacket: () => {
          if (pending !== undefined) frames.push(pending);
          pending = undefined;
        },
        onExit: (exit) => {
          if (header === undefined || frames.length === 0 || !(exit.clean || truncated)) {
            reject(fileUnreadable(exit.reason));
            return;
          }
          const { width, height, codecData } = header;
          resolve({ ...info, width, height, codecData, frames, truncated });
        },
      },
    );
    run.start();
  });
}
