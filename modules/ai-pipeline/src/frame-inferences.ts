import type {
  ClassificationInference,
  CustomInference,
  DetectionInference,
  Inference,
  InferenceEvent,
  SegmentationInference,
} from '@vantage/contracts';
import type { FrameInsights } from '@vantage/skill';
import type { SegmentationMap, TensorData } from '@vantage/vision';
import { toDetection } from './detection-entries.ts';
import { round } from './round.ts';

/** Cells of a map of classes in a message: larger maps are thinned out, for a message has 256 KB at most. */
const MAX_MAP_SIDE = 128;
const MAX_TENSOR_VALUES = 4096;

/**
 * A frame's insights as entries of the inference envelope (contract C.2): what the model says besides boxes first, and
 * always one entry of type `detection`, also when nothing was found.
 */
export function toInferences(pipelineId: string, frame: FrameInsights): Inference[] {
  const head = { sourceInfo: sourceInfo(frame), id: pipelineId };
  return [
    ...customEntries(frame).map((message): CustomInference => ({ ...head, type: 'custom', detections: [message] })),
    ...(frame.classifications
      ? [
          {
            ...head,
            type: 'classification',
            detections: frame.classifications.map(({ classId, confidence, label }) => ({
              classId,
              confidence: round(confidence, 4),
              label,
            })),
          } satisfies ClassificationInference,
        ]
      : []),
    ...(frame.segmentation
      ? [{ ...head, type: 'segmentation', detections: [toMap(frame.segmentation)] } satisfies SegmentationInference]
      : []),
    toInference(pipelineId, frame),
  ];
}

/**
 * What happened in a frame, as the envelope carries it (C.2, end): by the rules of an nvdsanalytics file, then what rules
 * and custom nodes of a skill and the camera's health say.
 */
export function toEvents({ sensor, frameId, analytics, view, events }: FrameInsights): InferenceEvent[] {
  // A camera that is covered sees nobody cross a line.
  const about = { frameId, ...(view === undefined ? {} : { view }) };
  return [
    ...(analytics?.events ?? []).map(({ type, zone, ...userDefinedData }) => ({
      ...{ id: crypto.randomUUID(), type, zone, sensor },
      userDefinedData: { ...userDefinedData, ...about },
    })),
    ...(events ?? []).map(({ type, id, timeMs, relatedIds, properties }) => ({
      ...{ id: id === '' ? crypto.randomUUID() : id, type, sensor },
      ...('zone' in properties ? { zone: properties['zone'] } : {}),
      userDefinedData: { ...properties, relatedIds, timeMs, ...about },
    })),
  ];
}

/** Whether a frame is told at once, whosever turn it is. */
export function hasEvents({ analytics, events }: FrameInsights): boolean {
  return (analytics?.events.length ?? 0) > 0 || (events?.length ?? 0) > 0;
}

/** The entry of type `detection`. */
export function toInference(pipelineId: string, frame: FrameInsights): DetectionInference {
  const ids = frame.detections.map(() => crypto.randomUUID());
  return {
    sourceInfo: sourceInfo(frame),
    type: 'detection',
    id: pipelineId,
    detections: frame.detections.map((object, at) => {
      const parentId = object.parent === undefined ? undefined : ids[object.parent];
      return toDetection(object, frame, ids[at] ?? '', parentId);
    }),
  };
}

function sourceInfo({
  sensor,
  captureTimeMs,
  width,
  height,
  frameId,
}: FrameInsights): DetectionInference['sourceInfo'] {
  // UTC: the clip's `Date` tag is taken from here, and a time without a zone would be anyone's guess.
  return { id: sensor, timestamp: new Date(captureTimeMs).toISOString(), width, height, frameId };
}

/** What has no type of its own in the envelope, and a parser's own message as it is. */
function customEntries({ custom, text, embedding, tensors, analytics }: FrameInsights): unknown[] {
  return [
    ...(custom === undefined || custom === null ? [] : [custom]),
    ...(text ? [{ text: text.text, confidence: round(text.score, 4) }] : []),
    ...(embedding ? [{ embedding: Array.from(embedding, (value) => round(value, 5)) }] : []),
    ...(tensors ? [{ tensors: tensors.map(toTensor) }] : []),
    ...(analytics
      ? [{ analytics: { regions: analytics.regions, lines: analytics.lines, overcrowded: analytics.overcrowded } }]
      : []),
  ];
}

function toTensor({ name, dims, type, data }: TensorData): Record<string, unknown> {
  const about = { name, dims, type };
  if (data.length > MAX_TENSOR_VALUES) return { ...about, values: data.length };
  return { ...about, data: Array.from(data as ArrayLike<number | bigint>, (value) => round(Number(value), 5)) };
}

function toMap({ width, height, classes, areas }: SegmentationMap): SegmentationInference['detections'][number] {
  const step = Math.max(1, Math.ceil(Math.max(width, height) / MAX_MAP_SIDE));
  const [columns, rows] = [Math.ceil(width / step), Math.ceil(height / step)];
  const classMap: number[] = [];
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < columns; x += 1) classMap.push(classes[y * step * width + x * step] ?? -1);
  }
  const nClasses = areas.reduce((most, { classId }) => Math.max(most, classId + 1), 0);
  const labels = Array.from({ length: nClasses }, (_, id) => areas.find(({ classId }) => classId === id)?.label ?? '');
  return { nClasses, width: columns, height: rows, classMap, labels };
}
