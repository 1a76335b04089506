import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseInferConfig } from './infer-config.ts';
import { detectConfigKind } from '../kind.ts';

const here = dirname(fileURLToPath(import.meta.url));
const assets = resolve(here, '../../../..', process.env['VANTAGE_ASSETS'] ?? '../shared/assets');
const configs = join(assets, 'deepstream-config');

const YOLOX = `[property]
onnx-file=yolox.onnx
labelfile-path=coco.names
net-scale-factor=1
offsets=0;0;0
model-color-format=1
infer-dims=3;416;416
network-type=0
num-detected-classes=80
maintain-aspect-ratio=1
symmetric-padding=0
interval=2
gie-unique-id=1
cluster-mode=2
parse-bbox-func-name=NvDsInferParseYoloX
vantage-pad-value=114
operate-on-class-ids=0;2;

[class-attrs-2]
pre-cluster-threshold=0.5

[class-attrs-all]
pre-cluster-threshold=0.3
nms-iou-threshold=0.45
topk=300
detected-min-w=10
`;

function property(lines: string): string {
  return `[property]\nonnx-file=m.onnx\n${lines}`;
}

describe('parseInferConfig', () => {
  test('a detector', () => {
    const { spec, notUsed, problems, properties } = parseInferConfig(YOLOX, 'pgie.txt');
    expect([problems, notUsed, properties.length]).toEqual([[], [], 21]);
    expect(spec).toMatchObject({
      fileName: 'pgie.txt',
      onnxFile: 'yolox.onnx',
      labelFile: 'coco.names',
      netScaleFactor: 1,
      offsets: [0, 0, 0],
      colorFormat: 'BGR',
      inferDims: { channels: 3, height: 416, width: 416 },
      inputOrder: 'NCHW',
      networkType: 'detector',
      classCount: 80,
      maintainAspectRatio: true,
      symmetricPadding: false,
      interval: 2,
      gieUniqueId: 1,
      clusterMode: 'nms',
      clusterModeIsDefault: false,
      parserFunction: 'NvDsInferParseYoloX',
      padValue: 114,
      operateOnClassIds: [0, 2],
    });
    const { all, perClass } = spec.classAttributes;
    expect(all).toMatchObject({ preClusterThreshold: 0.3, nmsIouThreshold: 0.45, topK: 300, detectedMinWidth: 10 });
    // The group of a class starts from that of all, though it stands before it.
    expect([...perClass]).toEqual([[2, { ...all, preClusterThreshold: 0.5 }]]);
  });

  test('the same with a byte order mark, CRLF and no newline at the end', () => {
    const odd = parseInferConfig(`\uFEFF${YOLOX.trimEnd().replaceAll('\n', '\r\n')}`, 'pgie.txt');
    expect(odd).toEqual(parseInferConfig(YOLOX, 'pgie.txt'));
  });

  test('nvinfer defaults', () => {
    const { spec } = parseInferConfig(property(''), 'a.txt');
    expect(spec).toMatchObject({
      netScaleFactor: 1,
      colorFormat: 'RGB',
      networkType: 'detector',
      processMode: 'primary',
      batchSize: 1,
      interval: 0,
      padValue: undefined,
      clusterMode: 'group-rectangles',
      clusterModeIsDefault: true,
    });
    expect(spec.classAttributes.all).toMatchObject({ preClusterThreshold: 0.2, nmsIouThreshold: 0.3, topK: undefined });
  });

  test.each([
    ['', /holds nothing but comments/],
    ['[class-attrs-all]\nthreshold=1', /no \[property\] section/],
    ['[property]\n', /names no model: set onnx-file|no \[property\]/],
    ['property:\n  gpu-id: 0', /names no model/],
    ['infer_config { unique_id: 1 }', /an nvinferserver/],
    ['[tracker]\ntracker-width=1', /configures a tracker; name it in trackerConfigPath/],
    ['[property]\nonnx-file=a\0', /binary/],
  ])('%j is refused', (text, message) => {
    const { problems } = parseInferConfig(text, 'a.txt');
    expect(problems.some((problem) => problem.severity === 'error' && message.test(problem.message))).toBe(true);
  });

  test.each([
    ['net-scale-factor=abc', 'net-scale-factor', "'abc' is not a number"],
    ['net-scale-factor=', 'net-scale-factor', "'' is not a number"],
    ['net-scale-factor=0x10', 'net-scale-factor', "'0x10' is not a number"],
    ['interval=1.5', 'interval', 'not a whole number'],
    ['interval=-1', 'interval', '-1 is less than 0'],
    ['network-type=7', 'network-type', "'7' is none of 0 (detector)"],
    ['offsets=1;2', 'offsets', '2 numbers, not 1 or 3'],
    ['offsets=1;b;3', 'offsets', 'not a list of numbers'],
    ['infer-dims=3;416', 'infer-dims', '2 numbers, not 3'],
    ['maintain-aspect-ratio=yes', 'maintain-aspect-ratio', 'neither 0 nor 1'],
    ['vantage-pad-value=256', 'vantage-pad-value', '256 is more than 255'],
    ['labelfile-path=', 'labelfile-path', 'empty'],
  ])('%s is an error on its line and leaves the default', (line, key, message) => {
    const { spec, problems, notUsed } = parseInferConfig(property(line), 'a.txt');
    expect(problems).toEqual([
      {
        severity: 'error',
        file: 'a.txt',
        line: 3,
        key,
        message: expect.stringContaining(message) as unknown as string,
      },
    ]);
    expect(notUsed).toMatchObject([{ key, line: 3 }]);
    expect(spec).toEqual(parseInferConfig(property(''), 'a.txt').spec);
  });

  test('numbers as GLib reads them, with what follows after white space', () => {
    const { spec, problems } = parseInferConfig(
      property('net-scale-factor=3.9e-3\nnetwork-type=3 ## masks\n'),
      'a.txt',
    );
    expect(spec).toMatchObject({ netScaleFactor: 0.0039, networkType: 'instance-segmentation' });
    expect(problems).toMatchObject([{ severity: 'warning', line: 4, key: 'network-type' }]);
  });

  test('of repeats the last counts, sections that are opened again are joined', () => {
    const { spec, problems, notUsed } = parseInferConfig(
      property('interval=1\n[x]\ny=1\n[property]\ninterval=2'),
      'a.txt',
    );
    expect(spec.interval).toBe(2);
    expect(notUsed).toMatchObject([
      { key: 'interval', line: 3, why: 'it is set again on line 7' },
      { key: 'y', group: 'x', line: 5 },
    ]);
    expect(problems.map(({ line }) => line).sort()).toEqual([3, 5, 6]);
  });

  test('unknown properties are reported, not lost', () => {
    const { notUsed, problems } = parseInferConfig(
      property('Interval=1\n[class-attrs-all]\nfoo=1\n[class-attrs-x]\neps=1'),
      'a.txt',
    );
    expect(notUsed.map(({ key, line }) => [key, line])).toEqual([
      ['Interval', 3],
      ['foo', 5],
      ['eps', 7],
    ]);
    expect(problems.map(({ severity }) => severity)).toEqual(['warning', 'warning', 'error']);
  });

  test('a class group beyond the classes is reported', () => {
    const { problems } = parseInferConfig(property('num-detected-classes=2\n[class-attrs-2]\neps=0.1'), 'a.txt');
    expect(problems).toMatchObject([{ severity: 'warning', line: 5, key: 'eps' }]);
  });

  test('older names', () => {
    const { spec } = parseInferConfig(
      property('is-classifier=1\nenable-dbscan=1\ninput-dims=3;368;640;0\n[class-attrs-all]\nthreshold=0.7'),
      'a.txt',
    );
    expect(spec).toMatchObject({
      networkType: 'classifier',
      clusterMode: 'dbscan',
      inferDims: { channels: 3, height: 368, width: 640 },
    });
    expect(spec.classAttributes.all.preClusterThreshold).toBe(0.7);
  });

  test.each([
    ['model-engine-file=a.engine', /ONNX Runtime cannot run a TensorRT engine \('a.engine'\): .* and set onnx-file/],
    ['tlt-encoded-model=a.etlt\nmodel-engine-file=a.engine', /encrypted TAO model \(.etlt\) \('a.etlt'\)/],
    ['proto-file=a.prototxt\nmodel-file=a.caffemodel', /a Caffe model \('a.caffemodel'\)/],
    ['model-file=yolov4.weights', /Darknet weights/],
    ['uff-file=a.uff', /a UFF model/],
  ])('%j says what to convert, once', (lines, message) => {
    const { problems, notUsed } = parseInferConfig(`[property]\n${lines}`, 'a.txt');
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({
      severity: 'error',
      message: expect.stringMatching(message) as unknown as string,
    });
    expect(notUsed).toHaveLength(lines.split('\n').length);
  });

  test('beside an ONNX file the engine is passed over', () => {
    const { spec, problems, notUsed } = parseInferConfig(
      property('model-engine-file=a.engine\ncustom-lib-path=p.so'),
      'a.txt',
    );
    expect(problems).toEqual([]);
    expect(spec.otherModelFiles).toEqual([
      { kind: 'tensorrt-engine', file: 'a.engine', key: 'model-engine-file', line: 3 },
    ]);
    expect(spec.customLibPath).toBe('p.so');
    expect(notUsed.map(({ key }) => key).sort()).toEqual(['custom-lib-path', 'model-engine-file']);
  });
});

if (!existsSync(configs)) process.stderr.write(`real configurations are skipped: no ${configs} (VANTAGE_ASSETS)\n`);

(existsSync(configs) ? describe : describe.skip)('real configurations', () => {
  const files = (folder: string): [string, string][] =>
    readdirSync(join(configs, folder)).map((file) => [file, readFileSync(join(configs, folder, file), 'utf8')]);

  test('no property is lost', () => {
    const inis = files('nvinfer-ini');
    expect(inis.length).toBeGreaterThanOrEqual(37);
    for (const [file, text] of inis) {
      const count = text.split(/\r?\n/).filter((line) => /^\s*[^#[;\s][^=]*=/.test(line)).length;
      const { properties, problems, spec } = parseInferConfig(text, file);
      expect([file, properties.length]).toEqual([file, count]);
      expect([file, problems.filter(({ message }) => message.startsWith('unknown'))]).toEqual([file, []]);
      // The only thing wrong with any of them is a model that is no ONNX.
      const errors = problems.filter(({ severity }) => severity === 'error');
      expect([file, errors.length]).toEqual([file, spec.onnxFile === undefined ? 1 : 0]);
    }
  });

  test('kinds are told apart', () => {
    for (const [file, text] of files('nvinfer-ini'))
      expect([file, detectConfigKind(text)]).toEqual([file, 'nvinfer-ini']);
    for (const [file, text] of files('nvinfer-yaml'))
      expect([file, detectConfigKind(text)]).toEqual([file, 'nvinfer-yaml']);
    for (const [file, text] of files('nvinferserver'))
      expect([file, detectConfigKind(text)]).toEqual([file, 'nvinferserver']);
  });

  test('a known file', () => {
    const [, text] = files('nvinfer-ini').find(([file]) => file === 'DeepStream-Yolo__config_infer_primary_yolox.txt')!;
    expect(parseInferConfig(text, 'yolox').spec).toMatchObject({
      netScaleFactor: 1,
      parserFunction: 'NvDsInferParseYolo',
      clusterMode: 'nms',
      maintainAspectRatio: true,
      classCount: 80,
      networkMode: 'fp32',
    });
  });
});
