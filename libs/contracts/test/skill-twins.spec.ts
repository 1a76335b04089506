import { describe, expect, test } from '@jest/globals';
import { streamUri, validateComponents, type Components } from '../src/index.ts';

const NODES = [{ id: '0', type: 'source', name: 'rtsp' }];

function components(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    sensors: ['gate', 'yard'].map((name) => ({ name, endpoint: `rtsp://host/${name}` })),
    models: [{ name: 'people', unsecureZipUrl: 'https://host/p.zip', configFile: 'p.txt', parser: 'YOLOv4' }],
    skills: [
      {
        id: 'watch',
        nodes: NODES,
        edges: [],
        instances: [
          { id: 'door', sensors: ['gate', { name: 'yard', uname: 'u', password: 'p', parameters: { fps: 5 } }] },
        ],
      },
    ],
    ...change,
  };
}

function read(change: Record<string, unknown> = {}) {
  const { components: result, accepted, errors, warnings } = validateComponents(components(change), {});
  const lines = [...errors, ...warnings].map(({ severity, path, message }) => `${severity} ${path}: ${message}`);
  return { result, accepted, lines };
}

/** `skill/instance: cameras` of what is left. */
function left(result: Components | undefined): string[] {
  return (result?.skills ?? []).flatMap(({ id, instances }) =>
    instances.map((one) => `${id}/${one.id}: ${one.sensors.map(({ sensor }) => sensor.name).join()}`),
  );
}

const skill = (instances: unknown, more: Record<string, unknown> = {}) => ({
  id: 'watch',
  nodes: NODES,
  edges: [],
  instances,
  ...more,
});

describe('skills of a twin', () => {
  test('without pipelines: cameras, credentials, parameters, models; all of it is passed on', () => {
    const { result, accepted, lines } = read();
    expect(lines).toEqual([]);
    expect(accepted).toEqual(components());
    expect(left(result)).toEqual(['watch/door: gate,yard']);
    const [watch] = result!.skills;
    expect(watch).toMatchObject({ path: 'components.skills[0]', document: { nodes: NODES, edges: [] } });
    const yard = watch!.instances[0]!.sensors[1]!;
    expect([streamUri(yard), yard.parameters]).toEqual(['rtsp://u:p@host/yard', { fps: '5' }]);
    expect(result!.models).toEqual([
      { name: 'people', zip: { url: 'https://host/p.zip' }, configFile: 'p.txt', parser: 'yolov4', type: 'detection' },
    ]);
  });

  test('beside pipelines, on the same camera', () => {
    const deepStream = { pipelineConfigs: [{ id: 'People' }], streams: [{ name: 'gate', configId: 'People' }] };
    const { result, lines } = read({ deepStream });
    expect([lines, result!.pipelines.length, left(result)]).toEqual([[], 1, ['watch/door: gate,yard']]);
  });

  test('a document may be text', () => {
    const { result, lines } = read({
      skills: [{ id: 'watch', document: 'kind: Skill', instances: [{ id: 'd', sensors: ['gate'] }] }],
    });
    expect([lines, result!.skills[0]!.document, result!.skills[0]!.path]).toEqual([
      [],
      'kind: Skill',
      'components.skills[0].document',
    ]);
  });

  const good = { id: 'b', sensors: ['yard'] };
  test.each<[string, Record<string, unknown>, RegExp[], string[]]>([
    [
      'a camera that is not there',
      { skills: [skill([{ id: 'a', sensors: ['gat', 'yard'] }])] },
      [
        /^error components\.skills\[0\]\.instances\[0\]\.sensors\[0\]: there is no sensor "gat"\. Did you mean "gate"\?/,
      ],
      ['watch/a: yard'],
    ],
    [
      'an instance without a camera',
      { skills: [skill([{ id: 'a', sensors: [] }, good])] },
      [/^error .*instances\[0\]\.sensors: names no camera/],
      ['watch/b: yard'],
    ],
    [
      'an instance without an id',
      { skills: [skill([{ sensors: ['gate'] }, good])] },
      [/^error .*instances\[0\]\.id: is missing/],
      ['watch/b: yard'],
    ],
    [
      'two instances of one id',
      { skills: [skill([good, good])] },
      [/^error .*instances\[1\]\.id: "b" is also the name of the instance "b"/],
      ['watch/b: yard'],
    ],
    [
      'an id that another gets by a camera',
      { skills: [skill([good, { id: 'B.Yard', sensors: ['gate'] }])] },
      [/^error .*instances\[1\]\.id: "b\.yard" is also/, /^warning .*are safe everywhere/],
      ['watch/b: yard'],
    ],
    [
      'two skills of one id',
      { skills: [skill([good]), skill([{ id: 'c', sensors: ['gate'] }])] },
      [/^error components\.skills\[1\]\.id: there is another skill "watch"/],
      ['watch/b: yard'],
    ],
    [
      'a skill that is a number',
      { skills: [7, skill([good])] },
      [/^error components\.skills\[0\]: expected an object/],
      ['watch/b: yard'],
    ],
    [
      'a skill without nodes',
      { skills: [{ id: 'x' }, skill([good])] },
      [/^error components\.skills\[0\]: has neither nodes/],
      ['watch/b: yard'],
    ],
    [
      'a skill without an instance',
      { skills: [skill(undefined, { id: 'x' }), skill([good])] },
      [/^warning components\.skills\[0\]\.instances: "x" has no instance/],
      ['watch/b: yard'],
    ],
    [
      'a parameter that is a list',
      { skills: [skill([{ id: 'a', sensors: ['gate'], parameters: { fps: [] } }, good])] },
      [/^error .*instances\[0\]\.parameters\.fps/],
      ['watch/b: yard'],
    ],
    [
      'a misspelt key',
      { skills: [skill([{ ...good, parameter: {} }])] },
      [/^warning .*unknown key "parameter".*Did you mean "parameters"/],
      ['watch/b: yard'],
    ],
    [
      'a model without a file',
      { models: [{ name: 'x' }] },
      [/^error components\.models\[0\]\.configFile: is missing/],
      ['watch/door: gate,yard'],
    ],
    [
      'a model with an unknown parser',
      { models: [{ name: 'x', configFile: 'x', parser: 'y' }] },
      [/^error components\.models\[0\]\.parser: there is no parser "y"/],
      ['watch/door: gate,yard'],
    ],
    [
      'skills that are no list',
      { skills: {}, deepStream: { pipelineConfigs: [{ id: 'P' }], streams: [{ name: 'gate', configId: 'P' }] } },
      [/^error components\.skills: expected a list/],
      [],
    ],
  ])('%s: the rest runs', (_name, change, expected, running) => {
    const { result, lines } = read(change);
    expect(lines).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
    expect(left(result)).toEqual(running);
  });

  test('an instance cannot have the id of a pipeline', () => {
    const deepStream = { pipelineConfigs: [{ id: 'Door' }], streams: [{ name: 'gate', configId: 'Door' }] };
    expect(read({ deepStream }).lines).toEqual([
      expect.stringMatching(
        /^error components\.skills\[0\]\.instances\[0\]\.id: "door" is also the name of a pipelineConfig/,
      ),
      expect.stringMatching(/no instance/),
    ]);
  });

  test('where nothing is left to run, what ran before is kept', () => {
    const { result, lines } = read({ skills: [skill([{ id: 'a', sensors: ['nobody'] }])] });
    expect(result).toBeUndefined();
    expect(lines.join('\n')).toMatch(/no stream is left that could run/);
  });
});
