import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { codeOf, messageOf } from '@vantage/contracts';
import { demo } from '@vantage/demo';
import { foreignModel } from './foreign-model.ts';
import { camerasOf } from './measure.ts';
import { runCheck } from './run-check.ts';

const main = path.resolve(import.meta.dirname, '../../main.ts');
const assets = path.resolve(import.meta.dirname, '../../../../..', process.env['VANTAGE_ASSETS'] ?? '../shared/assets');
const asset = (...parts: string[]): string => path.join(assets, ...parts);

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function vantage(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, ...args],
      { env: { ...process.env, NO_COLOR: '1' }, maxBuffer: 1 << 24 },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

/** Without pictures no model is loaded: that can be done in this process. */
async function check(...args: string[]): Promise<Run & { readonly json: Record<string, unknown> }> {
  const [given = '', ...flags] = args;
  const flag = (name: string): string | undefined =>
    flags.includes(name) ? flags[flags.indexOf(name) + 1] : undefined;
  const select = flag('--select');
  try {
    const options = { given, images: [], seconds: 0, ...(select === undefined ? {} : { select }) };
    const stdout = await runCheck(options, { json: true, write: false });
    return { code: 0, stdout, stderr: '', json: JSON.parse(stdout) as Record<string, unknown> };
  } catch (error) {
    return { code: 1, stdout: '', stderr: `${messageOf(error)} (${codeOf(error)})\n`, json: {} };
  }
}

async function look(...args: string[]): Promise<Run & { readonly json: Record<string, unknown> }> {
  const run = await vantage('model', 'check', ...args, '--json', '--seconds', '0');
  return { ...run, json: (run.stdout === '' ? {} : JSON.parse(run.stdout)) as Record<string, unknown> };
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'vantage-check-spec-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('vantage model check: the demo model', () => {
  test('a folder with a configuration: parser, pictures, drawing, speed and cameras', async () => {
    const drawn = path.join(folder, 'seen.png');
    const { code, stdout, stderr } = await vantage(
      ...['model', 'check', demo.modelFolder, '--images', demo.poster, '--draw', drawn, '--seconds', '0.2'],
    );
    expect([stderr, code]).toEqual(['', 0]);
    expect(stdout).toMatch(/^input +\S+ float32 \[/m);
    expect(stdout).toMatch(/poster\.jpg frame 0 0\.00 s: person \d+%/);
    expect(stdout).toMatch(/latency \d+\.\d ms \(95 %: \d+\.\d ms\), \d+\.\d pictures\/s/);
    expect(stdout).toMatch(/^ +25 +\d+ +the (model|processor)$/m);
    expect((await readFile(drawn)).subarray(1, 4).toString()).toBe('PNG');
  }, 60_000);

  test('cameras: decoding counts for each, the model for what it looks at', () => {
    const [one, , , , all] = camerasOf(2, { cpuMs: 20, perSecond: 100 }, 2);
    // 1700 ms a second over 25 * 2 + 1 * 20; and 85 pictures a second over 25.
    expect(one).toEqual({ rate: 1, cameras: 24, limit: 'processor' });
    expect(all).toEqual({ rate: 25, cameras: 3, limit: 'processor' });
    expect(camerasOf(8, { cpuMs: 5, perSecond: 100 }, 1)[4]).toEqual({ rate: 25, cameras: 3, limit: 'model' });
  });
});

describe('what ONNX Runtime cannot run says what to convert', () => {
  test.each([
    ['resnet.onnx_b1_gpu0_fp16.engine', /TensorRT engine.*put the result beside as 'resnet\.onnx'/],
    ['model.plan', /TensorRT engine/],
    ['peoplenet.etlt', /TAO model.*TAO 5/],
    ['resnet10.caffemodel', /Caffe model.*caffe2onnx/],
    ['deploy.prototxt', /Caffe/],
    ['model.uff', /UFF.*tf2onnx/],
    ['yolov4.weights', /Darknet/],
    ['best.pt', /PyTorch.*yolo export/],
    ['model.tflite', /Lite/],
    ['libnvdsinfer_custom_impl_Yolo.so', /no native code.*built-in parser/],
    ['libparser.so.1.2', /no native code/],
  ])('%s', async (name, message) => {
    expect(foreignModel(name)).toMatch(message);
    await writeFile(path.join(folder, name), 'binary');
    if (!/engine$|\.so$/.test(name)) return;
    const { code, stderr } = await check(path.join(folder, name));
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/\(MODEL_NEEDS_CONVERSION\)\n$/);
  });

  test('a folder with nothing else, and a configuration that names an engine', async () => {
    const only = path.join(folder, 'only');
    await mkdir(only);
    expect((await check(only)).stderr).toMatch(/only holds no ONNX model; it holds nothing \(MODEL_FILE_MISSING\)/);
    await writeFile(path.join(only, 'a.engine'), 'x');
    expect((await check(only)).stderr).toMatch(/a\.engine: this is a TensorRT engine/);
    await writeFile(path.join(only, 'pgie.txt'), '[property]\nmodel-engine-file=a.onnx_b1_gpu0_fp16.engine\n');
    expect((await check(only)).stderr).toMatch(
      /pgie\.txt: ONNX Runtime cannot run a TensorRT engine.*put it beside as 'a\.onnx'/,
    );
  });

  test('no such file, and no model', async () => {
    expect((await check(path.join(folder, 'nowhere'))).stderr).toMatch(
      /nowhere does not exist \(MODEL_SUBJECT_MISSING\)/,
    );
    const text = path.join(folder, 'notes.onnx');
    await writeFile(text, 'hello');
    expect((await check(text)).stderr).toMatch(/notes\.onnx .*is not an ONNX model/);
  });
});

if (!existsSync(assets)) process.stderr.write(`real models are not checked: no ${assets} (VANTAGE_ASSETS)\n`);

(existsSync(assets) ? describe : describe.skip)('real models', () => {
  test.each([
    ['FastestDet.onnx', 'fastestdet', 'fastestdet'],
    ['yunet_n_320_320.onnx', 'yunet-320', undefined],
    ['SqueezeNet_fp16.onnx', 'squeezenet', undefined],
    ['person-reidentification-retail-0288.onnx', 'person-reid', undefined],
  ])('%s is known by its digest', async (file, name, parser) => {
    const { json, stderr } = await check(asset('models', file));
    expect(stderr).toBe('');
    expect(json).toMatchObject({ model: { catalog: name }, config: { source: 'catalog' } });
    expect(json['config']).toMatchObject({ text: expect.stringContaining(`onnx-file=${file}`) });
    if (parser !== undefined) expect(json['pictures']).toEqual([]);
  });

  test('one that is not: parser, preparation, labels and configuration with reasons; written once, packed, run', async () => {
    const own = path.join(folder, 'own');
    await mkdir(own);
    const model = await readFile(asset('models', 'yolox_nano.onnx'));
    // A description at its end (field 6): another file to the catalog, the same to everybody else.
    await writeFile(path.join(own, 'mine.onnx'), Buffer.concat([model, Buffer.from([0x32, 4]), Buffer.from('mine')]));
    const { json, stderr } = await look(own, '--images', asset('images', 'o4n-cars.jpeg'), '--write');
    expect(stderr).toMatch(/written: .*config_infer\.txt\nwritten: .*labels\.txt\n/);
    expect(json).toMatchObject({
      config: { source: 'proposed' },
      parser: { name: 'yolox', reason: expect.stringContaining('3549 grid cells') },
      preparation: { colour: 'BGR', scale: 1, fit: 'top-left', pad: 114, sure: true },
      notes: [],
    });
    const [picture] = json['pictures'] as { detections: { label: string }[] }[];
    expect(picture!.detections.filter(({ label }) => label === 'car').length).toBeGreaterThanOrEqual(3);
    expect((await readdir(own)).sort()).toEqual(['config_infer.txt', 'labels.txt', 'mine.onnx']);

    const zip = path.join(folder, 'mine.zip');
    const packed = await vantage('model', 'pack', own, '--out', zip, '--json');
    expect(JSON.parse(packed.stdout)).toMatchObject({
      folder: 'mine',
      config: 'config_infer.txt',
      files: ['config_infer.txt', 'labels.txt', 'mine.onnx'],
    });
    const first = await readFile(zip);
    await vantage('model', 'pack', own, '--out', zip);
    expect((await readFile(zip)).equals(first)).toBe(true);
    const seen = await vantage('infer', '--config', zip, asset('images', 'o4n-cars.jpeg'));
    expect(seen.stdout).toMatch(/car \d+%, car \d+%/);

    const again = await look(zip, '--images', asset('images', 'o4n-cars.jpeg'));
    expect(again.json).toMatchObject({ kind: 'zip', config: { source: 'given' }, parser: { name: 'yolox' } });
  }, 90_000);

  test('a guess is called one; labels beside the model are taken', async () => {
    const own = path.join(folder, 'guess');
    await mkdir(own);
    const model = await readFile(asset('models', 'litemodel_cls_96x_r1.onnx'));
    await writeFile(path.join(own, 'm.onnx'), Buffer.concat([model, Buffer.from([0x32, 1, 0x78])]));
    await copyFile(asset('labels', 'plate_colour.txt'), path.join(own, 'labels.txt'));
    const { json, stderr } = await check(own);
    expect(stderr).toBe('');
    expect(json).toMatchObject({ preparation: { sure: false }, config: { labels: ['blue', 'green', 'yellow'] } });
    expect(json['notes']).toEqual([expect.stringMatching(/how pictures are prepared is a guess/)]);
  });

  test('several models in a folder are not guessed among', async () => {
    const two = path.join(folder, 'two');
    await mkdir(two);
    for (const name of ['mnist.onnx', 'FastestDet.onnx']) await copyFile(asset('models', name), path.join(two, name));
    expect((await check(two)).stderr).toMatch(
      /several models and no configuration \(FastestDet\.onnx, mnist\.onnx\); name one with --select/,
    );
    expect((await check(two, '--select', 'mnist.onnx')).json).toMatchObject({ model: { catalog: 'mnist' } });
  });

  test.each([
    [
      ['model', 'check', 'lfs-pointer.onnx'],
      /lfs-pointer\.onnx is a Git LFS pointer.*git lfs pull.*MODEL_FILE_NOT_ONNX/,
    ],
    [['model', 'pack', 'lfs-pointer.onnx', '--out', 'x.zip'], /Git LFS pointer.*MODEL_FILE_NOT_ONNX/],
    [['infer', '--config', demo.modelFolder, 'lfs-pointer.mp4'], /lfs-pointer\.mp4.*(Git LFS|no video|Invalid data)/],
    [['infer', '--config', demo.modelFolder, 'lfs-pointer.onnx'], /lfs-pointer\.onnx/],
  ])('negative: vantage %j', async (args, message) => {
    const given = args.map((arg) => (/^lfs|^offline/.test(arg) ? asset('negative', arg) : arg));
    const { code, stdout, stderr } = await vantage(...given);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
