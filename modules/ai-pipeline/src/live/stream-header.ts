import { NutReader, nalCodecOf, readCodecConfiguration, type CodecConfiguration, type NalCodec } from '@vantage/media';

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
      const codec = stream && nalCodecOf(stream.fourcc);
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
