import { clipBox, UNTRACKED } from '@vantage/vision';
import type { FrameInsights, FrameObject, InsightEvent } from '../frame.ts';

/** The three ids by which insights of AI Skills are told apart; `device` is the camera's name. */
export interface SkillIds {
  readonly instance: string;
  readonly skill: string;
  readonly device: string;
}

/**
 * What the exports of AI Skills send (contract B, "Insights document"); keys in the order of the reference. `events_meta`,
 * `other_meta` and `tracking_info` are there when there is something to say. Times are seconds since the Unix epoch.
 */
export interface InsightsDocument {
  readonly image: {
    readonly properties: { readonly height: number; readonly width: number; readonly color_format: 'BGR' };
  };
  readonly insights_meta: {
    readonly objects_meta: readonly ObjectMeta[];
    readonly events_meta?: readonly EventMeta[];
    readonly other_meta?: Readonly<Record<string, string>>;
  };
  readonly timestamp: number;
  readonly frame_id: string;
  readonly instance_id: string;
  readonly skill_id: string;
  readonly device_id: string;
  /** ISO 8601, UTC, with microseconds and offset. */
  readonly datetime: string;
}

export interface ObjectMeta {
  /** 0 where no custom node gave the object a time of its own, as the reference writes. */
  readonly timestamp: number;
  readonly label: string;
  readonly confidence: number;
  /** `0` where no custom node gave one, as the reference writes. */
  readonly inference_id: string;
  readonly attributes: readonly { readonly name: string; readonly label: string; readonly confidence: number }[];
  /** Fractions of the picture, inside it; null where the box is no box. */
  readonly bbox: { readonly l: number; readonly t: number; readonly w: number; readonly h: number } | null;
  readonly tracking_info?: {
    readonly timestamp: number;
    readonly tracking_id: string;
    readonly speed?: number;
    readonly direction?: { readonly x: number; readonly y: number };
  };
}

export interface EventMeta {
  readonly timestamp: number;
  readonly type: string;
  readonly event_id: string;
  readonly related_ids: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
}

/** The document of a frame. Pixels are never part of it. */
export function toInsightsDocument(frame: FrameInsights, ids: SkillIds): InsightsDocument {
  const { width, height, captureTimeMs } = frame;
  const other = otherMeta(frame);
  return {
    image: { properties: { height, width, color_format: 'BGR' } },
    insights_meta: {
      objects_meta: frame.detections.map((object) => objectMeta(object, frame)),
      ...(frame.events?.length ? { events_meta: frame.events.map(eventMeta) } : {}),
      ...(other ? { other_meta: other } : {}),
    },
    timestamp: seconds(captureTimeMs),
    frame_id: String(frame.frameId),
    instance_id: ids.instance,
    skill_id: ids.skill,
    device_id: ids.device,
    datetime: isoMicros(captureTimeMs),
  };
}

function objectMeta(object: FrameObject, frame: FrameInsights): ObjectMeta {
  const { attributes, text, timeMs } = object;
  const tracking = trackingInfo(object, frame);
  return {
    timestamp: timeMs === undefined ? 0 : seconds(timeMs),
    label: object.label,
    confidence: finite(object.confidence),
    inference_id: object.inferenceId ?? '0',
    attributes: [
      ...attributes.map(({ name, label, confidence }) => ({ name, label, confidence: finite(confidence) })),
      ...(text ? [{ name: 'text', label: text.text, confidence: finite(text.score) }] : []),
    ],
    bbox: fractions(object, frame),
    ...(tracking ? { tracking_info: tracking } : {}),
  };
}

function fractions({ box }: FrameObject, { width, height }: FrameInsights): ObjectMeta['bbox'] {
  const given = [box.left, box.top, box.width, box.height, width, height];
  if (!given.every(Number.isFinite) || width <= 0 || height <= 0) return null;
  const inside = clipBox(box, width, height);
  return { l: inside.left / width, t: inside.top / height, w: inside.width / width, h: inside.height / height };
}

function trackingInfo(object: FrameObject, { captureTimeMs }: FrameInsights): ObjectMeta['tracking_info'] {
  const id = object.foreignTrackingId ?? (object.trackingId > UNTRACKED ? String(object.trackingId) : undefined);
  if (id === undefined) return undefined;
  const { motion } = object;
  return {
    timestamp: seconds(object.timeMs ?? captureTimeMs),
    tracking_id: id,
    ...(motion ? { speed: motion.speed, direction: { x: motion.direction.x, y: motion.direction.y } } : {}),
  };
}

function eventMeta({ timeMs, type, id, relatedIds, properties }: InsightEvent): EventMeta {
  return { timestamp: seconds(timeMs), type, event_id: id, related_ids: relatedIds, properties };
}

/** What classifiers say about the frame as a whole stands beside what nodes say. */
function otherMeta({ properties, classifications }: FrameInsights): Record<string, string> | undefined {
  const other = {
    ...Object.fromEntries((classifications ?? []).map(({ name, label }) => [name, label])),
    ...properties,
  };
  return Object.keys(other).length > 0 ? other : undefined;
}

function seconds(ms: number): number {
  return finite(ms) / 1000;
}

/** As Python's `isoformat` writes it. */
function isoMicros(ms: number): string {
  const whole = Math.floor(finite(ms));
  const micros = Math.floor((finite(ms) - whole) * 1000);
  const date = new Date(whole);
  if (Number.isNaN(date.getTime())) return '1970-01-01T00:00:00.000000+00:00';
  return `${date.toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}+00:00`;
}

/** JSON has neither NaN nor infinity. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
