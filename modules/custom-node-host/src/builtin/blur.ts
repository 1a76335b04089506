import { z } from 'zod';
import type { JsonObject } from '@vantage/contracts';
import {
  CustomNode,
  toSharp,
  type NodeAnswer,
  type NodeBox,
  type NodeDescription,
  type NodeFrame,
} from '@vantage/custom-node';
import { readSettings } from './settings.ts';

const CHANNELS = 3;
/** A region becomes so many patches along its longer side: too few to tell who it is. */
const PATCHES = 6;

const schema = z.object({
  /** Objects whose boxes are blurred; `["*"]`: all of them. Absent: the whole picture. */
  labels: z.array(z.string().min(1).max(256)).max(256).optional(),
  minConfidence: z.number().min(0).max(1).default(0),
  /** How much larger than the box, as a part of its sides: detectors cut hair and chins off. */
  margin: z.number().min(0).max(1).default(0.15),
});

interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * For privacy: makes what upstream nodes have found, or the whole picture, unrecognisable. A region is reduced to a few
 * patches and blown up again, so that nothing of it can be brought back, unlike with a mild blur.
 */
export class Blur extends CustomNode {
  readonly #settings: z.output<typeof schema>;

  constructor(settings: JsonObject) {
    super();
    this.#settings = readSettings('blur', schema, settings);
  }

  override describe(): NodeDescription {
    return { image: 'numpy', response: 'image' };
  }

  override async process(frame: NodeFrame): Promise<NodeAnswer | undefined> {
    const { pixels, width, height, colorFormat } = frame;
    if (pixels === undefined) return undefined;
    // One after the other: boxes may overlap, and each reads what the one before wrote.
    for (const rectangle of this.#rectangles(frame)) await blur(pixels, width, rectangle);
    return { image: { width, height, colorFormat, pixels } };
  }

  #rectangles({ width, height, insights }: NodeFrame): Rectangle[] {
    const { labels, minConfidence, margin } = this.#settings;
    if (labels === undefined) return [{ left: 0, top: 0, width, height }];
    const isMeant = (label: string): boolean => labels.includes('*') || labels.includes(label);
    return insights.objects.flatMap(({ label, confidence, bbox }) => {
      if (bbox === undefined || confidence < minConfidence || !isMeant(label)) return [];
      const rectangle = toPixels(bbox, margin, width, height);
      return rectangle.width > 0 && rectangle.height > 0 ? [rectangle] : [];
    });
  }
}

/** Rounded outwards, within the picture. */
function toPixels({ l, t, w, h }: NodeBox, margin: number, width: number, height: number): Rectangle {
  const clamp = (value: number, most: number): number => Math.min(most, Math.max(0, value));
  const left = clamp(Math.floor((l - w * margin) * width), width);
  const top = clamp(Math.floor((t - h * margin) * height), height);
  const right = clamp(Math.ceil((l + w + w * margin) * width), width);
  const bottom = clamp(Math.ceil((t + h + h * margin) * height), height);
  return { left, top, width: right - left, height: bottom - top };
}

async function blur(pixels: Buffer, pictureWidth: number, { left, top, width, height }: Rectangle): Promise<void> {
  const rowBytes = width * CHANNELS;
  const region = Buffer.allocUnsafe(rowBytes * height);
  const at = (row: number): number => ((top + row) * pictureWidth + left) * CHANNELS;
  for (let row = 0; row < height; row += 1) pixels.copy(region, row * rowBytes, at(row), at(row) + rowBytes);
  const scale = PATCHES / Math.max(width, height);
  const size = (side: number): number => Math.max(1, Math.min(side, Math.round(side * scale)));
  // The three channels are treated alike, so their order does not matter to sharp.
  const few = await toSharp({ width, height, colorFormat: 'RGB', pixels: region })
    .resize(size(width), size(height), { fit: 'fill', kernel: 'linear' })
    .raw()
    .toBuffer();
  const back = await toSharp({ width: size(width), height: size(height), colorFormat: 'RGB', pixels: few })
    .resize(width, height, { fit: 'fill', kernel: 'linear' })
    .raw()
    .toBuffer();
  for (let row = 0; row < height; row += 1) back.copy(pixels, at(row), row * rowBytes, (row + 1) * rowBytes);
}
