import type { ClipDocument, RegionOfInterest } from '@vantage/contracts';
import type { FrameInsights } from '@vantage/skill';
import { toEvents, toInferences } from '../frame-inferences.ts';
import { toMessage } from '../inference-messages.ts';
import type { ClipRegion } from './protocol.ts';

/** A frame of the clip as the encoded stream has it. */
export interface ClipFrame {
  readonly ptsUs: number;
  readonly captureTimeMs: number;
}

export interface ClipDocumentInput {
  readonly pipelineId: string;
  readonly sensor: string;
  readonly regions: readonly ClipRegion[];
  /** Every frame of the clip, in any order. */
  readonly frames: readonly ClipFrame[];
  /** What is known about frames in and shortly before the clip, in the order of their times. */
  readonly insights: readonly FrameInsights[];
}

/**
 * The JSON beside a clip (contract C.3): an entry of type `detection` for each frame of
 * the mp4, in the order they are shown, after what else is known of it. A frame that
 * was not looked at (interval, overload) repeats what was last seen, so that entry n always belongs to frame n.
 */
export function clipDocument(input: ClipDocumentInput): ClipDocument {
  const frames = [...input.frames].sort((a, b) => a.ptsUs - b.ptsUs);
  const { insights } = input;
  let at = 0;
  let last: FrameInsights | undefined;
  let frameId = 0;
  const inferences = frames.flatMap((frame) => {
    for (; at < insights.length && (insights[at] as FrameInsights).ptsUs <= frame.ptsUs; at++) last = insights[at];
    frameId = last?.ptsUs === frame.ptsUs ? last.frameId : frameId + 1;
    const size = last ?? insights[0];
    return toInferences(input.pipelineId, {
      width: size?.width ?? 1,
      height: size?.height ?? 1,
      detections: [],
      ...last,
      sensor: input.sensor,
      frameId,
      ptsUs: frame.ptsUs,
      captureTimeMs: frame.captureTimeMs,
    });
  });
  const [first, final] = [frames[0]?.ptsUs ?? 0, frames.at(-1)?.ptsUs ?? 0];
  const events = insights.filter(({ ptsUs }) => ptsUs >= first && ptsUs <= final).flatMap(toEvents);
  return toMessage(regionsOf(input.regions, input.sensor), inferences, events);
}

export function regionsOf(regions: readonly ClipRegion[], sensor: string): RegionOfInterest[] {
  return regions.map(({ label, color, coordinates }) => ({
    label,
    color,
    coordinates: coordinates.map(([x, y]): [number, number] => [x, y]),
    sensor,
  }));
}

/** `2023-01-05-10:11:12`, UTC. */
export function clipTime(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace('T', '-');
}
