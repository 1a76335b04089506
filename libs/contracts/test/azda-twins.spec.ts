import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { parseJson, validateComponents, validateConfiguration } from '../src/index.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = path.join(path.resolve(root, process.env['VANTAGE_ASSETS'] ?? '../shared/assets'), 'azda-twins');
const present = existsSync(folder);
if (!present) process.stderr.write(`azda-twins.spec: skipped, there is no ${folder} (set VANTAGE_ASSETS)\n`);

type Outcome = { readonly streams: readonly string[]; readonly errors: readonly string[] };

const BROKEN: Readonly<Record<string, Outcome>> = {
  '017-failure-case-invalid-configuration.json': {
    streams: ['stream-02>PeopleDetection'],
    errors: ['components.deepStream.streams[0].configId'],
  },
  '018-failure-case-camera-not-found.json': {
    streams: ['stream-02>PeopleDetection'],
    errors: ['components.sensors[0].endpoint', 'components.deepStream.streams[0].name'],
  },
  '019-failure-case-invalid-camera-config.json': {
    streams: ['stream-02>PeopleDetection'],
    errors: ['components.sensors[0].endpoint', 'components.deepStream.streams[0].name'],
  },
};

const GOOD: Readonly<Record<string, readonly string[]>> = {
  '000-basic.json': ['rtspsim>PeopleDetection'],
  '001-basic-multi-stream.json': ['stream-01>PeopleDetection', 'stream-02>PeopleDetection'],
  '002-basic-multi-stream-usb.json': [
    'stream-01>PeopleDetection',
    'stream-02>PeopleDetection',
    'stream-03>PeopleDetection',
    'stream-04>PeopleDetection',
  ],
  '004-basic-tracker.json': ['stream-01>PeopleTracker'],
  '010-crop-and-dewarp.json': ['stream-01>LicensePlateCascade'],
  '011-ds-passthrough-basic.json': ['stream-01>CustomDeepStream'],
  // Whether the model files exist is for the ai-pipeline to find out.
  '015-failure-case-model-not-found-001.json': ['stream-01>PeopleDetection'],
  '016-failure-case-model-not-found-002.json': ['stream-01>PeopleDetection'],
  '020-python-parser.json': ['stream-01>PoseDetection'],
  '024-basic-rtspsim.json': ['rtspsim>PeopleDetection'],
  'lpr_parser.json': ['stream-01>ManufacturingDefectDetection'],
  'manufacturing.json': ['rtspsim>Manufacturing'],
  'ssd_mobilenet_v1_parser.json': ['stream-01>Yolov4Detection'],
  'tiny_yolov3_parser.json': ['stream-01>Yolov4Detection'],
};

const read = (name: string) => parseJson(readFileSync(path.join(folder, name)));
const streamsOf = (result: ReturnType<typeof validateConfiguration>) =>
  result.components?.streams.map((stream) => `${stream.name}>${stream.configId}`);

(present ? describe : describe.skip)('twins of the original product', () => {
  test('each file has an expected outcome here', () => {
    expect(readdirSync(folder).sort()).toEqual([...Object.keys(GOOD), ...Object.keys(BROKEN)].sort());
  });

  test.each(Object.entries(GOOD))('%s is published as it is', (name, streams) => {
    const twin = read(name) as { azdaConfiguration: { components: unknown } };
    const result = validateConfiguration(twin);
    expect(result.errors).toEqual([]);
    expect(result.warnings).toEqual([]);
    expect(streamsOf(result)).toEqual(streams);
    expect(JSON.stringify(result.accepted)).toBe(JSON.stringify(twin.azdaConfiguration.components));
  });

  test.each(Object.entries(BROKEN))('%s keeps the good stream', (name, { streams, errors }) => {
    const result = validateConfiguration(read(name));
    expect(streamsOf(result)).toEqual(streams);
    expect(result.errors.map((issue) => issue.path)).toEqual(errors);
    const published = validateComponents(result.accepted);
    expect(published.errors).toEqual([]);
    expect(streamsOf(published)).toEqual(streams);
  });

  test('010: dewarp, an inclusive crop, a tracker file and three secondary models in order', () => {
    expect(validateConfiguration(read('010-crop-and-dewarp.json')).components?.pipelines[0]).toMatchObject({
      crop: { left: 480, top: 0, width: 1441, height: 1081 },
      dewarp: { configFile: 'config_examples/config_dewarper.txt' },
      tracker: { kind: 'file', path: 'config_examples/tracker_config.txt' },
      secondaries: [1, 2, 3].map((number) => ({ configFile: `config_examples/sgie${number}_config.txt` })),
      osd: true,
    });
  });

  test('lpr: secondary models as objects', () => {
    expect(validateConfiguration(read('lpr_parser.json')).components?.pipelines[0]?.secondaries).toEqual([
      { configFile: 'CUSTOM_PARSER_EXAMPLES/lpr/lpd_us_config.txt' },
      {
        configFile: 'CUSTOM_PARSER_EXAMPLES/lpr/lpr_config_sgie_us.txt',
        pyFile: 'CUSTOM_PARSER_EXAMPLES/lpr/lpr_parser.py',
      },
    ]);
  });
});
