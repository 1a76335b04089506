import type { RegionOfInterest } from '@vantage/contracts';
import type { Ffmpeg } from '@vantage/media';
import type { ClipFrameInsights } from '../../overlay/clip-frames.ts';
import type { DecodedPacket } from '../packet-decoder.ts';

/** What a thread makes: one camera's stream painted or only encoded anew, or all cameras of a pipeline side by side. */
export type PaintSetup = { readonly ffmpeg: Ffmpeg } & (
  { readonly kind: 'camera'; readonly paint: boolean } | { readonly kind: 'mosaic' }
);

/** What is painted into one frame. */
export type Seen = Omit<ClipFrameInsights, 'atMs'>;

/** Of one camera. */
export type CameraMessage =
  /** Of the packets that follow. */
  | { readonly kind: 'header'; readonly bytes: Uint8Array }
  | ({ readonly kind: 'packet' } & DecodedPacket)
  /** Pictures from this time on are wanted; those before were only decoded. */
  | { readonly kind: 'begin'; readonly ptsUs: number }
  | { readonly kind: 'insights'; readonly ptsUs: number; readonly seen: Seen }
  | { readonly kind: 'regions'; readonly regions: readonly RegionOfInterest[] };

export type MosaicMessage =
  /** Whose tiles there are, in their order. `keep`: those that stay go on; otherwise all begin anew with their headers. */
  | { readonly kind: 'tiles'; readonly sensors: readonly string[]; readonly keep: boolean }
  /** Pictures a second. */
  | { readonly kind: 'rate'; readonly fps: number }
  /** What is made of them; nothing, until this is said. */
  | { readonly kind: 'outputs'; readonly h264: boolean; readonly jpeg: boolean }
  | { readonly kind: 'camera'; readonly sensor: string; readonly message: CameraMessage };

export type ToPainter = CameraMessage | MosaicMessage | { readonly kind: 'stop' };

/** What a thread does. */
export interface PaintTaskOf<Message> {
  /** Call once, first. @throws MEDIA_ENCODER_MISSING */
  prepare(): Promise<void>;
  handle(message: Message): void;
  stop(): void;
}

export type FromPainter =
  /** What a client is told of the H.264 that follows: Annex B. */
  | { readonly kind: 'stream'; readonly codecData: Uint8Array }
  | { readonly kind: 'frame'; readonly ptsUs: number; readonly key: boolean; readonly data: Uint8Array }
  | { readonly kind: 'jpeg'; readonly data: Uint8Array }
  | { readonly kind: 'failed'; readonly reason: string };
