import { expect, test } from '@jest/globals';
import type { TwinObject } from '@vantage/contracts';
import { planTwin } from './plan-twin.ts';

function desired(pipeline: TwinObject = {}, sensor: TwinObject = {}, streams = ['gate']): TwinObject {
  const sensors = ['gate', 'yard'].map((name) => ({
    ...{ name, kind: { type: 'vision', subtype: 'RTSP' }, endpoint: `rtsp://host/${name}`, regionsOfInterest: [] },
    ...(name === 'gate' ? sensor : {}),
  }));
  return {
    $version: 7,
    azdaConfiguration: {
      platform: 'DeepStream',
      components: {
        sensors,
        deepStream: {
          enable: true,
          pipelineConfigs: [{ id: 'Cars', primaryModelConfigPath: 'cars.txt', pipelineOptions: {}, ...pipeline }],
          streams: streams.map((name) => ({ name, configId: 'Cars' })),
        },
      },
    },
  };
}

const region = {
  label: 'door',
  color: '#ff0000',
  coordinates: [
    [0, 0],
    [0, 1],
    [1, 1],
  ],
} as const;

test.each<[string, TwinObject, readonly string[]]>([
  ['nothing', desired(), []],
  ['a region', desired({}, { regionsOfInterest: [region] }), ['live Cars/camera gate']],
  [
    'a crop',
    desired({ pipelineOptions: { crop: { enable: true, x0: 0, x1: 9, y0: 0, y1: 9 } } }),
    ['swap Cars/camera gate'],
  ],
  ['another model', desired({ primaryModelConfigPath: 'vans.txt' }), ['swap Cars/model/primary']],
  ['a secondary', desired({ secondaryModelConfigPaths: ['make.txt'] }), ['swap Cars/model/secondary-1']],
  ['a tracker', desired({ trackerConfigPath: 'light-tracker' }), ['live Cars/tracker']],
  ['another address', desired({}, { endpoint: 'rtsp://other/gate' }), ['restart Cars/camera gate']],
  ['a camera more', desired({}, {}, ['gate', 'yard']), ['add Cars/camera yard']],
])('%s', (_what, wanted, steps) => {
  const { effects, refused } = planTwin('controllermodule', desired(), wanted);
  expect(refused).toBe(false);
  expect(effects.map(({ how, node }) => `${how} ${node}`)).toEqual(steps);
});

test('what is wrong is said, and a twin that is refused as a whole changes nothing', () => {
  const plan = planTwin('controllermodule', desired(), { azdaConfiguration: { components: { sensors: 'none' } } });
  expect(plan).toMatchObject({ refused: true, effects: [] });
  expect(plan.issues[0]).toMatchObject({ severity: 'error', path: expect.stringContaining('sensors') });
});

test("the ai-pipeline's settings are all live", () => {
  const { effects } = planTwin('ai-pipeline', { outputVideoLength: 10 }, { outputVideoLength: 20, preRollTime: 3 });
  expect(effects.map(({ node, text }) => `${node}: ${text}`)).toEqual([
    'ai-pipeline/outputVideoLength: 10 becomes 20; applies from the next clip on',
    'ai-pipeline/preRollTime: 2 becomes 3; applies from the next clip on',
  ]);
});

test("the VideoUploader's settings are live, too", () => {
  const { effects, issues } = planTwin(
    'VideoUploader',
    { bandwidthKBps: 64 },
    { bandwidthKBps: null, announceClips: false },
  );
  expect(effects.map(({ node, text }) => `${node}: ${text}`)).toEqual([
    'VideoUploader/bandwidthKBps: 64 becomes 0; applies at once',
    'VideoUploader/announceClips: true becomes false; applies at once',
  ]);
  expect(issues).toEqual([]);
});

test.each<[string, TwinObject, readonly string[]]>([
  ['ai-pipeline', { outputVideoLength: 1e308 }, ['error outputVideoLength']],
  ['BusinessLogicModule', { startRecording: { configId: 'Cars', state: true } }, ['error startRecording']],
  ['BusinessLogicModule', { startRecordng: [] }, ['warning startRecordng']],
  ['VideoUploader', { bandwidthKBps: '64', bandwith: 1 }, ['error bandwidthKBps', 'warning bandwith']],
  ['constructor', { a: 1 }, []],
])('what %s would say of %j is said before', (module, patch, issues) => {
  const plan = planTwin(module, {}, patch);
  expect(plan.issues.map(({ severity, path }) => `${severity} ${path}`)).toEqual(issues);
});
