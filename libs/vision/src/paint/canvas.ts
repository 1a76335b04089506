import type { Box, Mask, Point } from '../detection.ts';
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphOf } from './glyphs.ts';
import { channelsOf, inkOf, pictureBytes, type Channel, type PixelFormat, type Rgb } from './layout.ts';

/** A picture that is painted on: its bytes are changed in place, and belong to the caller. */
export interface PaintedPicture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly format: PixelFormat;
}

/** A picture may be painted over so many times; what comes after that is left out. */
const MAX_COATS = 16;
const MAX_LABEL_CHARACTERS = 120;
const MAX_CORNERS = 1000;
/** Samples that are written faster one by one than by `fill`: strokes of letters. */
const SHORT = 24;
/** Coordinates further out are taken for this: sums of them stay numbers. */
const FAR = 1e9;

/**
 * Paints into 8-bit pictures, packed or planar. What lies outside of the picture is left out, and so is what has a
 * coordinate that is not a number. Work is bounded, whatever is asked for.
 *
 * Coordinates are pixels, origin top left; a rectangle from 0 to the width covers the whole row.
 */
export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly #data: Uint8Array;
  readonly #format: PixelFormat;
  readonly #channels: readonly Channel[];
  #budget: number;

  /** @throws RangeError when the bytes are too few for the picture */
  constructor({ data, width, height, format }: PaintedPicture) {
    if (data.length < pictureBytes(format, width, height)) {
      throw new RangeError(`${data.length} bytes are no picture of ${width}x${height} in ${format}`);
    }
    this.#data = data;
    this.width = width;
    this.height = height;
    this.#format = format;
    this.#channels = channelsOf(format, width, height);
    this.#budget = MAX_COATS * width * height;
  }

  /** Pixels that one dot of a letter takes: letters are legible at any size of the picture. */
  get textSize(): number {
    return Math.max(1, Math.round(Math.min(this.width, this.height) / 400));
  }

  /** Height in pixels of a label's bar. */
  get lineHeight(): number {
    return (GLYPH_HEIGHT + 2) * this.textSize;
  }

  /** @param share how much of the colour, 0 to 1 */
  fill(left: number, top: number, width: number, height: number, colour: Rgb, share = 1): void {
    const area = this.#clip(left, top, width, height);
    if (area) this.#paint(area, inkOf(this.#format, colour), share);
  }

  /** The edges of a rectangle, inside of it. */
  frame(left: number, top: number, width: number, height: number, thickness: number, colour: Rgb): void {
    const across = Math.min(thickness, width);
    const down = Math.min(thickness, height);
    this.fill(left, top, width, down, colour);
    this.fill(left, top + height - down, width, down, colour);
    this.fill(left, top + down, across, height - 2 * down, colour);
    this.fill(left + width - across, top + down, across, height - 2 * down, colour);
  }

  /** A line with square ends. */
  line(from: Point, to: Point, thickness: number, colour: Rgb): void {
    const part = this.#visible(from, to, thickness);
    if (!part || this.#budget <= 0) return;
    const [x0, y0, x1, y1] = part;
    const steps = Math.max(1, Math.ceil(Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0))));
    const ink = inkOf(this.#format, colour);
    for (let step = 0; step <= steps; step += 1) {
      const x = Math.floor(x0 + ((x1 - x0) * step) / steps - (thickness - 1) / 2);
      const y = Math.floor(y0 + ((y1 - y0) * step) / steps - (thickness - 1) / 2);
      const area = this.#clip(x, y, thickness, thickness);
      if (area) this.#paint(area, ink, 1);
    }
  }

  /** The edges of a polygon, closed. */
  polygon(corners: readonly Point[], thickness: number, colour: Rgb): void {
    const few = corners.slice(0, MAX_CORNERS);
    for (const [index, corner] of few.entries()) {
      const next = few[(index + 1) % few.length];
      if (next) this.line(corner, next, thickness, colour);
    }
  }

  /** Letters on a bar of the colour; inside of the picture where there is room. */
  label(text: string, left: number, top: number, colour: Rgb): void {
    if (this.#budget <= 0 || !Number.isFinite(left) || !Number.isFinite(top)) return;
    const size = this.textSize;
    const characters = [...text].slice(0, MAX_LABEL_CHARACTERS);
    const width = (characters.length * (GLYPH_WIDTH + 1) + 1) * size;
    const x = Math.max(0, Math.min(Math.round(left), this.width - width));
    const y = Math.max(0, Math.min(Math.round(top), this.height - this.lineHeight));
    this.fill(x, y, width, this.lineHeight, colour);
    const [red, green, blue] = colour;
    const ink: Rgb = 0.3 * red + 0.6 * green + 0.1 * blue > 128 ? [0, 0, 0] : [255, 255, 255];
    const samples = inkOf(this.#format, ink);
    for (const [at, character] of characters.entries()) {
      const glyph = glyphOf(character);
      for (let column = 0; column < GLYPH_WIDTH; column += 1) {
        const dotX = x + (at * (GLYPH_WIDTH + 1) + column + 1) * size;
        let bits = glyph[column] ?? 0;
        for (let row = 0; bits !== 0; row += 1, bits >>= 1) {
          if ((bits & 1) === 0) continue;
          // One stroke for dots below each other.
          let length = 1;
          for (; (bits & 2) !== 0; length += 1) bits >>= 1;
          const stroke = this.#clip(dotX, y + (row + 1) * size, size, length * size);
          if (stroke) this.#paint(stroke, samples, 1);
          row += length - 1;
        }
      }
    }
  }

  /** Tints the cells of a grid, stretched over a part of the picture, in the colours they have. */
  tint(
    grid: { readonly width: number; readonly height: number },
    box: Box,
    colourOf: (cell: number) => Rgb | undefined,
  ): void {
    const area = this.#clip(box.left, box.top, box.width, box.height);
    if (!area || this.#budget <= 0 || !(grid.width > 0 && grid.height > 0)) return;
    for (let y = area.y0; y < area.y1; y += 1) {
      const row = cellAt(y, box.top, box.height, grid.height);
      // One stretch of a row for each run of cells with the same colour.
      let from = area.x0;
      let colour = colourOf(row * grid.width + cellAt(from, box.left, box.width, grid.width));
      for (let x = area.x0 + 1; x <= area.x1; x += 1) {
        const next = x < area.x1 ? colourOf(row * grid.width + cellAt(x, box.left, box.width, grid.width)) : undefined;
        if (next === colour && x < area.x1) continue;
        if (colour) this.#paint({ x0: from, y0: y, x1: x, y1: y + 1 }, inkOf(this.#format, colour), 0.45);
        from = x;
        colour = next;
      }
      this.#budget -= area.x1 - area.x0;
      if (this.#budget <= 0) return;
    }
  }

  mask(mask: Mask, box: Box, colour: Rgb): void {
    this.tint(mask, box, (cell) => ((mask.data[cell] ?? 0) >= 128 ? colour : undefined));
  }

  #clip(left: number, top: number, width: number, height: number): Area | undefined {
    const x0 = Math.max(0, Math.round(left));
    const y0 = Math.max(0, Math.round(top));
    const x1 = Math.min(this.width, Math.round(left + width));
    const y1 = Math.min(this.height, Math.round(top + height));
    // False for what is not a number, too.
    return x1 > x0 && y1 > y0 ? { x0, y0, x1, y1 } : undefined;
  }

  /** The part of a line that is in the picture (Liang and Barsky, 1984), with room for its thickness. */
  #visible(from: Point, to: Point, thickness: number): [number, number, number, number] | undefined {
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = [from.x, from.y, to.x, to.y].map((one) =>
      Math.max(-FAR, Math.min(FAR, one)),
    );
    const dx = x1 - x0;
    const dy = y1 - y0;
    if (!Number.isFinite(dx) || !Number.isFinite(dy)) return undefined;
    let first = 0;
    let last = 1;
    const edges = [
      [-dx, x0 + thickness],
      [dx, this.width + thickness - x0],
      [-dy, y0 + thickness],
      [dy, this.height + thickness - y0],
    ] as const;
    for (const [towards, distance] of edges) {
      if (towards === 0) {
        if (distance < 0) return undefined;
      } else if (towards < 0) first = Math.max(first, distance / towards);
      else last = Math.min(last, distance / towards);
    }
    return first > last ? undefined : [x0 + first * dx, y0 + first * dy, x0 + last * dx, y0 + last * dy];
  }

  #paint(area: Area, ink: Rgb, share: number): void {
    this.#budget -= (area.x1 - area.x0) * (area.y1 - area.y0);
    if (this.#budget <= 0) return;
    for (let at = 0; at < 3; at += 1) {
      const channel = this.#channels[at];
      if (channel) this.#paintChannel(channel, area, ink[at] ?? 0, share);
    }
  }

  #paintChannel({ offset, step, stride, shift }: Channel, area: Area, ink: number, share: number): void {
    const data = this.#data;
    // A sample that pixels share is mixed once: with the first of them.
    const up = share < 1 ? shift : 0;
    const x0 = (area.x0 + up) >> shift;
    const x1 = ((area.x1 - 1) >> shift) + 1;
    const y1 = ((area.y1 - 1) >> shift) + 1;
    for (let y = (area.y0 + up) >> shift; y < y1; y += 1) {
      const begin = offset + y * stride + x0 * step;
      const end = offset + y * stride + x1 * step;
      if (share < 1) {
        for (let i = begin; i < end; i += step) data[i] = Math.round((data[i] ?? 0) + share * (ink - (data[i] ?? 0)));
      } else if (step === 1 && end - begin > SHORT) data.fill(ink, begin, end);
      else for (let i = begin; i < end; i += step) data[i] = ink;
    }
  }
}

/** Whole pixels, end exclusive, inside of the picture and not empty. */
interface Area {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

function cellAt(pixel: number, start: number, length: number, cells: number): number {
  return Math.max(0, Math.min(cells - 1, Math.floor(((pixel + 0.5 - start) * cells) / length)));
}
