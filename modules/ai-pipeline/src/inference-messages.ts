import {
  SCHEMA_VERSION,
  type Inference,
  type InferenceEvent,
  type InferenceMessage,
  type RegionOfInterest,
} from '@vantage/contracts';
import type { FrameInsights } from '@vantage/skill';

/** The envelope of messages and clip files. */
export function toMessage(
  regionsOfInterest: readonly RegionOfInterest[],
  inferences: readonly Inference[],
  events: readonly InferenceEvent[] = [],
): InferenceMessage {
  return { schemaVersion: SCHEMA_VERSION, events, regionsOfInterest, inferences };
}

/**
 * Decides when a pipeline sends: with frame 0 and every `everyNFrames`th of its leading camera, together with the newest
 * frame of each other camera that was not sent yet. A camera that stops hands the lead to the next one.
 */
export class MessageCadence {
  readonly #everyNFrames: number;
  readonly #unsent = new Map<string, FrameInsights>();
  readonly #nextDue = new Map<string, number>();
  #lead: string | undefined;
  #leadSeenMs = 0;

  constructor(everyNFrames: number) {
    this.#everyNFrames = everyNFrames;
  }

  /** @returns the frames to send now, leading camera first; empty when nothing is due. */
  push(frame: FrameInsights): FrameInsights[] {
    // Five seconds of the others' frames without one of the leader's: it has stopped.
    if (this.#lead === undefined || frame.captureTimeMs - this.#leadSeenMs > 5000) this.#lead = frame.sensor;
    if (frame.sensor !== this.#lead) {
      this.#unsent.set(frame.sensor, frame);
      return [];
    }
    this.#leadSeenMs = frame.captureTimeMs;
    this.#unsent.delete(frame.sensor);
    const due = this.#nextDue.get(frame.sensor) ?? 0;
    // A camera that was opened again counts from 0.
    if (frame.frameId < due && frame.frameId > due - this.#everyNFrames) return [];
    this.#nextDue.set(frame.sensor, (Math.floor(frame.frameId / this.#everyNFrames) + 1) * this.#everyNFrames);
    const others = [...this.#unsent.values()];
    this.#unsent.clear();
    return [frame, ...others];
  }
}
