import type { FrameInsights } from '../frame.ts';

/**
 * Which frames an export sends (contract B): without `everySeconds` every frame, also one without objects; with it the
 * first frame with an object, and then one with an object when that much frame time has passed. A frame in which a rule
 * or a custom node says that something happened is sent at once, whosever turn it is: events would be lost otherwise.
 * One per camera and export.
 */
export class ExportGate {
  readonly #everyUs: number | undefined;
  #lastUs: number | undefined;

  constructor(everySeconds?: number) {
    this.#everyUs = everySeconds === undefined ? undefined : everySeconds * 1e6;
  }

  admits({ ptsUs, detections, events }: FrameInsights): boolean {
    if (this.#everyUs === undefined) return true;
    // A camera that was opened again may start its clock anew.
    const last = this.#lastUs !== undefined && this.#lastUs <= ptsUs ? this.#lastUs : undefined;
    const isDue = detections.length > 0 && (last === undefined || ptsUs - last >= this.#everyUs);
    const happened = events !== undefined && events.length > 0;
    // What tells of an event tells of the objects, too: their turn begins anew.
    if (detections.length > 0 && (isDue || happened)) this.#lastUs = ptsUs;
    return isDue || happened;
  }
}
