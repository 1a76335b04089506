import type { RegionOfInterest } from '@vantage/contracts';
import type { Ffmpeg } from '@vantage/media';
import type { ClipFrameInsights } from '../../overlay/clip-frames.ts';

export interface PaintSetup {
  readonly ffmpeg: Ffmpeg;
  /** False: only encoded anew. */
  readonly paint: boolean;
}

export type ToPainter =
  /** Of the packets that follow. */
  | { readonly kind: 'header'; readonly bytes: Uint8Array }
  | { readonly kind: 'packet'; readonly key: boolean; readonly bytes: Uint8Array }
  /** Pictures from this time on are wanted; those before were only decoded. */
  | { readonly kind: 'begin'; readonly ptsUs: number }
  | { readonly kind: 'insights'; readonly ptsUs: number; readonly seen: Omit<ClipFrameInsights, 'atMs'> }
  | { readonly kind: 'regions'; readonly regions: readonly RegionOfInterest[] }
  | { readonly kind: 'stop' };

export type FromPainter =
  /** What a client is told of the H.264 that follows: Annex B. */
  | { readonly kind: 'stream'; readonly codecData: Uint8Array }
  | { readonly kind: 'frame'; readonly ptsUs: number; readonly key: boolean; readonly data: Uint8Array }
  | { readonly kind: 'failed'; readonly reason: string };
