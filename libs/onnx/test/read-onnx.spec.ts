import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readOnnx } from '../src/index.ts';
import { MODELS, haveModels } from './assets.ts';
import { externalModel, identityModel, model } from './tiny-model.ts';

function codeOf(read: () => unknown): [string | undefined, string] {
  try {
    read();
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return [code, message];
  }
  return [undefined, ''];
}

describe('a small model', () => {
  const bytes = identityModel();

  test('says what goes in and what comes out', () => {
    expect(readOnnx(bytes, 'tiny')).toEqual({
      irVersion: 8,
      producer: 'vantage 1',
      domain: '',
      modelVersion: 0,
      description: '',
      graphName: 'tiny',
      opsets: new Map([['ai.onnx', 13]]),
      metadata: new Map([['names', "{0: 'person'}"]]),
      inputs: [{ name: 'in', type: 'float32', dims: ['batch', 3, '?', 4] }],
      outputs: [{ name: 'out', type: 'float32' }],
      initializers: [{ name: 'weight', type: 'float32', dims: [2], bytes: 8 }],
      operators: new Map([['Identity', 1]]),
      externalFiles: [],
    });
  });

  test('every cut of it is refused in one sentence, or reads as far as it goes', () => {
    for (let end = 0; end < bytes.length; end += 1) {
      const [code] = codeOf(() => readOnnx(bytes.subarray(0, end), 'cut'));
      expect(code === 'ONNX_INVALID' || code === undefined).toBe(true);
    }
  });

  test('bytes of any kind never do worse than to be refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(bytes.length), fc.nat(40), (noise, at, cut) => {
        const mixed = Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at + cut)]);
        const [code] = codeOf(() => readOnnx(mixed, 'noise'));
        return code === undefined || code === 'ONNX_INVALID' || code === 'ONNX_EXTERNAL_DATA_OUTSIDE';
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});

describe('what is no model', () => {
  test.each([
    ['', /it is empty/],
    ['version https://git-lfs.github.com/spec/v1\noid sha256:1\n', /git lfs pull/],
    ['<!DOCTYPE html><html>', /web page/],
    ['PK\u0003\u0004....', /zip file/],
    ['ftrt....', /TensorRT engine/],
    ['\u0008\u0007', /holds no graph/],
  ])('%j', (text, reason) => {
    const [code, message] = codeOf(() => readOnnx(Buffer.from(text, 'latin1'), 'a.onnx'));
    expect(code).toBe('ONNX_INVALID');
    expect(message).toMatch(reason);
    expect(message).toContain('a.onnx');
  });

  test('graphs inside of graphs inside of graphs', () => {
    let inner = Buffer.alloc(0);
    for (let depth = 0; depth < 40; depth += 1) inner = Buffer.from(model.nest(inner));
    expect(codeOf(() => readOnnx(model.whole(inner), 'deep'))).toEqual([
      'ONNX_INVALID',
      expect.stringMatching(/nested deeper than 16/),
    ]);
  });

  test('a million empty nodes', () => {
    const [code, message] = codeOf(() => readOnnx(model.whole(Buffer.alloc(2_000_010, '\n\0')), 'many'));
    expect([code, message]).toEqual(['ONNX_INVALID', expect.stringContaining('more than 1000000 nodes')]);
  });

  test('a weight of a hundred dimensions', () => {
    const dims = Buffer.concat([Buffer.from([0x0a, 100]), Buffer.alloc(100, 1)]);
    const tensor = Buffer.concat([Buffer.from([0x2a, dims.length]), dims]);
    expect(codeOf(() => readOnnx(model.whole(tensor), 'm'))[1]).toContain('more than 64 dimensions');
  });
});

describe('weights in another file', () => {
  test('beside the model', () => {
    const { externalFiles, initializers } = readOnnx(externalModel('sub/weights.bin'), 'm');
    expect(externalFiles).toEqual(['sub/weights.bin']);
    expect(initializers).toEqual([
      { name: 'weight', type: 'float32', dims: [2], bytes: 8, externalFile: 'sub/weights.bin' },
    ]);
  });

  test.each(['../weights.bin', '/etc/passwd', 'a/../../b', 'C:\\w.bin', '..\\w.bin', '', '.'])(
    '%j is refused',
    (location) => {
      expect(codeOf(() => readOnnx(externalModel(location), 'm'))[0]).toBe('ONNX_EXTERNAL_DATA_OUTSIDE');
    },
  );
});

(haveModels('real models are not read') ? describe : describe.skip)('real models', () => {
  test.each([
    ['FastestDet.onnx', 'input.1 float32 [1,3,352,352]', '758 float32 [1,85,22,22]', 195, 'pytorch 1.11.0'],
    ['SqueezeNet_fp16.onnx', 'data_0 float16 [1,3,224,224]', 'softmaxout_1 float16 [1,1000,1,1]', 52, 'onnx-caffe2'],
    ['mnist.onnx', 'Input3 float32 [1,1,28,28]', 'Plus214_Output_0 float32 [1,10]', 8, 'CNTK 2.5.1'],
    [
      'person-reidentification-retail-0288.onnx',
      'inputs:0 float32 [1,256,128,3]',
      'Identity:0 float32 [1,256]',
      256,
      'tf2onnx 1.7.2',
    ],
  ])('%s', (file, input, output, weights, producer) => {
    const read = readOnnx(readFileSync(path.join(MODELS, file)), file);
    const texts = [...read.inputs, ...read.outputs].map((one) => `${one.name} ${one.type} [${one.dims?.join(',')}]`);
    expect(texts).toEqual([input, output]);
    expect(read.initializers).toHaveLength(weights);
    expect(read.producer).toBe(producer);
  });
});
