/**
 * Runs a model as it is, fed with floats made here, and with preprocessing in front of it, fed with the same picture as
 * bytes; prints how far the outputs are apart. A process of its own: ONNX Runtime does not work in Jest's realm.
 */
import { readFileSync } from 'node:fs';
import ort from 'onnxruntime-node';
import { foldFocus, prependPreprocessing, readOnnx, type Preprocessing } from '../src/index.ts';

export interface Task {
  readonly file: string;
  readonly wish: Omit<Preprocessing, 'mean'> & { readonly withMean?: boolean };
  /** Sizes for open dimensions, by place. */
  readonly dims: readonly number[];
  /** Without its focus, too. */
  readonly fold?: boolean;
}

export interface Outcome {
  /** Largest difference of any number in any output, and the largest number there is. */
  readonly apart: number;
  readonly largest: number;
  readonly outputs: number;
  readonly input: string;
}

const { file, wish, dims, fold } = JSON.parse(process.argv[2] ?? '') as Task;
const session = { executionProviders: ['cpu'], logSeverityLevel: 3, intraOpNumThreads: 1 } as const;
const bytes = readFileSync(file);
const [batch, height, width] = dims as [number, number, number];
const plane = height * width;

/** A picture in the order R, G, B, the same in every run. */
const rgb = Uint8Array.from({ length: batch * 3 * plane }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 16) & 0xff);
const mean = wish.withMean ? Float32Array.from({ length: 3 * plane }, (_, i) => (i % 97) / 3) : undefined;
const pixel = (picture: number, channel: string, at: number): number =>
  rgb[(picture * 3 + 'RGB'.indexOf(channel)) * plane + at] as number;

/** The element at an index of a tensor of pictures, planar or packed. */
function written<T extends Uint8Array | Float32Array>(
  out: T,
  packed: boolean,
  value: (picture: number, channel: number, at: number) => number,
): T {
  for (let picture = 0; picture < batch; picture += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      for (let at = 0; at < plane; at += 1) {
        const place = packed ? at * 3 + channel : channel * plane + at;
        out[picture * 3 * plane + place] = value(picture, channel, at);
      }
    }
  }
  return out;
}

const fed = written(new Uint8Array(rgb.length), wish.fed.layout === 'packed', (picture, channel, at) =>
  pixel(picture, wish.fed.channels[channel] as string, at),
);
const floats = written(new Float32Array(rgb.length), wish.wanted.layout === 'NHWC', (picture, channel, at) => {
  const offset = mean ? (mean[channel * plane + at] as number) : (wish.offsets[channel] as number);
  return wish.scale * (pixel(picture, wish.wanted.channels[channel] as string, at) - offset);
});

const shape = (packed: boolean): number[] => (packed ? [batch, height, width, 3] : [batch, 3, height, width]);
const type = readOnnx(bytes, file).inputs.find(({ name }) => name === wish.input)?.type;
const original = await ort.InferenceSession.create(bytes, session);
const plain =
  type === 'float16'
    ? new ort.Tensor('float16', toHalf(floats), shape(wish.wanted.layout === 'NHWC'))
    : new ort.Tensor('float32', floats, shape(wish.wanted.layout === 'NHWC'));
const expected = await original.run({ [wish.input]: plain });

const made = prependPreprocessing(fold ? (foldFocus(bytes) ?? new Uint8Array(0)) : bytes, file, {
  ...wish,
  ...(mean ? { mean } : {}),
});
const edited = await ort.InferenceSession.create(made.bytes, session);
const picture = new ort.Tensor('uint8', fed, shape(wish.fed.layout === 'packed'));
const got = await edited.run({ [made.input.name]: picture });

let apart = 0;
let largest = 0;
for (const name of original.outputNames) {
  const [want, have] = [numbers(expected[name]), numbers(got[name])];
  if (want.length !== have.length || want.length === 0) throw new Error(`${name}: ${want.length}, ${have.length}`);
  for (let i = 0; i < want.length; i += 1) {
    apart = Math.max(apart, Math.abs((want[i] as number) - (have[i] as number)));
    largest = Math.max(largest, Math.abs(want[i] as number));
  }
}
const input = `${made.input.name} ${made.input.type} [${(made.input.dims ?? []).join(',')}]`;
const outcome: Outcome = { apart, largest, outputs: original.outputNames.length, input };
process.stdout.write(JSON.stringify(outcome));

function numbers(tensor: ort.Tensor | undefined): ArrayLike<number> {
  const data = tensor?.data as Float32Array | Uint16Array | undefined;
  return data instanceof Uint16Array ? Float32Array.from(data, fromHalf) : (data ?? []);
}

/** IEEE 754 binary16, round to nearest even for the normal numbers that pixels become. */
function toHalf(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (b) => {
    const exponent = ((b >>> 23) & 0xff) - 112;
    if (exponent <= 0) return 0;
    const half = (exponent << 10) | ((b >>> 13) & 0x3ff);
    const rest = b & 0x1fff;
    const up = rest > 0x1000 || (rest === 0x1000 && (half & 1) === 1) ? 1 : 0;
    return ((b >>> 16) & 0x8000) | (half + up);
  });
}

function fromHalf(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
}
