import { messageOf, type customNode } from '@vantage/contracts';
import { decodePicture, type NodePicture, type ResponseKind } from '@vantage/custom-node';
import type { Wants } from './check.ts';

export interface AnswerReading {
  /** What breaks the contract. */
  readonly problems: readonly string[];
  /** What clients put up with. */
  readonly remarks: readonly string[];
  readonly objects: number;
  readonly picture?: NodePicture;
}

const GIVES_IMAGE: Record<ResponseKind, boolean> = {
  image: true,
  insights: false,
  imageAndInsights: true,
  empty: false,
};
const GIVES_INSIGHTS: Record<ResponseKind, boolean> = {
  image: false,
  insights: true,
  imageAndInsights: true,
  empty: false,
};
const MAX_LISTED = 5;

/** Compares an answer with what the handshake promised, and its values with what they may be. */
export async function readAnswer(response: customNode.ProcessResponse, wants: Wants): Promise<AnswerReading> {
  const problems: string[] = [];
  const remarks: string[] = [];
  const bytes = response.image?.imagePointer ?? Buffer.alloc(0);
  const meta = response.insightsMeta;
  const saysSomething =
    meta !== undefined &&
    (meta.objectsMeta.length > 0 || meta.eventsMeta.length > 0 || Object.keys(meta.otherMeta).length > 0);
  if (GIVES_IMAGE[wants.response] && bytes.length === 0)
    remarks.push('the answer has no picture, the handshake promised one');
  if (!GIVES_IMAGE[wants.response] && bytes.length > 0)
    remarks.push(
      `the answer has a picture of ${bytes.length} bytes, which the handshake did not announce: clients ignore it`,
    );
  if (!GIVES_INSIGHTS[wants.response] && saysSomething)
    remarks.push('the answer has insights, which the handshake did not announce');
  let picture: NodePicture | undefined;
  try {
    if (bytes.length > 0) picture = await pictureOf(response, wants);
  } catch (error) {
    problems.push(`the picture of the answer: ${messageOf(error)}`);
  }
  meta?.objectsMeta.forEach((object, at) => readObject(object, `objects_meta[${at}]`, problems, remarks));
  meta?.eventsMeta.forEach((event, at) => {
    if (event.type === '') remarks.push(`events_meta[${at}] has no type`);
    readTime(event.timestamp, `events_meta[${at}]`, problems);
  });
  return {
    problems: problems.slice(0, MAX_LISTED),
    remarks: remarks.slice(0, MAX_LISTED),
    objects: meta?.objectsMeta.length ?? 0,
    ...(picture === undefined ? {} : { picture }),
  };
}

/**
 * The picture of an answer.
 *
 * @throws VantageError CUSTOM_NODE_IMAGE_INVALID
 */
export function pictureOf({ image }: customNode.ProcessResponse, { encoding }: Wants): Promise<NodePicture> {
  return decodePicture(Buffer.from(image?.imagePointer ?? []), encoding, {
    width: Number(image?.properties?.width ?? 0n),
    height: Number(image?.properties?.height ?? 0n),
    colorFormat: image?.properties?.colorFormat === 1 ? 'RGB' : 'BGR',
  });
}

function readObject(object: customNode.ObjectMeta, where: string, problems: string[], remarks: string[]): void {
  if (object.label === '') remarks.push(`${where} has no label`);
  readConfidence(object.confidence, where, problems);
  readTime(object.timestamp, where, problems);
  for (const attribute of object.attributes)
    readConfidence(attribute.confidence, `${where} attribute "${attribute.name}"`, problems);
  const box = object.bbox;
  if (box === undefined) return;
  const { l, t, w, h } = box;
  if (![l, t, w, h].every(Number.isFinite)) problems.push(`${where}.bbox is ${l}, ${t}, ${w}, ${h}`);
  else if (w < 0 || h < 0) problems.push(`${where}.bbox has a negative size: ${w} x ${h}`);
  else if (Math.max(Math.abs(l), Math.abs(t), w, h) > 4)
    problems.push(`${where}.bbox is ${l}, ${t}, ${w}, ${h}: boxes are fractions 0..1 of the frame, not pixels`);
  else if (l < 0 || t < 0 || l + w > 1.0001 || t + h > 1.0001) remarks.push(`${where}.bbox leaves the frame`);
}

function readConfidence(value: number, where: string, problems: string[]): void {
  if (!(value >= 0 && value <= 1.00001)) problems.push(`${where}.confidence is ${value}; it is 0..1`);
}

function readTime(time: customNode.Timestamp | undefined, where: string, problems: string[]): void {
  if (time !== undefined && (time.nanos < 0 || time.nanos > 999_999_999))
    problems.push(`${where}.timestamp.nanos is ${time.nanos}; it is 0..999999999`);
}
