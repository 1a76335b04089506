import { customNode } from '@vantage/contracts';
import type {
  NodeAttribute,
  NodeBox,
  NodeEvent,
  NodeInsights,
  NodeObject,
  NodeRoi,
  NodeTime,
  NodeTracking,
} from '../types.ts';
import { normaliseTime } from './time.ts';

/** What is taken from one message at most; what comes after is left out and counted. */
export const INSIGHT_LIMITS = { objects: 10_000, events: 1000, attributes: 100, entries: 1000 } as const;

const TEXT_LENGTH = 1024;
const VALUE_LENGTH = 65_536;
/** 32-bit sums of probabilities end a little above 1. */
const ROUNDING = 1e-5;

/** Boxes may leave the picture a little (models do), but not by more than its size times this. */
const FARTHEST = 4;

export interface ReadInsights {
  readonly insights: NodeInsights;
  /** Objects, attributes and events that were left out: not finite, absurd or too many. */
  readonly rejected: number;
}

/**
 * Reads what somebody else wrote. Objects whose confidence or box is not finite, negative in size or far outside of the
 * picture are left out; texts are cut (1024 characters, values of maps 65,536) and lose their control characters; keys cannot reach a prototype.
 */
export function insightsFromWire(meta: customNode.InsightsMeta): ReadInsights {
  const tally = { rejected: 0 };
  const objects = bounded(meta.objectsMeta, INSIGHT_LIMITS.objects, tally).flatMap((object) => {
    const read = readObject(object, tally);
    if (read === undefined) tally.rejected += 1;
    return read ?? [];
  });
  const events = bounded(meta.eventsMeta, INSIGHT_LIMITS.events, tally).map(readEvent);
  return { insights: { objects, events, other: readMap(meta.otherMeta) }, rejected: tally.rejected };
}

export function insightsToWire({ objects, events, other }: NodeInsights): customNode.InsightsMeta {
  return {
    objectsMeta: objects.map((object) => ({
      timestamp: timeToWire(object.timestamp),
      label: object.label,
      confidence: object.confidence,
      inferenceId: object.inferenceId ?? '',
      attributes: (object.attributes ?? []).map((attribute) => ({
        timestamp: timeToWire(attribute.timestamp),
        name: attribute.name,
        label: attribute.label,
        confidence: attribute.confidence,
        inferenceId: attribute.inferenceId ?? '',
      })),
      bbox: object.bbox,
      trackingInfo: object.tracking === undefined ? undefined : trackingToWire(object.tracking),
    })),
    eventsMeta: events.map((event) => ({
      timestamp: timeToWire(event.timestamp),
      type: event.type,
      eventId: event.id,
      relatedIds: [...(event.relatedIds ?? [])],
      properties: { ...event.properties },
    })),
    otherMeta: { ...other },
  };
}

export function roiToWire(roi: NodeRoi): customNode.Roi {
  const { LINE, POLYGON } = customNode.RoiType;
  return { name: roi.name, type: roi.type === 'line' ? LINE : POLYGON, id: roi.id, value: roi.value };
}

export function roiFromWire(roi: customNode.Roi): NodeRoi {
  const type = roi.type === customNode.RoiType.LINE ? 'line' : 'polygon';
  return { name: text(roi.name), type, id: text(roi.id), value: roi.value };
}

/**
 * What a frame knows after a node's answer: with `append`, the reference's way, objects and events of the answer follow
 * those that were there; with `replace` its objects take their place. Of two `other` entries the answer's counts.
 */
export function mergeInsights(before: NodeInsights, answer: NodeInsights, merge: 'append' | 'replace'): NodeInsights {
  return {
    objects: merge === 'append' ? [...before.objects, ...answer.objects] : answer.objects,
    events: [...before.events, ...answer.events],
    other: { ...before.other, ...answer.other },
  };
}

function readObject(object: customNode.ObjectMeta, tally: { rejected: number }): NodeObject | undefined {
  if (!isConfidence(object.confidence)) return undefined;
  if (object.bbox !== undefined && !isPlausible(object.bbox)) return undefined;
  const attributes = bounded(object.attributes, INSIGHT_LIMITS.attributes, tally).filter((attribute) =>
    isConfidence(attribute.confidence),
  );
  tally.rejected += Math.min(object.attributes.length, INSIGHT_LIMITS.attributes) - attributes.length;
  return {
    label: text(object.label),
    confidence: Math.min(1, object.confidence),
    ...(object.bbox === undefined ? {} : { bbox: readBox(object.bbox) }),
    ...ids(object.inferenceId),
    ...times(object.timestamp),
    ...(attributes.length === 0 ? {} : { attributes: attributes.map(readAttribute) }),
    ...(object.trackingInfo === undefined ? {} : { tracking: readTracking(object.trackingInfo) }),
  };
}

function readAttribute(attribute: customNode.ObjectMetaAttribute): NodeAttribute {
  return {
    name: text(attribute.name),
    label: text(attribute.label),
    confidence: Math.min(1, attribute.confidence),
    ...ids(attribute.inferenceId),
    ...times(attribute.timestamp),
  };
}

function readTracking({ trackingId, speed, direction, timestamp }: customNode.TrackingInfo): NodeTracking {
  const moves = direction !== undefined && Number.isFinite(direction.x) && Number.isFinite(direction.y);
  return {
    id: text(trackingId),
    ...(Number.isFinite(speed) ? { speed } : {}),
    ...(moves ? { direction: { x: direction.x, y: direction.y } } : {}),
    ...times(timestamp),
  };
}

function readEvent(event: customNode.EventMeta): NodeEvent {
  return {
    type: text(event.type),
    id: text(event.eventId),
    ...times(event.timestamp),
    relatedIds: event.relatedIds.slice(0, INSIGHT_LIMITS.entries).map(text),
    properties: readMap(event.properties),
  };
}

function trackingToWire(tracking: NodeTracking): customNode.TrackingInfo {
  return {
    timestamp: timeToWire(tracking.timestamp),
    trackingId: tracking.id,
    speed: tracking.speed ?? 0,
    direction: tracking.direction,
  };
}

function timeToWire(time: NodeTime | undefined): customNode.Timestamp | undefined {
  return time === undefined ? undefined : { seconds: time.seconds, nanos: time.nanos };
}

function ids(inferenceId: string): { inferenceId?: string } {
  return inferenceId === '' ? {} : { inferenceId: text(inferenceId) };
}

function times(timestamp: NodeTime | undefined): { timestamp?: NodeTime } {
  return timestamp === undefined ? {} : { timestamp: normaliseTime(timestamp) };
}

function readBox({ l, t, w, h }: customNode.BBox): NodeBox {
  return { l, t, w, h };
}

function isConfidence(value: number): boolean {
  return value >= 0 && value <= 1 + ROUNDING;
}

function isPlausible({ l, t, w, h }: NodeBox): boolean {
  return Math.abs(l) <= FARTHEST && Math.abs(t) <= FARTHEST && w >= 0 && w <= FARTHEST && h >= 0 && h <= FARTHEST;
}

function readMap(map: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(map).slice(0, INSIGHT_LIMITS.entries);
  return Object.fromEntries(entries.map(([key, value]) => [text(key), value.slice(0, VALUE_LENGTH)]));
}

function bounded<T>(list: readonly T[], limit: number, tally: { rejected: number }): readonly T[] {
  if (list.length <= limit) return list;
  tally.rejected += list.length - limit;
  return list.slice(0, limit);
}

/** Labels end up in logs, metrics, file names and documents of others. */
function text(value: string): string {
  return value.slice(0, TEXT_LENGTH).replaceAll(/\p{Cc}/gu, ' ');
}
