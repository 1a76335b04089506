import type { NalCodec } from '@vantage/media';

/** One frame, ready for RTP. */
export interface AccessUnit {
  /** When it is shown, microseconds on the source's own line of time. */
  readonly ptsUs: number;
  readonly key: boolean;
  /** In front of a keyframe stand the parameter sets, so that a client can join at any of them. */
  readonly nals: readonly Uint8Array[];
}

/** What a client is told before it plays. */
export interface StreamDescription {
  /** A title; what the server counts streams by. */
  readonly name: string;
  readonly codec: NalCodec;
  /** Nominal frames a second; 0 when unknown. */
  readonly fps: number;
  /** VPS (H.265 only), SPS and PPS, in that order. */
  readonly parameterSets: readonly Uint8Array[];
}

/** One client's end, as a source sees it. A slow one leaves frames out by itself. */
export interface RtspReceiver {
  send(unit: AccessUnit): void;
  /** The stream is over, or has become another one than was described: the client is let go. */
  end(): void;
}

/** A source playing for one client. */
export interface RtspPlayback {
  /** Time of the next frame, as far as it is known before it comes. */
  readonly nextPtsUs: number | undefined;
  /** Frames go to the receiver from now on. Starts over where `pause` stopped. */
  start(): void;
  pause(): void;
}

/** What an address stands for. */
export interface RtspSource {
  readonly description: StreamDescription;
  open(receiver: RtspReceiver): RtspPlayback;
}
