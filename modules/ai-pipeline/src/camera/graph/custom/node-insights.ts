import { timeFromMs, timeToMs, type NodeInsights, type NodeObject } from '@vantage/custom-node';
import type { FrameInsights, FrameObject, InsightEvent } from '@vantage/skill';
import { UNTRACKED, type Attribute, type Box } from '@vantage/vision';
import type { View } from '../../view.ts';

/** What is known about a frame, as custom nodes are told: places are fractions of the picture that they see. */
export function toNodeInsights(frame: FrameInsights, view: View): NodeInsights {
  return {
    objects: frame.detections.map((object) => toNodeObject(object, view)),
    events: (frame.events ?? []).map(({ type, id, timeMs, relatedIds, properties }) => ({
      ...{ type, id, relatedIds, properties },
      timestamp: timeFromMs(timeMs),
    })),
    other: frame.properties ?? {},
  };
}

function toNodeObject(object: FrameObject, view: View): NodeObject {
  const { box, motion, timeMs } = object;
  const id = object.foreignTrackingId ?? (object.trackingId > UNTRACKED ? String(object.trackingId) : undefined);
  const isBox = [box.left, box.top, box.width, box.height].every(Number.isFinite);
  return {
    label: object.label,
    confidence: object.confidence,
    ...(isBox
      ? {
          bbox: {
            l: (box.left - view.left) / view.width,
            t: (box.top - view.top) / view.height,
            w: box.width / view.width,
            h: box.height / view.height,
          },
        }
      : {}),
    ...(object.inferenceId === undefined ? {} : { inferenceId: object.inferenceId }),
    ...(timeMs === undefined ? {} : { timestamp: timeFromMs(timeMs) }),
    attributes: object.attributes.map(({ name, label, confidence }) => ({ name, label, confidence })),
    ...(id === undefined ? {} : { tracking: { id, ...motion } }),
  };
}

/** Numbers for the labels of a node's objects: the same as those of the frame's own objects of that label. */
export class LabelNumbers {
  readonly #numbers = new Map<string, number>();
  readonly #most: number;

  constructor(most = 1000) {
    this.#most = most;
  }

  of(label: string, known: readonly FrameObject[]): number {
    const same = known.find((object) => object.label === label);
    if (same) return same.classId;
    const number = this.#numbers.get(label);
    if (number !== undefined) return number;
    if (this.#numbers.size >= this.#most) return this.#most;
    this.#numbers.set(label, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}

/**
 * A frame with what a custom node said about it. Boxes become pixels of the camera's whole frame, whatever size the
 * picture had that the node saw, or the one that it answered.
 *
 * @param view the part of the frame that it saw
 */
export function withAnswer(
  frame: FrameInsights,
  answer: NodeInsights,
  { view, merge, labels }: { readonly view: View; readonly merge: 'append' | 'replace'; readonly labels: LabelNumbers },
): FrameInsights {
  const own = answer.objects.map((object) => toFrameObject(object, view, labels.of(object.label, frame.detections)));
  const events = answer.events.map((event): InsightEvent => ({
    type: event.type,
    id: event.id,
    timeMs: event.timestamp === undefined ? frame.captureTimeMs : timeToMs(event.timestamp),
    relatedIds: event.relatedIds ?? [],
    properties: event.properties ?? {},
  }));
  return {
    ...frame,
    detections: merge === 'append' ? [...frame.detections, ...own] : own,
    ...(events.length > 0 ? { events: [...(frame.events ?? []), ...events] } : {}),
    ...(Object.keys(answer.other).length > 0 ? { properties: { ...frame.properties, ...answer.other } } : {}),
  };
}

/** Nobody knows where it is. */
const NOWHERE: Box = { left: Number.NaN, top: Number.NaN, width: Number.NaN, height: Number.NaN };

function toFrameObject(object: NodeObject, view: View, classId: number): FrameObject {
  const { bbox, tracking, timestamp, inferenceId } = object;
  const number = tracking && /^\d{1,15}$/.test(tracking.id) ? Number(tracking.id) : undefined;
  const { speed, direction } = tracking ?? {};
  return {
    classId,
    label: object.label,
    confidence: object.confidence,
    box: bbox
      ? {
          left: view.left + bbox.l * view.width,
          top: view.top + bbox.t * view.height,
          width: bbox.w * view.width,
          height: bbox.h * view.height,
        }
      : NOWHERE,
    trackingId: number ?? UNTRACKED,
    componentId: 0,
    attributes: (object.attributes ?? []).map(({ name, label, confidence }): Attribute => ({
      ...{ name, label, confidence },
      classId: 0,
      componentId: 0,
    })),
    ...(inferenceId === undefined ? {} : { inferenceId }),
    ...(timestamp === undefined ? {} : { timeMs: timeToMs(timestamp) }),
    ...(tracking !== undefined && tracking.id !== '' && number === undefined ? { foreignTrackingId: tracking.id } : {}),
    ...(speed !== undefined && direction !== undefined ? { motion: { speed, direction } } : {}),
  };
}
