import type { RegionOfInterest } from '@vantage/contracts';
import { Canvas } from '@vantage/vision';
import { paintFrame } from '../../overlay/paint-frame.ts';
import type { Seen } from './messages.ts';

/** A picture in 4:2:0 (`yuv420p`), without padding. */
export interface PlanarPicture {
  readonly data: Uint8Array;
  /** Pixels; both even. */
  readonly width: number;
  readonly height: number;
}

/** What was seen so long before a frame stands for it, if the frame itself was not looked at. */
const LOOK_BACK_US = 1_000_000;
const MAX_SEEN = 300;
const NOTHING: Seen = { detections: [], segmentations: [], lines: [] };

/** What is known of a camera's frames, painted into their pictures. */
export class FramePainter {
  readonly #seen: { readonly ptsUs: number; readonly seen: Seen }[] = [];
  /** Of the frames from now on. */
  regions: readonly RegionOfInterest[] = [];

  remember(ptsUs: number, seen: Seen): void {
    this.#seen.push({ ptsUs, seen });
    if (this.#seen.length > MAX_SEEN) this.#seen.shift();
  }

  /** @param ptsUs of the frame; the picture may be smaller than that */
  paint(ptsUs: number, picture: PlanarPicture): void {
    const seen = this.#at(ptsUs);
    if (!seen && this.regions.length === 0) return;
    paintFrame(new Canvas({ ...picture, format: 'yuv420p' }), { atMs: 0, ...(seen ?? NOTHING) }, this.regions);
  }

  #at(ptsUs: number): Seen | undefined {
    const found = this.#seen.findLast((one) => one.ptsUs <= ptsUs);
    return found && ptsUs - found.ptsUs <= LOOK_BACK_US ? found.seen : undefined;
  }
}
