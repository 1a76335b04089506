import { describe, expect, test } from '@jest/globals';
import { TensorWriter, fillPad, tensorLength, type TensorLayout, type TensorNormalisation } from './tensor.ts';

/** Red, green and blue of the picture of the tests, which is 2 by 2. */
const RED = [10, 11, 12, 13];
const GREEN = [20, 21, 22, 23];
const BLUE = [30, 31, 32, 33];
const GBRP = Uint8Array.from([...GREEN, ...BLUE, ...RED]);

const PLAIN: TensorNormalisation = { scale: 1, offsets: [0, 0, 0] };
const NORMALISED: TensorNormalisation = { scale: 0.5, offsets: [1, 2, 3] };

function written(layout: TensorLayout, norm: TensorNormalisation, padValue: number): number[] {
  const out = new Float32Array(tensorLength(layout));
  fillPad(out, padValue, layout, norm);
  new TensorWriter(layout, norm).write(GBRP, 2, 2, out);
  return [...out];
}

/** What the tensor must hold, pixel by pixel. */
function expected(layout: TensorLayout, norm: TensorNormalisation, padValue: number): number[] {
  const planes = layout.order === 'RGB' ? [RED, GREEN, BLUE] : [BLUE, GREEN, RED];
  const { networkWidth: width, networkHeight: height } = layout;
  const out = new Array<number>(3 * width * height);
  for (let channel = 0; channel < 3; channel += 1) {
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const [px, py] = [x - layout.offsetX, y - layout.offsetY];
        const inside = px >= 0 && px < 2 && py >= 0 && py < 2;
        const value = inside ? planes[channel]![py * 2 + px]! : padValue;
        const at = layout.layout === 'NCHW' ? channel * width * height + y * width + x : (y * width + x) * 3 + channel;
        out[at] = norm.scale * (value - norm.offsets[channel]!);
      }
    }
  }
  return out;
}

describe('TensorWriter', () => {
  const shapes: TensorLayout[] = [];
  for (const layout of ['NCHW', 'NHWC'] as const) {
    for (const order of ['RGB', 'BGR'] as const) {
      shapes.push({ networkWidth: 2, networkHeight: 2, offsetX: 0, offsetY: 0, order, layout });
      shapes.push({ networkWidth: 2, networkHeight: 4, offsetX: 0, offsetY: 1, order, layout });
      shapes.push({ networkWidth: 5, networkHeight: 3, offsetX: 2, offsetY: 1, order, layout });
    }
  }
  test.each(shapes)('$layout $order $networkWidth x $networkHeight at $offsetX, $offsetY', (layout) => {
    for (const norm of [PLAIN, NORMALISED]) {
      expect(written(layout, norm, 114)).toEqual(expected(layout, norm, 114));
      const out = new Float32Array(tensorLength(layout));
      fillPad(out, 114, layout, norm);
      const rgb = Uint8Array.from(RED.flatMap((red, i) => [red, GREEN[i]!, BLUE[i]!]));
      new TensorWriter(layout, norm).writePacked(rgb, 'rgb24', 2, 2, out);
      expect([...out]).toEqual(expected(layout, norm, 114));
      const bgr = Uint8Array.from(RED.flatMap((red, i) => [BLUE[i]!, GREEN[i]!, red]));
      new TensorWriter(layout, norm).writePacked(bgr, 'bgr24', 2, 2, out);
      expect([...out]).toEqual(expected(layout, norm, 114));
    }
  });
});
