import { expect, test } from '@jest/globals';
import { validateComponents } from '@vantage/contracts';
import {
  compileComponents,
  describeStep,
  planChange,
  primaryModel,
  secondaryModels,
  type CompileResult,
} from './index.ts';

function compiled(pipeline: Record<string, unknown>): CompileResult {
  const { components, errors } = validateComponents({
    sensors: [{ name: 'gate', kind: { type: 'vision', subtype: 'RTSP' }, endpoint: 'rtsp://host/a' }],
    deepStream: {
      enable: true,
      pipelineConfigs: [{ id: 'Cars', primaryModelConfigPath: 'cars.txt', ...pipeline }],
      streams: [{ name: 'gate', configId: 'Cars' }],
    },
  });
  expect(errors).toEqual([]);
  return compileComponents(components!);
}

test('everything a pipeline names becomes a node: models in cascade order, parsers, tracker, dewarp, crop', () => {
  const { graphs, notes } = compiled({
    unsecureZipUrl: 'https://host/a.zip',
    primaryModelConfigPath: { configFile: 'cars.txt', pyFile: 'cars.py' },
    secondaryModelConfigPaths: ['colour.txt', { configFile: 'plate.txt', jsFile: 'plate.js' }],
    trackerConfigPath: 'tracker.txt',
    pipelineOptions: {
      dewarp: { enable: true, config_file: 'dewarp.txt' },
      crop: { enable: true, x0: 0, x1: 9, y0: 10, y1: 19 },
      analytics: { enable: true, config_file: 'rules.txt' },
    },
  });
  const [graph] = graphs;
  const zip = { url: 'https://host/a.zip' };
  expect(graph!.nodes.map(({ id }) => id)).toEqual([
    'source/gate',
    'model/primary',
    'tracker',
    'model/secondary-1',
    'model/secondary-2',
    'analytics',
    'inference',
    'recorder',
  ]);
  expect(primaryModel(graph!)).toMatchObject({ configFile: 'cars.txt', pyFile: 'cars.py', package: zip });
  expect(secondaryModels(graph!)).toMatchObject([
    { configFile: 'colour.txt', role: { secondary: 0 }, package: zip },
    { configFile: 'plate.txt', jsFile: 'plate.js', role: { secondary: 1 } },
  ]);
  expect(graph!.nodes[0]).toMatchObject({
    dewarp: { configFile: 'dewarp.txt', package: zip },
    crop: { left: 0, top: 10, height: 10 },
  });
  expect(graph!.nodes[2]).toMatchObject({ algorithm: 'file', configFile: 'tracker.txt', package: zip });
  expect(graph!.nodes[5]).toMatchObject({ configFile: 'rules.txt', package: zip });
  expect(notes).toEqual([]);
});

test.each([[{ deepstreamPassthrough: 'fakesrc ! fakesink' }, 0, /there is no GStreamer here/]])(
  'what cannot be done is said: %j',
  (pipeline, graphs, note) => {
    const result = compiled(pipeline);
    expect(result.graphs).toHaveLength(graphs);
    expect(result.notes.map(({ message }) => message)).toEqual([expect.stringMatching(note)]);
  },
);

test('osd asks for a second clip with overlays, and for nothing else', () => {
  const [plain, overlay] = [{}, { pipelineOptions: { osd: { enable: true } } }].map((one) => compiled(one));
  const recorder = overlay!.graphs[0]!.nodes.find(({ kind }) => kind === 'recorder');
  expect(recorder).toEqual({ kind: 'recorder', id: 'recorder', prefix: 'cars', overlay: true });
  expect(overlay!.notes).toEqual([]);
  expect(planChange(plain!.graphs, overlay!.graphs)).toEqual([]);
});

test('each step of a plan tells what it is about and how it is felt', () => {
  const before = compiled({}).graphs;
  const after = compiled({ primaryModelConfigPath: 'vans.txt', secondaryModelConfigPaths: 'colour.txt' }).graphs;
  expect(
    planChange(before, after)
      .map(describeStep)
      .map(({ how, node }) => `${how} ${node}`),
  ).toEqual(['swap Cars/model/primary', 'swap Cars/model/secondary-1']);
  expect(
    planChange(before, [])
      .map(describeStep)
      .map(({ how, node }) => `${how} ${node}`),
  ).toEqual(['remove Cars']);
});
