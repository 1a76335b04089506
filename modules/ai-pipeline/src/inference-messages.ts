import { randomUUID } from 'node:crypto';
import {
  SCHEMA_VERSION,
  type DetectionInference,
  type InferenceMessage,
  type RegionOfInterest,
} from '@vantage/contracts';
import type { FrameInsights } from '@vantage/skill';

/** A frame's insights as one entry of the inference envelope (contract C.2). */
export function toInference(pipelineId: string, frame: FrameInsights): DetectionInference {
  const { width, height } = frame;
  return {
    sourceInfo: {
      id: frame.sensor,
      // UTC: the clip's `Date` tag is taken from here, and a time without a zone would be anyone's guess.
      timestamp: new Date(frame.captureTimeMs).toISOString(),
      width,
      height,
      frameId: frame.frameId,
    },
    type: 'detection',
    id: pipelineId,
    detections: frame.detections.map((detection) => ({
      classId: detection.classId,
      confidence: round(detection.confidence, 4),
      label: detection.label,
      rect: [
        round(detection.box.left / width, 5),
        round(detection.box.top / height, 5),
        round(detection.box.width / width, 5),
        round(detection.box.height / height, 5),
      ],
      id: randomUUID(),
      unique_component_id: detection.componentId,
      tracking_id: detection.trackingId,
    })),
  };
}

/** The envelope of messages and clip files. */
export function toMessage(
  regionsOfInterest: readonly RegionOfInterest[],
  inferences: readonly DetectionInference[],
): InferenceMessage {
  return { schemaVersion: SCHEMA_VERSION, events: [], regionsOfInterest, inferences };
}

function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
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
