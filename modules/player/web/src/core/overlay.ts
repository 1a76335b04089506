import type { ClipDocument, DetectionEntry, InferenceEvent } from '@vantage/contracts';

/** What the pipeline said of one frame. */
export interface FrameInsights {
  /** The frame's time on the clock of the picture that it belongs to, microseconds. */
  readonly ptsUs: number;
  readonly timeMs: number;
  readonly frameId: number;
  readonly detections: readonly DetectionEntry[];
  readonly events: readonly InferenceEvent[];
}

/** Two times closer than this are the same frame: clips say milliseconds, browsers round to microseconds. */
export const SAME_FRAME_US = 1500;
/** Boxes of a frame before are shown on frames that were not looked at, but not longer than this. */
const HOLD_US = 400_000;

export interface Match {
  readonly frame: FrameInsights;
  /** False: the boxes are of a frame before this one, because nobody looked at this one. */
  readonly exact: boolean;
}

/** Insights of a live camera, found by the time of the frame that is on the screen. Keeps the newest. */
export class InsightBuffer {
  readonly #limit: number;
  #frames: FrameInsights[] = [];

  constructor(limit = 600) {
    this.#limit = limit;
  }

  get newest(): FrameInsights | undefined {
    return this.#frames.at(-1);
  }

  add(frame: FrameInsights): void {
    const frames = this.#frames;
    // They come in order nearly always; branches of a graph may swap neighbours.
    let at = frames.length;
    while (at > 0 && (frames[at - 1]?.ptsUs ?? 0) > frame.ptsUs) at -= 1;
    if (frames[at - 1]?.ptsUs === frame.ptsUs) frames[at - 1] = frame;
    else frames.splice(at, 0, frame);
    if (frames.length > this.#limit) frames.splice(0, frames.length - this.#limit);
  }

  clear(): void {
    this.#frames = [];
  }

  at(ptsUs: number): Match | undefined {
    return matchFrame(this.#frames, ptsUs, SAME_FRAME_US);
  }
}

/** The frame of that time, or the last one before it for a little while. `frames` are sorted by `ptsUs`. */
export function matchFrame(frames: readonly FrameInsights[], ptsUs: number, slackUs: number): Match | undefined {
  let low = 0;
  let high = frames.length;
  while (low < high) {
    const half = (low + high) >> 1;
    if ((frames[half]?.ptsUs ?? 0) <= ptsUs + slackUs) low = half + 1;
    else high = half;
  }
  const after = frames[low - 1];
  const before = frames[low - 2];
  if (!after) return undefined;
  const nearer = before && Math.abs(before.ptsUs - ptsUs) < Math.abs(after.ptsUs - ptsUs) ? before : after;
  const off = Math.abs(nearer.ptsUs - ptsUs);
  if (off <= slackUs) return { frame: nearer, exact: true };
  return ptsUs - after.ptsUs <= HOLD_US ? { frame: after, exact: false } : undefined;
}

/**
 * The frames of a clip's JSON, on the clip's own clock: its first frame is at 0. One entry a frame (contract C.3); what
 * models and parsers said of the same frame is put together.
 */
export function clipFrames(document: ClipDocument): FrameInsights[] {
  const frames = new Map<number, { timeMs: number; detections: DetectionEntry[] }>();
  for (const inference of document.inferences) {
    const { frameId, timestamp } = inference.sourceInfo;
    const frame = frames.get(frameId) ?? { timeMs: Date.parse(timestamp), detections: [] };
    if (inference.type === 'detection') frame.detections.push(...inference.detections);
    frames.set(frameId, frame);
  }
  const sorted = [...frames].sort(([, a], [, b]) => a.timeMs - b.timeMs);
  const start = sorted[0]?.[1].timeMs ?? 0;
  return sorted.map(([frameId, { timeMs, detections }]) => {
    return { ptsUs: (timeMs - start) * 1000, timeMs, frameId, detections, events: [] };
  });
}

export interface Rect {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Where a picture lies in a box that it is fitted into, keeping its shape (`object-fit: contain`). */
export function fitted(picture: { width: number; height: number }, box: { width: number; height: number }): Rect {
  if (picture.width <= 0 || picture.height <= 0) return { left: 0, top: 0, ...box };
  const scale = Math.min(box.width / picture.width, box.height / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  return { left: (box.width - width) / 2, top: (box.height - height) / 2, width, height };
}

/** `car #7 87%`, as in clips with overlays. */
export function titleOf({ label, tracking_id: track, confidence, attributes, text }: DetectionEntry): string {
  const attribute = attributes?.map((one) => ` ${one.label}`).join('') ?? '';
  const read = text ? ` "${text.text}"` : '';
  return `${label}${track > 0 ? ` #${track}` : ''} ${Math.round(confidence * 100)}%${attribute}${read}`;
}

const CLASS_COLORS = ['#39d98a', '#ffa94d', '#4dd6ff', '#ff7ad9', '#ffe066', '#ff6b6b', '#e9ecef', '#748ffc'] as const;

export function classColor(classId: number): string {
  return CLASS_COLORS[Math.max(0, classId) % CLASS_COLORS.length] ?? CLASS_COLORS[0];
}

/** Where objects went: the feet of each track in the frames before. Bounded by tracks and by points of each. */
export class Trails {
  readonly #points: number;
  readonly #trails = new Map<number, { x: number; y: number; ptsUs: number }[]>();

  constructor(points = 40) {
    this.#points = points;
  }

  see({ ptsUs, detections }: FrameInsights): void {
    for (const { tracking_id: track, rect } of detections) {
      if (track <= 0) continue;
      const trail = this.#trails.get(track) ?? [];
      const last = trail.at(-1);
      if (last && last.ptsUs > ptsUs) trail.length = 0;
      if (last?.ptsUs !== ptsUs) trail.push({ x: rect[0] + rect[2] / 2, y: rect[1] + rect[3], ptsUs });
      if (trail.length > this.#points) trail.shift();
      this.#trails.set(track, trail);
    }
    for (const [track, trail] of this.#trails) {
      const age = ptsUs - (trail.at(-1)?.ptsUs ?? 0);
      if (age > 1_000_000 || age < 0) this.#trails.delete(track);
    }
  }

  of(track: number): readonly { readonly x: number; readonly y: number }[] {
    return this.#trails.get(track) ?? [];
  }

  clear(): void {
    this.#trails.clear();
  }
}
