import type { FrameInsights, FrameObject } from '@vantage/skill';
import type { Attribute, TensorData } from '@vantage/vision';

/** A frame in a line for people. */
export function frameText(frame: FrameInsights, file?: string): string {
  const { classifications, segmentation, text, embedding, tensors, custom } = frame;
  const found = [
    ...frame.detections.map(objectText),
    ...(classifications ?? []).map(attributeText),
    ...(segmentation?.areas ?? []).map(({ label, share }) => `${label} on ${percent(share)} of the picture`),
    ...(text === undefined ? [] : [`"${text.text}" ${percent(text.score)}`]),
    ...(embedding === undefined ? [] : [`embedding of ${embedding.length} numbers`]),
    ...(tensors ?? []).map(tensorText),
    ...(custom === undefined ? [] : [JSON.stringify(custom)]),
  ];
  const where = file === undefined ? '' : `${file} `;
  return `${where}frame ${frame.frameId} ${(frame.ptsUs / 1e6).toFixed(2)} s: ${found.join(', ') || 'nothing'}`;
}

function objectText({ label, confidence, trackingId, attributes, keypoints, ...rest }: FrameObject): string {
  const { text, embedding, customInfo } = rest;
  const more = [
    ...(keypoints === undefined ? [] : [`${keypoints.filter(({ score }) => score > 0).length} points`]),
    ...attributes.map(attributeText),
    ...(text === undefined ? [] : [`"${text.text}" ${percent(text.score)}`]),
    ...(embedding === undefined ? [] : [`embedding of ${embedding.length} numbers`]),
    ...(customInfo === undefined ? [] : [JSON.stringify(customInfo)]),
  ];
  const id = trackingId > 0 ? ` #${trackingId}` : '';
  return `${label}${id} ${percent(confidence)}${more.length > 0 ? ` (${more.join(', ')})` : ''}`;
}

export function attributeText({ name, label, confidence }: Attribute): string {
  return `${name === '' ? '' : `${name} `}${label} ${percent(confidence)}`;
}

function tensorText({ name, dims, type }: TensorData): string {
  return `${name} ${type ?? ''} [${dims.join(',')}]`;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
