import type { FrameInsights, FrameObject } from '@vantage/skill';
import type { Attribute, Box, Keypoint, Point, SegmentationMap, TensorData, TextReading } from '@vantage/vision';

/** A tensor with more elements than this is told by its least, greatest and mean value only. */
const MAX_ELEMENTS = 4096;

/**
 * The line format of `--json`. Boxes are [left, top, width, height], points [x, y], in pixels of the source picture; what
 * a model does not say is left out.
 *
 * @param file where there are several
 */
export function frameJson(frame: FrameInsights, file?: string): string {
  const { classifications, segmentation, text, embedding, tensors, custom } = frame;
  return JSON.stringify({
    ...(file === undefined ? {} : { file }),
    frame: frame.frameId,
    pts: Math.round(frame.ptsUs) / 1e6,
    detections: frame.detections.map(objectJson),
    ...(classifications === undefined ? {} : { classifications: classifications.map(attributeJson) }),
    ...(segmentation === undefined ? {} : { segmentation: segmentationJson(segmentation) }),
    ...(text === undefined ? {} : { text: textJson(text) }),
    ...(embedding === undefined ? {} : { embedding: embeddingJson(embedding) }),
    ...(tensors === undefined ? {} : { tensors: tensors.map(tensorJson) }),
    ...(custom === undefined ? {} : { custom }),
    ...(frame.predicted === true ? { predicted: true } : {}),
  });
}

function objectJson(object: FrameObject): Record<string, unknown> {
  const { label, classId, confidence, box, trackingId, attributes, points, keypoints, mask } = object;
  const { parent, customInfo, text, embedding } = object;
  return {
    label,
    classId,
    confidence: round4(confidence),
    box: boxJson(box),
    trackingId,
    attributes: attributes.map(attributeJson),
    ...(points ? { points: points.map(pointJson) } : {}),
    ...(keypoints ? { keypoints: keypoints.map(keypointJson) } : {}),
    ...(mask
      ? { mask: { width: mask.width, height: mask.height, data: Buffer.from(mask.data).toString('base64') } }
      : {}),
    ...(parent === undefined ? {} : { parent }),
    ...(customInfo === undefined ? {} : { customInfo }),
    ...(text === undefined ? {} : { text: textJson(text) }),
    ...(embedding === undefined ? {} : { embedding: embeddingJson(embedding) }),
  };
}

function attributeJson({ name, label, classId, confidence }: Attribute): Record<string, unknown> {
  return { name, label, classId, confidence: round4(confidence) };
}

/** The map itself row by row, as runs: [classId, cells, classId, cells, ...]; -1 where there is no class. */
function segmentationJson({ width, height, classes, areas }: SegmentationMap): Record<string, unknown> {
  const runs: number[] = [];
  for (let at = 0; at < classes.length;) {
    const from = at;
    while (at < classes.length && classes[at] === classes[from]) at += 1;
    runs.push(classes[from] ?? -1, at - from);
  }
  return { width, height, areas: areas.map((area) => ({ ...area, share: round4(area.share) })), runs };
}

function tensorJson({ name, dims, type, data }: TensorData): Record<string, unknown> {
  const values = Array.from(data as ArrayLike<number | bigint>, Number);
  const finite = values.filter(Number.isFinite);
  const least = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const greatest = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  return {
    name,
    dims,
    type,
    ...(finite.length > 0
      ? { min: least, max: greatest, mean: finite.reduce((a, b) => a + b, 0) / finite.length }
      : {}),
    ...(finite.length < values.length ? { notFinite: values.length - finite.length } : {}),
    ...(values.length <= MAX_ELEMENTS ? { data: values } : {}),
  };
}

function textJson({ text, score }: TextReading): Record<string, unknown> {
  return { text, score: round4(score) };
}

function embeddingJson(embedding: Float32Array): number[] {
  return Array.from(embedding, (value) => Math.round(value * 1e6) / 1e6);
}

function boxJson({ left, top, width, height }: Box): number[] {
  return [left, top, width, height].map(round2);
}

function pointJson({ x, y }: Point): number[] {
  return [round2(x), round2(y)];
}

function keypointJson({ x, y, score }: Keypoint): number[] {
  return [round2(x), round2(y), round4(score)];
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

function round4(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
