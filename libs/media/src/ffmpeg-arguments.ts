import { fileURLToPath } from 'node:url';
import type { Ffmpeg } from './ffmpeg.ts';
import type { Dewarp } from './dewarp.ts';
import { hardwareArguments, type HardwareDecode } from './hardware.ts';
import { GRAPH_OUTPUTS, hasTwoPictures, pictureFilter, pictureGraph, type PictureRequest } from './picture.ts';

/**
 * Added to every time before it is written and taken off after it is read: files with B-frames start with negative
 * decoding times, which NUT cannot hold, and letting the muxer shift them would move one output against the other.
 */
export const TIME_OFFSET_SECONDS = 10;

/** Which output of the process is on which file descriptor. */
export const PICTURE_FD = 1;
export const ENCODED_FD = 3;
export const FULL_FD = 4;

/** Stands for an address: packets of a NUT stream come in through standard input. */
export const PACKETS_URL = 'packets:';

/** What a URL is, as far as it matters for reading it. */
export type SourceKind = 'rtsp' | 'http' | 'file' | 'device';

export function sourceKind(url: string): SourceKind {
  if (/^rtsps?:/i.test(url)) return 'rtsp';
  if (/^https?:/i.test(url)) return 'http';
  if (/^\/dev\/video\d+$/.test(url)) return 'device';
  return 'file';
}

/** The path of a `file://` URL or of a plain path. */
export function sourcePath(url: string): string {
  if (!/^file:/i.test(url)) return url;
  try {
    return fileURLToPath(url);
  } catch {
    // `file://relative.mp4` names a host; people mean a path.
    return url.replace(/^file:\/*/i, '');
  }
}

export interface ProcessOptions {
  readonly url: string;
  readonly ffmpeg: Ffmpeg;
  readonly picture: PictureRequest | undefined;
  readonly encoded: boolean;
  readonly dewarp?: Dewarp;
  readonly hardware?: HardwareDecode;
  readonly pace: 'realtime' | 'asFastAsPossible';
  /** ffmpeg's own waiting on a socket; it is only a second line behind our watchdog. */
  readonly socketTimeoutMs: number;
  /** Take the time that FFmpeg likes for finding out what the stream is (slower start, sturdier). */
  readonly thoroughProbe: boolean;
}

/** The arguments of the one process that decodes and copies a source. */
export function sourceArguments(options: ProcessOptions): string[] {
  const { picture, encoded, ffmpeg, dewarp } = options;
  const args = ['-hide_banner', '-nostats', '-nostdin', '-loglevel', 'level+info', '-filter_threads', '1'];
  if (options.hardware) args.push(...hardwareArguments(options.hardware));
  args.push('-threads', '1', '-noautorotate', ...inputArguments(options));
  if ((picture && hasTwoPictures(picture)) || dewarp) return [...args, ...graphOutputs(options)];
  if (picture !== undefined) {
    // Without a time base of its own the encoder would round every time to the nominal frame rate.
    const timeBase = ffmpeg.libavformat[0] >= 61 ? 'demux' : '-1';
    args.push('-map', '0:V:0', '-vf', pictureFilter(picture), ...rawOutput(ffmpeg, timeBase, PICTURE_FD));
  }
  if (encoded) {
    args.push('-map', '0:V:0', ...encodedCodec(options), ...nutOutput(ENCODED_FD));
  }
  return args;
}

/** The outputs of a filter graph belong to no stream of the input, so they need a time base of their own. */
const GRAPH_TIME_BASE = '1:1000000';

function graphOutputs({ ffmpeg, picture, dewarp, encoded, ...options }: ProcessOptions): string[] {
  const args = ['-filter_complex_threads', '1', '-filter_complex', pictureGraph(picture, dewarp, encoded)];
  if (picture) args.push('-map', `[${GRAPH_OUTPUTS.small}]`, ...rawOutput(ffmpeg, GRAPH_TIME_BASE, PICTURE_FD));
  if (picture && hasTwoPictures(picture)) {
    args.push('-map', `[${GRAPH_OUTPUTS.full}]`, ...rawOutput(ffmpeg, GRAPH_TIME_BASE, FULL_FD));
  }
  if (!encoded) return args;
  // What is straightened has to be encoded anew: the clip shows what the boxes belong to.
  const codec = dewarp
    ? ['-map', `[${GRAPH_OUTPUTS.encoded}]`, ...passthrough(ffmpeg), '-enc_time_base', GRAPH_TIME_BASE, ...ENCODER]
    : ['-map', '0:V:0', ...encodedCodec({ ffmpeg, picture, encoded, ...options })];
  return [...args, ...codec, ...nutOutput(ENCODED_FD)];
}

function rawOutput(ffmpeg: Ffmpeg, timeBase: string, fd: number): string[] {
  const raw = ['-enc_time_base', timeBase, '-c:v', 'rawvideo', '-avioflags', 'direct'];
  return [...passthrough(ffmpeg), ...raw, ...nutOutput(fd)];
}

/** Every frame at its own time: none is repeated or left out. */
export function passthrough({ libavformat: [major, minor] }: Ffmpeg): string[] {
  return [major > 59 || (major === 59 && minor >= 27) ? '-fps_mode' : '-vsync', 'passthrough'];
}

function nutOutput(fd: number): string[] {
  const offset = String(TIME_OFFSET_SECONDS);
  const common = ['-map_metadata', '-1', '-map_chapters', '-1', '-output_ts_offset', offset, '-flush_packets', '1'];
  return [...common, '-f', 'nut', `pipe:${fd}`];
}

/**
 * RTP carries no decoding times and FFmpeg's guesses can exceed the presentation times, upon which its muxers change
 * both. So: decoding times that only count up, far below. FFmpeg also loses the first frame's time, which is 0.
 */
const RTSP_TIMES = "setts=pts='if(eq(PTS,NOPTS),if(eq(N,0),0,PREV_OUTPTS+1),PTS)':dts='N-800000'";

function canSetTimes(ffmpeg: Ffmpeg): boolean {
  return ffmpeg.libavformat[0] >= 59;
}

function encodedCodec(options: ProcessOptions): string[] {
  // A capture device gives raw or JPEG pictures; clips need something that fits a disk.
  const kind = sourceKind(options.url);
  if (kind === 'rtsp' && canSetTimes(options.ffmpeg)) return ['-c', 'copy', '-bsf:v', RTSP_TIMES];
  if (kind !== 'device') return ['-c', 'copy'];
  return [...ENCODER];
}

const ENCODER: readonly string[] = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency'].concat([
  ...['-pix_fmt', 'yuv420p', '-g', '30'],
]);

function inputArguments(options: ProcessOptions): string[] {
  const { url, ffmpeg } = options;
  const socketTimeoutUs = String(Math.round(options.socketTimeoutMs * 1000));
  const quick = ['-probesize', '32768', '-analyzeduration', '100000', '-fpsprobesize', '0'];
  const probe = options.thoroughProbe ? [] : quick;
  // `nobuffer` throws the probed packets away, and with them the keyframe that everything waits for. Builds without
  // setts need it, because those packets have decoding times that the copying output would not survive.
  const early = canSetTimes(ffmpeg) ? ['-copyts'] : ['-fflags', 'nobuffer'];
  // Times stay as they are: they are already those of the source's line of time.
  if (url === PACKETS_URL) return [...quick, '-copyts', '-f', 'nut', '-i', 'pipe:0'];
  const kind = sourceKind(url);
  switch (kind) {
    case 'rtsp':
      return [
        '-rtsp_transport',
        'tcp',
        `-${ffmpeg.rtspTimeoutOption}`,
        socketTimeoutUs,
        ...['-flags', 'low_delay', ...early, ...probe],
        ...['-i', url],
      ];
    case 'http':
      return [
        ...['-protocol_whitelist', 'http,https,httpproxy,tcp,tls,crypto,data'],
        ...['-rw_timeout', socketTimeoutUs, ...pacing(options), '-i', url],
      ];
    case 'device':
      return ['-f', 'v4l2', '-i', url];
    case 'file':
      return ['-protocol_whitelist', 'file,crypto,data', ...pacing(options), '-i', `file:${sourcePath(url)}`];
  }
}

function pacing(options: ProcessOptions): string[] {
  return options.pace === 'realtime' ? ['-re'] : [];
}
