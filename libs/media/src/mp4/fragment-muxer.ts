import { nutPayload } from '../nut-writer.ts';
import type { EncodedPacket } from '../video-source-types.ts';
import { DecodeTimes } from './decode-times.ts';
import { fileType, fragmentHead, fragmentedMovie, type FragmentSample, type Track } from './movie.ts';
import { VideoFormat } from './video-format.ts';

/** A fragment as pieces that are written one behind the other. */
export interface Fragment {
  /** `moof`, the head of `mdat`, then the data of each frame. */
  readonly pieces: readonly Uint8Array[];
  readonly samples: readonly FragmentSample[];
  /** Those that are in it, one a sample. */
  readonly packets: readonly EncodedPacket[];
  /** Bytes in front of the first frame's data. */
  readonly headBytes: number;
}

/**
 * Fragmented MP4 (ISO/IEC 14496-12, 8.8) from encoded packets, without ffmpeg: H.264 and H.265, with NAL units behind
 * start codes (cameras) or behind lengths (files). One track, times in microseconds.
 *
 * A fragment keeps the packets' times: a frame is shown at its `ptsUs` minus `baseUs`. A stream that changes its
 * parameters (`fits`) or its header needs another muxer.
 */
export class FragmentMuxer {
  /** For MIME types, as RFC 6381 has it: `avc1.64001f`. */
  readonly codec: string;
  /** `video/mp4; codecs="avc1.64001f"` */
  readonly mimeType: string;
  readonly width: number;
  readonly height: number;
  readonly #format: VideoFormat;
  readonly #baseUs: number;
  readonly #times: DecodeTimes;
  #sequence = 0;
  #firstPtsUs: number | undefined;

  /**
   * @param header as `VideoSource.onHeader` gives it
   * @param firstKey the first packet; needed where the parameters are not in the header (some cameras)
   * @param baseUs what counts as time 0; at most the time of the first packet
   * @returns undefined for a codec that it does not know, or when the stream's parameters are nowhere
   */
  static create(header: Uint8Array, firstKey?: EncodedPacket, baseUs = 0): FragmentMuxer | undefined {
    const format = VideoFormat.of(header, firstKey && nutPayload(firstKey.bytes));
    return format && new FragmentMuxer(format, baseUs);
  }

  private constructor(format: VideoFormat, baseUs: number) {
    this.#format = format;
    this.#baseUs = baseUs;
    this.#times = new DecodeTimes(format.decodeDelay);
    this.codec = format.codec;
    this.mimeType = `video/mp4; codecs="${format.codec}"`;
    this.width = format.width;
    this.height = format.height;
  }

  get track(): Track {
    return { sampleEntry: this.#format.sampleEntry(), width: this.width, height: this.height };
  }

  /** False for a key frame that begins a stream with other parameters (size, profile): it needs a new muxer. */
  fits(packet: EncodedPacket): boolean {
    return !packet.key || this.#format.fits(nutPayload(packet.bytes));
  }

  /** `ftyp` and `moov`: what comes before the first fragment. */
  initSegment(): Uint8Array {
    return Buffer.concat([fileType(), fragmentedMovie(this.track)]);
  }

  /**
   * `moof` and `mdat` of packets that follow those of the call before; one packet gives the lowest latency. The first
   * one has to be a key frame; what is shown before that one is left out, and nothing may be left of the packets: then
   * the fragment is empty.
   *
   * @param untilPtsUs when the frame behind the last packet is shown, if that is known
   */
  fragment(packets: readonly EncodedPacket[], untilPtsUs?: number): Uint8Array {
    return Buffer.concat(this.pieces(packets, untilPtsUs)?.pieces ?? []);
  }

  /** The same without copying it together; undefined where nothing is left. Pieces may be the packets' own bytes. */
  pieces(packets: readonly EncodedPacket[], untilPtsUs?: number): Fragment | undefined {
    const firstUs = (this.#firstPtsUs ??= packets[0]?.ptsUs ?? 0);
    const kept = packets.filter(({ ptsUs }) => ptsUs >= firstUs);
    if (kept.length === 0) return undefined;
    const decodeUs = kept.map(({ ptsUs }) => this.#times.next(ptsUs));
    const endUs = this.#times.end(untilPtsUs);
    const data = kept.map(({ bytes }) => this.#format.toSample(nutPayload(bytes)));
    const samples = kept.map(({ ptsUs, key }, at): FragmentSample => {
      const startUs = decodeUs[at] ?? 0;
      const durationUs = (decodeUs[at + 1] ?? endUs) - startUs;
      return { sizeBytes: data[at]?.length ?? 0, durationUs, offsetUs: ptsUs - startUs, key };
    });
    const head = fragmentHead(++this.#sequence, (decodeUs[0] ?? 0) - this.#baseUs, samples);
    return { pieces: [head, ...data], samples, packets: kept, headBytes: head.length };
  }
}
