import { Canvas } from '@vantage/vision';
import type { PlanarPicture } from './frame-painter.ts';

/** Of the contract (deepstream-accelerator D.3): whatever is in it. */
export const MOSAIC_WIDTH = 1280;
export const MOSAIC_HEIGHT = 720;
export const MOSAIC_BYTES = (MOSAIC_WIDTH * MOSAIC_HEIGHT * 3) / 2;

/** Pixels of the whole picture; all even. */
export interface Tile {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Black, with limited range. */
const BLACK_LUMA = 16;
const GREY = 128;
const DARK = [28, 30, 34] as const;
const NAME = [200, 204, 210] as const;
/** Pixels of a letter and the gap behind it, for one dot of {@link Canvas.textSize}. */
const LETTER = 6;

/** Where the tiles of so many cameras are: as many columns as rows, or one more; row by row (contract D.3). */
export function tilesOf(count: number): Tile[] {
  const rows = Math.max(1, Math.floor(Math.sqrt(count)));
  const columns = Math.ceil(count / rows);
  const width = 2 * Math.floor(MOSAIC_WIDTH / columns / 2);
  const height = 2 * Math.floor(MOSAIC_HEIGHT / rows / 2);
  return Array.from({ length: count }, (_, at) => ({
    ...{ left: (at % columns) * width, top: Math.floor(at / columns) * height },
    ...{ width, height },
  }));
}

/** Nothing anywhere. @param data of a whole picture */
export function clearMosaic(data: Uint8Array): void {
  data.fill(BLACK_LUMA, 0, MOSAIC_WIDTH * MOSAIC_HEIGHT);
  data.fill(GREY, MOSAIC_WIDTH * MOSAIC_HEIGHT);
}

/** Puts a picture into the middle of a tile. @param picture not larger than the tile */
export function putTile(data: Uint8Array, tile: Tile, picture: PlanarPicture): void {
  const { width, height } = picture;
  const left = tile.left + 2 * Math.floor((tile.width - width) / 4);
  const top = tile.top + 2 * Math.floor((tile.height - height) / 4);
  let to = 0;
  let from = 0;
  for (const half of [0, 1, 1]) {
    const across = width >> half;
    const stride = MOSAIC_WIDTH >> half;
    let at = to + (top >> half) * stride + (left >> half);
    for (let row = 0; row < height >> half; row += 1) {
      data.set(picture.data.subarray(from, from + across), at);
      at += stride;
      from += across;
    }
    to += stride * (MOSAIC_HEIGHT >> half);
  }
}

/** A tile without a picture says so. */
export function putNothing(data: Uint8Array, tile: Tile, name: string): void {
  const canvas = new Canvas({ data, width: MOSAIC_WIDTH, height: MOSAIC_HEIGHT, format: 'yuv420p' });
  const { left, top, width, height } = tile;
  canvas.fill(left + 2, top + 2, width - 4, height - 4, DARK);
  const letter = LETTER * canvas.textSize;
  const room = Math.floor((width - 8) / letter);
  for (const [line, text] of [name, 'no picture'].entries()) {
    const shown = [...text].slice(0, room).join('');
    const x = left + (width - [...shown].length * letter) / 2;
    canvas.label(shown, x, top + height / 2 + (line - 1) * canvas.lineHeight, NAME);
  }
}
