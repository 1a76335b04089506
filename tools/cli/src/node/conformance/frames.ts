import { customNode } from '@vantage/contracts';
import { encodePicture, timeFromMs, type NodePicture } from '@vantage/custom-node';
import type { Wants } from './check.ts';

/** A fixed moment, so that every run sends the same bytes. */
const CAPTURE_MS = Date.UTC(2026, 0, 1);

export interface FrameOptions {
  readonly frameId?: number;
  readonly insights?: Partial<customNode.InsightsMeta>;
  readonly roi?: customNode.Roi;
}

/** A slanted ramp with a plain area in it: every row and column differs from its neighbour. BGR. */
export function testPicture(width: number, height: number): NodePicture {
  const ramp = Buffer.allocUnsafe((width + height) * 3);
  for (let at = 0; at < width + height; at++) ramp.set([at & 0xff, (at * 2) & 0xff, 255 - (at & 0xff)], at * 3);
  const pixels = Buffer.allocUnsafe(width * height * 3);
  const stride = width * 3;
  for (let y = 0; y < height; y++) {
    ramp.copy(pixels, y * stride, y * 3, y * 3 + stride);
    if (y > height / 4 && y < height / 2)
      pixels.fill(220, y * stride + (width >> 2) * 3, y * stride + (width >> 1) * 3);
  }
  return { width, height, colorFormat: 'BGR', pixels };
}

/** A frame as our client sends it to a node that wants what `wants` says. */
export async function frameFor(
  wants: Wants,
  picture: NodePicture,
  { frameId = 0, insights, roi }: FrameOptions = {},
): Promise<customNode.Frame> {
  const payload = wants.withImage ? await encodePicture(picture, wants.encoding) : new Uint8Array(0);
  const time = CAPTURE_MS + frameId * 40;
  return {
    image: imageOf(payload, picture.width, picture.height),
    insightsMeta: customNode.InsightsMeta.fromPartial(insights ?? {}),
    timestamp: timeFromMs(time),
    roi,
    frameId: String(frameId),
    datetime: new Date(time).toISOString().replace('Z', '+00:00'),
  };
}

/** An image message that says it is of that size. */
export function imageOf(bytes: Uint8Array, width: number, height: number): customNode.Image {
  return {
    imagePointer: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    properties: {
      width: BigInt(width),
      height: BigInt(height),
      colorFormat: customNode.ColorFormat.COLOR_FORMAT_BGR,
    },
  };
}

/** An object as a detector upstream would have found it. */
export function upstreamObject(label: string, at = 0): customNode.ObjectMeta {
  return customNode.ObjectMeta.fromPartial({
    timestamp: timeFromMs(CAPTURE_MS),
    label,
    confidence: 0.75,
    inferenceId: `upstream-${at}`,
    attributes: [{ name: 'colour', label: 'red', confidence: 0.5 }],
    bbox: { l: (at % 10) / 10, t: (Math.floor(at / 10) % 10) / 10, w: 0.1, h: 0.1 },
    trackingInfo: { trackingId: String(at), speed: 1, direction: { x: 1, y: 0 } },
  });
}
