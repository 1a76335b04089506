import { NutReader } from '@vantage/media';
import { readCodecConfiguration, type CodecConfiguration, type NalCodec } from '@vantage/rtsp';

const CODECS: Readonly<Record<string, NalCodec>> = {
  ...{ h264: 'h264', avc1: 'h264', x264: 'h264', davc: 'h264' },
  ...{ hevc: 'hevc', hev1: 'hevc', hvc1: 'hevc', h265: 'hevc' },
};

/** What the NUT header of an encoded stream says. */
export interface StreamHeader extends CodecConfiguration {
  readonly codec: NalCodec;
  readonly width: number;
  readonly height: number;
}

/** Undefined for codecs that have no NAL units. */
export function readStreamHeader(header: Uint8Array): StreamHeader | undefined {
  let found: StreamHeader | undefined;
  const reader = new NutReader({
    onStreams: ([stream]) => {
      const codec = stream && CODECS[Buffer.from(stream.fourcc).toString('latin1').toLowerCase()];
      if (!codec) return;
      const { width, height, codecData } = stream;
      found = { codec, width, height, ...readCodecConfiguration(codec, codecData) };
    },
    allocate: () => undefined,
    onFrame: () => undefined,
  });
  reader.push(header);
  return found;
}
