import { basename } from 'node:path';
import {
  isDelimiter,
  isParameterSet,
  readCodecConfiguration,
  readEncodedFile,
  splitFrame,
  type Ffmpeg,
  type NalCodec,
} from '@vantage/media';
import type { AccessUnit } from '@vantage/rtsp';
import { codecUnsupported, parameterSetsMissing } from './errors.ts';

/** A frame of a file; its time counts from the start of the file. */
export interface FileUnit extends AccessUnit {
  /** When it is sent, after the start of the file; never goes back. */
  readonly sendUs: number;
}

/** A video file in memory. Immutable, shared by all clients that play it. */
export interface MediaFile {
  readonly name: string;
  readonly codec: NalCodec;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly parameterSets: readonly Uint8Array[];
  readonly units: readonly FileUnit[];
  /** From the first frame to the same frame of the next round. */
  readonly loopUs: number;
  readonly sizeBytes: number;
}

/**
 * Loads a file of any container that ffmpeg reads.
 *
 * @throws RTSPSIM_CODEC_UNSUPPORTED, RTSPSIM_PARAMETER_SETS_MISSING, MEDIA_FILE_UNREADABLE
 */
export async function loadMediaFile(path: string, ffmpeg: Ffmpeg, maxBytes: number): Promise<MediaFile> {
  const file = await readEncodedFile(path, ffmpeg, maxBytes);
  const name = basename(path);
  const codec = file.codec;
  if (codec !== 'h264' && codec !== 'hevc') throw codecUnsupported(name, codec);
  const { lengthSize, parameterSets: declared } = readCodecConfiguration(codec, file.codecData);
  const split = file.frames.map((frame) => splitFrame(frame.data, lengthSize));
  const parameterSets = declared.length > 0 ? declared : (split[0] ?? []).filter((nal) => isParameterSet(codec, nal));
  if (parameterSets.length === 0) throw parameterSetsMissing(name);

  // Files cut from longer ones may start in the middle of a group.
  const firstKey = Math.max(
    0,
    file.frames.findIndex((frame) => frame.key),
  );
  const frames = file.frames.slice(firstKey);
  const shown = frames.map((frame) => frame.ptsUs).sort((a, b) => a - b);
  const startUs = shown[0] ?? 0;
  const intervalUs = shown.length > 1 ? Math.round(((shown.at(-1) ?? 0) - startUs) / (shown.length - 1)) : 40_000;
  const units = frames.map((frame, index): FileUnit => {
    const nals = (split[firstKey + index] ?? []).filter((nal) => !isDelimiter(codec, nal));
    const inband = frame.key && !nals.some((nal) => isParameterSet(codec, nal));
    return {
      sendUs: (shown[index] ?? 0) - startUs,
      ptsUs: frame.ptsUs - startUs,
      key: frame.key,
      nals: inband ? [...parameterSets, ...nals] : nals,
    };
  });
  return {
    name,
    codec,
    width: file.width,
    height: file.height,
    fps: file.fps,
    parameterSets,
    units,
    loopUs: (shown.at(-1) ?? 0) - startUs + intervalUs,
    sizeBytes: file.frames.reduce((sum, frame) => sum + frame.data.length, 0),
  };
}
