import { describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { foldFocus, readOnnx } from '../src/index.ts';
import { MODELS, haveModels } from './assets.ts';
import type { Outcome, Task } from './run-both.ts';
import { focusModel, identityModel, model, type FocusStyle } from './tiny-model.ts';

const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'run-both.ts');

function operators(bytes: Uint8Array): Record<string, number> {
  return Object.fromEntries(readOnnx(bytes, 'model').operators);
}

describe('foldFocus', () => {
  test.each<FocusStyle>([
    { slices: 'two', numbers: 'weights' },
    { slices: 'two', numbers: 'constants' },
    { slices: 'one', numbers: 'weights' },
  ])('makes one convolution of it: %j', (style) => {
    const folded = foldFocus(focusModel(style));
    expect(folded).toBeDefined();
    if (!folded) return;
    expect(Object.keys(operators(folded)).filter((name) => name !== 'Constant')).toEqual(['Conv']);
    const { initializers, inputs, outputs } = readOnnx(folded, 'folded');
    expect(initializers.find(({ name }) => name === 'weights')).toMatchObject({ dims: [1, 1, 6, 6], bytes: 144 });
    expect(inputs).toEqual(readOnnx(focusModel(style), 'model').inputs);
    expect(outputs.map(({ name }) => name)).toEqual(['out']);
    expect(foldFocus(folded)).toBeUndefined();
  });

  test.each(['step', 'end', 'group', 'sharedWeights', 'sharedSlice', 'sameCut'] as const)(
    'leaves what only looks like one: %s',
    (twist) => {
      expect(foldFocus(focusModel({ slices: 'two', numbers: 'weights', twist }))).toBeUndefined();
    },
  );

  test('leaves other models, and graphs with graphs in them', () => {
    expect(foldFocus(identityModel())).toBeUndefined();
    expect(foldFocus(model.whole(model.nest(new Uint8Array(0))))).toBeUndefined();
  });
});

const suite = haveModels('the focus of a real model is not folded') ? describe : describe.skip;

suite('yolox_nano', () => {
  test('sees the same without its focus', async () => {
    const file = path.join(MODELS, 'yolox_nano.onnx');
    const folded = foldFocus(readFileSync(file));
    expect(folded && operators(folded)).not.toHaveProperty('Slice');
    const wish: Task['wish'] = {
      input: 'images',
      fed: { layout: 'planar', channels: 'GBR' },
      wanted: { layout: 'NCHW', channels: 'BGR' },
      scale: 1,
      offsets: [0, 0, 0],
    };
    const task: Task = { file, wish, dims: [1, 416, 416], fold: true };
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', script, JSON.stringify(task)],
      { env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' } },
    );
    const { apart, largest } = JSON.parse(stdout) as Outcome;
    expect(largest).toBeGreaterThan(1);
    expect(apart / largest).toBeLessThan(2e-5);
  });
});
