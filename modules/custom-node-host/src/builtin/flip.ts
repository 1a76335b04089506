import { z } from 'zod';
import type { JsonObject } from '@vantage/contracts';
import { CustomNode, type NodeAnswer, type NodeDescription, type NodeFrame } from '@vantage/custom-node';
import { readSettings } from './settings.ts';

const CHANNELS = 3;

const schema = z.object({ axis: z.enum(['horizontal', 'vertical', 'both']).default('horizontal') });

/** Turns pictures over: left and right (`horizontal`), top and bottom (`vertical`). Objects from before stay where they are. */
export class Flip extends CustomNode {
  readonly #axis: z.output<typeof schema>['axis'];

  constructor(settings: JsonObject) {
    super();
    this.#axis = readSettings('flip', schema, settings).axis;
  }

  override describe(): NodeDescription {
    return { image: 'numpy', response: 'image' };
  }

  override process({ pixels, width, height, colorFormat }: NodeFrame): NodeAnswer | undefined {
    if (pixels === undefined) return undefined;
    if (this.#axis !== 'vertical') for (let y = 0; y < height; y += 1) mirrorRow(pixels, y * width * CHANNELS, width);
    if (this.#axis !== 'horizontal') turnRows(pixels, width * CHANNELS, height);
    return { image: { width, height, colorFormat, pixels } };
  }
}

function mirrorRow(pixels: Uint8Array, start: number, width: number): void {
  let left = start;
  let right = start + (width - 1) * CHANNELS;
  for (; left < right; left += CHANNELS, right -= CHANNELS) {
    for (let channel = 0; channel < CHANNELS; channel += 1) {
      const byte = pixels[left + channel] ?? 0;
      pixels[left + channel] = pixels[right + channel] ?? 0;
      pixels[right + channel] = byte;
    }
  }
}

function turnRows(pixels: Buffer, rowBytes: number, height: number): void {
  const row = Buffer.allocUnsafe(rowBytes);
  for (let top = 0, bottom = height - 1; top < bottom; top += 1, bottom -= 1) {
    pixels.copy(row, 0, top * rowBytes, (top + 1) * rowBytes);
    pixels.copyWithin(top * rowBytes, bottom * rowBytes, (bottom + 1) * rowBytes);
    row.copy(pixels, bottom * rowBytes);
  }
}
