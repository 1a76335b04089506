import { customNode } from '@vantage/contracts';
import type { ColorFormat, FrameFacts, NodeInsights } from '../types.ts';
import { insightsToWire, roiToWire } from './insights.ts';
import { WireMessage, type Payload } from './message.ts';

/** Size in pixels and colours of what the payload shows. */
export interface PictureFacts {
  readonly width: number;
  readonly height: number;
  readonly colorFormat: ColorFormat;
}

const NOTHING = new Uint8Array(0);
const LENGTH_DELIMITED = 2;

/**
 * A `ProcessRequest` around its picture, byte by byte what ts-proto would write, without its copies.
 *
 * @param picture what the payload shows; `payload` may be empty (no pixels travel) while the properties stay
 */
export function encodeProcessRequest(
  seq: bigint,
  frame: FrameFacts,
  picture: PictureFacts,
  payload: Payload = NOTHING,
): WireMessage {
  const rest = customNode.Frame.encode({
    image: undefined,
    insightsMeta: insightsToWire(frame.insights),
    timestamp: { seconds: frame.timestamp.seconds, nanos: frame.timestamp.nanos },
    roi: frame.roi === undefined ? undefined : roiToWire(frame.roi),
    frameId: frame.frameId,
    datetime: frame.datetime,
  }).finish();
  const properties = encodeProperties(picture);
  const image = imageLength(payload, properties);
  const frameLength = fieldLength(image) + rest.length;
  const head = concat(
    customNode.ProcessRequest.encode({ seq, frame: undefined }).finish(),
    fieldHeader(2, frameLength),
    fieldHeader(1, image),
    payloadHeader(payload),
  );
  return new WireMessage(head, payload, concat(properties, rest));
}

/** A `ProcessResponse`, in the same way. Without a picture: ack and insights alone. */
export function encodeProcessResponse(
  ack: bigint,
  insights: NodeInsights | undefined,
  picture?: PictureFacts,
  payload: Payload = NOTHING,
): WireMessage {
  const before = customNode.ProcessResponse.encode({ ack, image: undefined, insightsMeta: undefined }).finish();
  const after =
    insights === undefined
      ? NOTHING
      : customNode.ProcessResponse.encode({
          ack: 0n,
          image: undefined,
          insightsMeta: insightsToWire(insights),
        }).finish();
  if (picture === undefined) return new WireMessage(before, NOTHING, after);
  const properties = encodeProperties(picture);
  const head = concat(before, fieldHeader(2, imageLength(payload, properties)), payloadHeader(payload));
  return new WireMessage(head, payload, concat(properties, after));
}

/** Field 2 of an `Image`, with its header. */
function encodeProperties({ width, height, colorFormat }: PictureFacts): Uint8Array {
  const { COLOR_FORMAT_BGR, COLOR_FORMAT_RGB } = customNode.ColorFormat;
  const bytes = customNode.ImageProperties.encode({
    width: BigInt(width),
    height: BigInt(height),
    colorFormat: colorFormat === 'RGB' ? COLOR_FORMAT_RGB : COLOR_FORMAT_BGR,
  }).finish();
  return concat(fieldHeader(2, bytes.length), bytes);
}

function imageLength(payload: Payload, properties: Uint8Array): number {
  return (payload.length === 0 ? 0 : fieldLength(payload.length)) + properties.length;
}

/** proto3 leaves an empty `image_pointer` out. */
function payloadHeader(payload: Payload): Uint8Array {
  return payload.length === 0 ? NOTHING : fieldHeader(1, payload.length);
}

/** Tag and length of a length-delimited field (field numbers below 16). */
function fieldHeader(field: number, length: number): Uint8Array {
  const bytes = [(field << 3) | LENGTH_DELIMITED];
  let rest = length;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** Of a whole length-delimited field, header included. */
function fieldLength(length: number): number {
  return fieldHeader(1, length).length + length;
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}
