import type { ClipDocument, DetectionEntry, Inference, SegmentationInference } from '@vantage/contracts';

/** What is known about one frame of a clip. */
export interface ClipFrameInsights {
  /** Milliseconds since the clip's first frame. */
  readonly atMs: number;
  readonly detections: readonly DetectionEntry[];
  readonly segmentations: SegmentationInference['detections'];
  /** What is said about the frame as a whole. */
  readonly lines: readonly string[];
}

/** What is painted of a frame's entries in the inference envelope. */
export function paintedParts(inferences: readonly Inference[]): Omit<ClipFrameInsights, 'atMs'> {
  const lines = inferences.flatMap((one) => (one.type === 'classification' ? one.detections.map(lineOf) : []));
  const segmentations = inferences.flatMap((one) => (one.type === 'segmentation' ? one.detections : []));
  const detections = inferences.flatMap((one) => (one.type === 'detection' ? one.detections : []));
  return { detections, segmentations, lines };
}

function lineOf({ label, confidence }: { readonly label: string; readonly confidence: number }): string {
  return `${label} ${Math.round(confidence * 100)}%`;
}

/** Times in the document are whole milliseconds; no camera has two frames within this. */
const SAME_FRAME_MS = 2;

/** The frames of the JSON beside a clip, looked up by their times, in order. */
export class ClipFrames {
  readonly #frames: readonly ClipFrameInsights[];
  #at = 0;

  constructor(document: ClipDocument) {
    this.#frames = framesOf(document);
  }

  get count(): number {
    return this.#frames.length;
  }

  /** What is shown at a time since the first frame; times must not step back. */
  at(ms: number): ClipFrameInsights | undefined {
    while ((this.#frames[this.#at + 1]?.atMs ?? Infinity) <= ms + SAME_FRAME_MS) this.#at += 1;
    return this.#frames[this.#at];
  }
}

/** The entry of type `detection` is a frame's last one (contract deepstream-accelerator C.3 and `clipDocument`). */
function framesOf({ inferences }: ClipDocument): ClipFrameInsights[] {
  const frames: ClipFrameInsights[] = [];
  let firstMs: number | undefined;
  let lines: string[] = [];
  let segmentations: SegmentationInference['detections'][number][] = [];
  for (const inference of inferences) {
    switch (inference.type) {
      case 'classification':
        lines.push(...inference.detections.map(lineOf));
        break;
      case 'segmentation':
        segmentations.push(...inference.detections);
        break;
      case 'custom':
        break;
      case 'detection': {
        const timeMs = Date.parse(inference.sourceInfo.timestamp);
        firstMs ??= timeMs;
        frames.push({ atMs: timeMs - firstMs, detections: inference.detections, segmentations, lines });
        lines = [];
        segmentations = [];
        break;
      }
    }
  }
  return frames;
}
