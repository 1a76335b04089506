import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const main = path.resolve(here, '../main.ts');
const configs = path.join(
  path.resolve(here, '../../../..', process.env['VANTAGE_ASSETS'] ?? '../shared/assets'),
  'deepstream-config',
);

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real command line, as a user starts it. */
function vantage(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, ...args],
      { env: { ...process.env, NO_COLOR: '1' } },
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      },
    );
  });
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'vantage-config-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function written(name: string, text: string): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, text);
  return file;
}

describe('vantage config explain', () => {
  test('a table: place, value and use of each property, then problems and spec', async () => {
    const file = await written('pgie.txt', '\uFEFF[property]\r\nonnx-file=m.onnx\r\nworkspace-size=100\r\nintervall=2');
    const { code, stdout } = await vantage('config', 'explain', file);
    expect(code).toBe(0);
    expect(stdout).toContain(`${file}: a model configuration of nvinfer (INI)`);
    expect(stdout).toMatch(/pgie\.txt:2 +\[property\] onnx-file +m\.onnx +used\n/);
    expect(stdout).toMatch(
      /pgie\.txt:3 +\[property\] workspace-size +100 +not used here, because it tunes how TensorRT/,
    );
    expect(stdout).toContain("pgie.txt:4: unknown property 'intervall' in [property]; did you mean 'interval'?");
    expect(stdout).toContain('\n  onnxFile: "m.onnx"\n');
  });

  test('--json: typed, maps as objects; status 1 with an error in the file', async () => {
    const file = await written(
      'bad.txt',
      '[property]\nmodel-engine-file=a.onnx_b1_gpu0_fp16.engine\n[class-attrs-2]\neps=x',
    );
    const { code, stdout } = await vantage('config', 'explain', file, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      file,
      kind: 'nvinfer',
      format: 'ini',
      runnable: { how: 'needs-conversion', from: 'tensorrt-engine', line: 2, onnxCandidates: ['a.onnx'] },
      spec: { classAttributes: { perClass: { 2: { preClusterThreshold: 0.2 } } } },
      properties: [
        { group: 'property', key: 'model-engine-file', line: 2, file, use: 'not-used' },
        {
          group: 'class-attrs-2',
          key: 'eps',
          value: 'x',
          line: 4,
          file,
          use: 'not-used',
          reason: "'x' is not a number",
        },
      ],
      problems: [
        { severity: 'error', line: 4, key: 'eps' },
        { severity: 'error', line: 2, about: 'model-file' },
      ],
    });
  });

  test('what a file holds does not steer the terminal', async () => {
    const file = await written('esc.txt', '[property]\nonnx-file=\u001b[2Jm.onnx\n\u001b]0;x\u0007=1');
    expect((await vantage('config', 'explain', file)).stdout).not.toMatch(/[\u0000-\u0009\u000B-\u001F]/);
  });

  test.each([
    ['nowhere.txt', /nowhere\.txt does not exist \(MODEL_CONFIG_MISSING\)/],
    ['', /is a folder; name a file in it \(MODEL_CONFIG_MISSING\)/],
  ])('%j is refused in one sentence', async (name, message) => {
    const { code, stdout, stderr } = await vantage('config', 'explain', path.join(folder, name));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
  });

  test('a file of megabytes is not read into memory', async () => {
    const file = await written('large.txt', `[property]\nx=${'a'.repeat(5 * 1024 * 1024)}`);
    expect((await vantage('config', 'explain', file)).stderr).toMatch(/no configuration file \(MODEL_CONFIG_INVALID\)/);
  });
});

if (!existsSync(configs)) process.stderr.write(`real files are not explained: no ${configs} (VANTAGE_ASSETS)\n`);

(existsSync(configs) ? describe : describe.skip)('real files', () => {
  test.each([
    [
      'nvinfer-ini',
      /AzureDeepStreamAccelerator.*__pgie_config\.txt$/,
      1,
      /put it beside as '.*resnet10\.onnx' and set onnx-file/,
    ],
    ['nvinferserver', /yolov4_nopostprocess\.txt$/, 0, /\[infer_config\.backend\.trt_is\] model_name +yolov4 +used/],
    ['tracker', /NvSORT\.yml$/, 0, /runs as bytetrack: NvSORT with cascaded matching/],
    [
      'msgconv',
      /cfg_kafka\.txt$/,
      0,
      /recognised as message-broker.*\nnot a model configuration: it configures a message broker/,
    ],
  ])('%s %s', async (kind, pattern, status, line) => {
    const name = readdirSync(path.join(configs, kind)).find((each) => pattern.test(each))!;
    const { code, stdout } = await vantage('config', 'explain', path.join(configs, kind, name));
    expect(code).toBe(status);
    expect(stdout).toMatch(line);
  });
});
