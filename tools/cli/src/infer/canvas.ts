import type { Mask } from '@vantage/vision';
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphOf } from './glyphs.ts';

export type Rgb = readonly [red: number, green: number, blue: number];

/** Draws into packed RGB pixels. What lies outside of the picture is left out. */
export class Canvas {
  readonly pixels: Buffer;
  readonly width: number;
  readonly height: number;

  constructor(pixels: Buffer, width: number, height: number) {
    this.pixels = pixels;
    this.width = width;
    this.height = height;
  }

  /** @param share how much of the colour, 0 to 1 */
  fill(left: number, top: number, width: number, height: number, colour: Rgb, share = 1): void {
    const x1 = Math.min(this.width, Math.round(left + width));
    const y1 = Math.min(this.height, Math.round(top + height));
    for (let y = Math.max(0, Math.round(top)); y < y1; y += 1) {
      for (let x = Math.max(0, Math.round(left)); x < x1; x += 1) this.#mix((y * this.width + x) * 3, colour, share);
    }
  }

  frame(left: number, top: number, width: number, height: number, thickness: number, colour: Rgb): void {
    this.fill(left, top, width, thickness, colour);
    this.fill(left, top + height - thickness, width, thickness, colour);
    this.fill(left, top, thickness, height, colour);
    this.fill(left + width - thickness, top, thickness, height, colour);
  }

  /** Letters on a bar of the colour; inside of the picture where there is room. */
  label(text: string, left: number, top: number, size: number, colour: Rgb): void {
    const height = (GLYPH_HEIGHT + 2) * size;
    const characters = [...text];
    const width = (characters.length * (GLYPH_WIDTH + 1) + 1) * size;
    const x = Math.max(0, Math.min(Math.round(left), this.width - width));
    const y = Math.max(0, Math.min(Math.round(top), this.height - height));
    this.fill(x, y, width, height, colour);
    const [red, green, blue] = colour;
    const ink: Rgb = 0.3 * red + 0.6 * green + 0.1 * blue > 128 ? [0, 0, 0] : [255, 255, 255];
    for (const [at, character] of characters.entries()) {
      for (const [column, bits] of glyphOf(character).entries()) {
        for (let row = 0; row < GLYPH_HEIGHT; row += 1) {
          if ((bits & (1 << row)) === 0) continue;
          this.fill(x + (at * (GLYPH_WIDTH + 1) + column + 1) * size, y + (row + 1) * size, size, size, ink);
        }
      }
    }
  }

  /** Tints the cells of a grid, stretched over a part of the picture, in the colours they have. */
  tint(
    grid: { readonly width: number; readonly height: number },
    box: { readonly left: number; readonly top: number; readonly width: number; readonly height: number },
    colourOf: (cell: number) => Rgb | undefined,
  ): void {
    const y1 = Math.min(this.height, Math.round(box.top + box.height));
    const x1 = Math.min(this.width, Math.round(box.left + box.width));
    for (let y = Math.max(0, Math.round(box.top)); y < y1; y += 1) {
      const row = Math.min(grid.height - 1, Math.floor(((y + 0.5 - box.top) * grid.height) / box.height));
      for (let x = Math.max(0, Math.round(box.left)); x < x1; x += 1) {
        const column = Math.min(grid.width - 1, Math.floor(((x + 0.5 - box.left) * grid.width) / box.width));
        const colour = colourOf(Math.max(0, row) * grid.width + Math.max(0, column));
        if (colour) this.#mix((y * this.width + x) * 3, colour, 0.45);
      }
    }
  }

  mask(mask: Mask, box: Parameters<Canvas['tint']>[1], colour: Rgb): void {
    this.tint(mask, box, (cell) => ((mask.data[cell] ?? 0) >= 128 ? colour : undefined));
  }

  #mix(at: number, colour: Rgb, share: number): void {
    for (let channel = 0; channel < 3; channel += 1) {
      const old = this.pixels[at + channel] ?? 0;
      this.pixels[at + channel] = Math.round(old + share * ((colour[channel] ?? 0) - old));
    }
  }
}
