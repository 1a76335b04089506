import { describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { prependPreprocessing, readOnnx, type Preprocessing } from '../src/index.ts';
import { MODELS, haveModels } from './assets.ts';
import type { Outcome, Task } from './run-both.ts';

const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'run-both.ts');

async function runBoth(task: Task): Promise<Outcome> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script, JSON.stringify(task)],
    { env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' } },
  );
  return JSON.parse(stdout) as Outcome;
}

const GBRP: Preprocessing['fed'] = { layout: 'planar', channels: 'GBR' };
const NONE = { scale: 1, offsets: [0, 0, 0] } as const;

const CASES: readonly [file: string, wish: Task['wish'], dims: readonly number[], input: string][] = [
  [
    'yolox_nano.onnx',
    { input: 'images', fed: GBRP, wanted: { layout: 'NCHW', channels: 'BGR' }, ...NONE },
    [1, 416, 416],
    'vantage:picture uint8 [1,3,416,416]',
  ],
  [
    'version-RFB-320.onnx',
    {
      input: 'input',
      fed: GBRP,
      wanted: { layout: 'NCHW', channels: 'RGB' },
      scale: 1 / 128,
      offsets: [127, 127, 127],
    },
    [1, 240, 320],
    'vantage:picture uint8 [1,3,240,320]',
  ],
  [
    'litemodel_cls_96x_r1.onnx',
    {
      input: 'data',
      fed: { layout: 'packed', channels: 'RGB' },
      wanted: { layout: 'NCHW', channels: 'BGR' },
      scale: 1 / 255,
      offsets: [10, 20, 30],
    },
    [1, 96, 96],
    'vantage:picture uint8 [1,96,96,3]',
  ],
  [
    'person-reidentification-retail-0288.onnx',
    { input: 'inputs:0', fed: GBRP, wanted: { layout: 'NHWC', channels: 'BGR' }, ...NONE },
    [1, 256, 128],
    'vantage:picture uint8 [1,3,256,128]',
  ],
  [
    'person-reidentification-retail-0288.onnx',
    { input: 'inputs:0', fed: GBRP, wanted: { layout: 'NHWC', channels: 'BGR' }, ...NONE, withMean: true },
    [1, 256, 128],
    'vantage:picture uint8 [1,3,256,128]',
  ],
  // Half precision, in a file of the years when every weight was an input as well.
  [
    'SqueezeNet_fp16.onnx',
    {
      input: 'data_0',
      fed: GBRP,
      wanted: { layout: 'NCHW', channels: 'RGB' },
      scale: 1 / 58,
      offsets: [123, 116, 103],
    },
    [1, 224, 224],
    'vantage:picture uint8 [1,3,224,224]',
  ],
  // Open batch and width.
  [
    'en_number_mobile_v2.0_rec_infer.onnx',
    {
      input: 'x',
      fed: { layout: 'planar', channels: 'BGR' },
      wanted: { layout: 'NCHW', channels: 'BGR' },
      scale: 1 / 127.5,
      offsets: [127.5, 127.5, 127.5],
    },
    [2, 32, 160],
    'vantage:picture uint8 [p2o.DynamicDimension.0,3,32,p2o.DynamicDimension.1]',
  ],
];

const suite = haveModels('models are not given 8-bit pictures') ? describe : describe.skip;

suite('a network that eats the bytes of a picture', () => {
  test.each(CASES)('%s %j', async (file, wish, dims, input) => {
    const outcome = await runBoth({ file: path.join(MODELS, file), wish, dims });
    expect(outcome.input).toBe(input);
    expect(outcome.largest).toBeGreaterThan(0.1);
    // Half precision has three digits; the others differ by the rounding of one subtraction and one product.
    expect(outcome.apart / outcome.largest).toBeLessThan(file.includes('fp16') ? 2e-3 : 2e-5);
  });

  test('what was not asked about stays: outputs, weights, operators, metadata', () => {
    const bytes = readFileSync(path.join(MODELS, 'yolox_nano.onnx'));
    const before = readOnnx(bytes, 'yolox_nano.onnx');
    const wanted = { layout: 'NCHW', channels: 'RGB' } as const;
    const made = prependPreprocessing(bytes, 'yolox_nano.onnx', { input: 'images', fed: GBRP, wanted, ...NONE });
    const after = readOnnx(made.bytes, 'made');
    expect(after.inputs).toEqual([made.input]);
    expect({ ...after, inputs: 0, operators: 0 }).toEqual({ ...before, inputs: 0, operators: 0 });
    const added = [...after.operators].filter(([name, count]) => count !== before.operators.get(name));
    expect(added.map(([name, count]) => [name, count - (before.operators.get(name) ?? 0)]).sort()).toEqual([
      ['Cast', 1],
      ['Constant', 1],
      ['Gather', 1],
    ]);
    expect(made.bytes.length - bytes.length).toBeLessThan(300);
  });

  test.each([
    ['mnist.onnx', 'Input3', /has 1 channels/],
    ['yolox_nano.onnx', 'output', /has no input 'output'/],
  ])('%s: says why not', (file, input, reason) => {
    const wish = { input, fed: GBRP, wanted: { layout: 'NCHW', channels: 'RGB' }, ...NONE } as const;
    expect(() => prependPreprocessing(readFileSync(path.join(MODELS, file)), file, wish)).toThrow(reason);
  });
});
