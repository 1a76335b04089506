import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  compileSkill,
  isFatal,
  nodesOf,
  parseSkill,
  primaryModel,
  secondaryModels,
  type CompiledSkill,
  type SkillCamera,
  type SkillInstance,
  type SkillModel,
} from '../src/index.ts';
import { NODE_TYPES } from '../src/document/nodes/registry.ts';
import { CAMERA, DETECTOR, HUB, linesOf, PARAMETERS, skillOf, type NodeText } from './skill-fixture.ts';

const MODELS = new Map<string, SkillModel>([
  [
    'people',
    { name: 'people', package: { url: 'https://host/people.zip' }, configFile: 'people.txt', parser: 'yolov4' },
  ],
  ['colours', { name: 'colours', configFile: 'colours.txt', type: 'classification' }],
  ['faces', { name: 'faces', configFile: 'faces.txt', type: 'detection' }],
]);

function camera(
  sensor: string,
  parameters?: Record<string, string>,
  change: Partial<SkillCamera['source']> = {},
): SkillCamera {
  const place = { id: `source/${sensor}`, sensor, url: `rtsp://host/${sensor}`, regions: [] } as const;
  return {
    source: { kind: 'source', ...place, pace: 'realtime', loop: false, ...change },
    ...(parameters ? { parameters } : {}),
  };
}

function compiled(skill: unknown, change: Partial<SkillInstance> = {}): CompiledSkill {
  const { document } = parseSkill(skill);
  return compileSkill(document!, { id: 'door', skill: 'watch', cameras: [camera('gate')], ...change }, MODELS);
}

const GRPC: NodeText = {
  id: '2',
  type: 'transform',
  name: 'grpc_transform',
  configurations: { endpoint_url: 'h:6677' },
};
const TRACKER: NodeText = { id: 't', type: 'transform', name: 'tracker' };
const model = (id: string, name: string, configurations: Record<string, string> = {}): NodeText => ({
  id,
  type: 'model',
  name,
  configurations,
});

describe('compileSkill', () => {
  test('a skill becomes a graph with its defaults, ids and queues', () => {
    const zone = {
      id: 'z',
      type: 'transform',
      name: 'zone',
      configurations: { rule: 'dwell', region: 'door', seconds: '5' },
    };
    const exports: NodeText[] = [
      { id: 'h', type: 'export', name: 'http_export', configurations: { url: 'http://10.0.0.9:5000/gate' } },
      { id: 'm', type: 'export', name: 'mqtt_export' },
      {
        id: 'e',
        type: 'export',
        name: 'iotedge_export',
        configurations: { module_name: 'm', module_input: 'in', delay_buffer: '1' },
      },
      {
        id: 's',
        type: 'export',
        name: 'video_snippet_export',
        configurations: { filename_prefix: 'rev', device_displayname: '$param(device_displayname)' },
      },
    ];
    const edges = [
      ['0', '1'],
      ['1', 't'],
      ['t', '2'],
      ['2', 'z'],
      ...exports.map(({ id }) => ['z', id] as const),
    ] as const;
    const parameters = { ...PARAMETERS, device_displayname: 'invalid' };
    const region = {
      label: 'door',
      color: '#ff0000',
      coordinates: [
        [0, 0],
        [1, 0],
        [1, 1],
      ],
    } as const;
    const { graphs, issues } = compiled(
      skillOf([CAMERA, DETECTOR, TRACKER, GRPC, zone, ...exports], edges, parameters),
      {
        cameras: [camera('gate', undefined, { regions: [region] })],
      },
    );
    expect(linesOf(issues)).toEqual([]);
    const [graph] = graphs;
    expect(graph).toMatchObject({ id: 'door', skill: { instance: 'door', skill: 'watch' } });
    expect(graph!.nodes.map(({ kind, id }) => `${kind} ${id}`)).toEqual([
      'source source/gate',
      'model 1',
      'tracker t',
      'custom 2',
      'rule z',
      'export h',
      'export m',
      'export e',
      'snippet s',
    ]);
    const byId = new Map(graph!.nodes.map((node) => [node.id, node]));
    expect(byId.get('1')).toEqual({
      kind: 'model',
      id: '1',
      role: 'primary',
      package: { url: 'https://host/people.zip' },
      configFile: 'people.txt',
      parser: 'yolov4',
    });
    expect(byId.get('2')).toMatchObject({
      endpoint: 'h:6677',
      inFlight: 1,
      onFailure: 'pass',
      merge: 'append',
      sharedMemory: 'auto',
    });
    expect(byId.get('z')).toMatchObject({
      rule: { type: 'dwell', area: { region: 'door' }, seconds: 5, anchor: 'bottomCentre' },
    });
    expect(byId.get('h')).toEqual({
      kind: 'export',
      id: 'h',
      to: { kind: 'http', url: 'http://10.0.0.9:5000/gate', doubleEncoded: false },
    });
    expect(byId.get('m')).toMatchObject({
      everySeconds: 6,
      to: { broker: 'mqtt.default.svc.cluster.local:1883', topic: 'mqttmessage' },
    });
    expect(byId.get('e')).toMatchObject({
      everySeconds: 1,
      to: { kind: 'output', output: 'localmetrics', brokered: { module: 'm', input: 'in' } },
    });
    expect(byId.get('s')).toEqual({
      kind: 'snippet',
      id: 's',
      prefix: 'rev',
      durationSeconds: 1,
      everyMinutes: 1,
      overlay: true,
      instance: 'door',
      skill: 'gate',
    });
    expect(graph!.edges.map(({ from, to, queue }) => `${from}>${to} ${queue.policy} ${queue.capacity}`)).toEqual([
      'source/gate>1 latest 1',
      '1>t block 2',
      't>2 dropOldest 2',
      '2>z block 2',
      'z>h dropOldest 30',
      'z>m dropOldest 30',
      'z>e dropOldest 30',
      'z>s dropOldest 2',
    ]);
  });

  test('fps: what the instance says, else what the author picked, else 30 (H 20)', () => {
    const fps = (parameters: Record<string, string>, own: Record<string, string>) =>
      nodesOf(
        compiled(skillOf([CAMERA, DETECTOR, HUB], undefined, parameters), { parameters: own }).graphs[0]!,
        'source',
      )[0]!.maxFps;
    const declared = { rtsp: 'invalid', fps: 'invalid', device_id: 'invalid' };
    expect([
      fps(declared, {}),
      fps(declared, { fps: '5' }),
      fps(declared, { fps: 'invalid' }),
      fps(declared, { fps: '0' }),
    ]).toEqual([30, 5, 30, 0.001]);
    expect([fps(PARAMETERS, {}), fps(PARAMETERS, { fps: '7.5' })]).toEqual([15, 7.5]);
  });

  test('a classifier behind a detector looks at objects, a detector behind one at the frame, unless told otherwise', () => {
    const chain = (...nodes: NodeText[]) => compiled(skillOf([CAMERA, ...nodes, HUB])).graphs[0]!;
    const roles = (...nodes: NodeText[]) => nodesOf(chain(...nodes), 'model').map(({ id, role }) => [id, role]);
    expect(roles(model('1', 'people'), model('2', 'colours'))).toEqual([
      ['1', 'primary'],
      ['2', { secondary: 0 }],
    ]);
    expect(roles(model('1', 'colours'))).toEqual([['1', 'primary']]);
    expect(roles(model('1', 'people'), model('2', 'faces'))).toEqual([
      ['1', 'primary'],
      ['2', 'primary'],
    ]);
    expect(roles(model('1', 'people'), model('2', 'faces', { operate_on: 'objects' }), model('3', 'colours'))).toEqual([
      ['1', 'primary'],
      ['2', { secondary: 0 }],
      ['3', { secondary: 1 }],
    ]);
    expect(roles(GRPC, model('1', 'colours'))).toEqual([['1', { secondary: 0 }]]);
    const graph = chain(model('1', 'people'), model('2', 'colours'));
    expect([primaryModel(graph)?.id, secondaryModels(graph).map(({ id }) => id)]).toEqual(['1', ['2']]);
  });

  test('cameras share a graph; one whose own parameters make other nodes has its own', () => {
    const filter = {
      id: 'f',
      type: 'transform',
      name: 'filter_transform',
      configurations: { confidence_threshold: '$param(threshold)' },
    };
    const skill = skillOf([CAMERA, DETECTOR, filter, HUB], undefined, { ...PARAMETERS, threshold: '50' });
    const cameras = [
      camera('a', { threshold: '80' }),
      camera('b'),
      camera('c', { fps: '3' }),
      camera('d', { threshold: '50' }),
    ];
    const { graphs } = compiled(skill, { cameras });
    expect(
      graphs.map((graph) => [
        graph.id,
        nodesOf(graph, 'source').map(({ sensor }) => sensor),
        nodesOf(graph, 'filter')[0]!.minConfidence,
      ]),
    ).toEqual([
      ['door.a', ['a'], 0.8],
      ['door', ['b', 'c', 'd'], 0.5],
    ]);
  });

  test('labels that are no list are no filter at run time, and it is said (H 19)', () => {
    const filter = {
      id: 'f',
      type: 'transform',
      name: 'filter_transform',
      configurations: { labels: '__import__("os")' },
    };
    const { graphs, issues } = compiled(skillOf([CAMERA, DETECTOR, filter, HUB]));
    expect(nodesOf(graphs[0]!, 'filter')[0]!.labels).toEqual([]);
    expect(issues).toMatchObject([{ node: 'f', atRunTime: 'labels are not filtered' }]);
  });

  test('a window on a screen is accepted and does nothing', () => {
    const { graphs, issues } = compiled(
      skillOf([CAMERA, DETECTOR, { id: 'w', type: 'export', name: 'cv2_imshow_export' }]),
    );
    expect(graphs[0]!.nodes.map(({ id }) => id)).toEqual(['source/gate', '1']);
    expect(linesOf(issues)).toEqual([expect.stringMatching(/^warning w .*no screen/)]);
  });

  test.each<[string, NodeText[], RegExp]>([
    [
      'an unknown model',
      [model('1', 'peoples')],
      /^error 1 nodes\[1\]: there is no model "peoples"\. Did you mean "people"\?/,
    ],
    ['a cycle of one', [{ ...GRPC, configurations: { endpoint_url: 'h' } }], /^error 2 .*endpoint_url: has no port/],
  ])('%s keeps the skill from running', (_name, nodes, expected) => {
    const { graphs, issues } = compiled(skillOf([CAMERA, ...nodes, HUB]));
    expect([graphs, linesOf(issues)]).toEqual([[], [expect.stringMatching(expected)]]);
  });

  test('rules that lack a tracker or a region say so', () => {
    const line = { id: 'l', type: 'transform', name: 'line_crossing', configurations: { line: '[[0,0],[1,1]]' } };
    const zone = { id: 'z', type: 'transform', name: 'zone', configurations: { region: 'door' } };
    expect(linesOf(compiled(skillOf([CAMERA, DETECTOR, line, zone, HUB])).issues)).toEqual([
      expect.stringMatching(/^warning l .*put a tracker before it/),
      expect.stringMatching(/^warning z .*configurations\.region: the camera "gate" has no region "door"/),
    ]);
    expect(compiled(skillOf([CAMERA, DETECTOR, TRACKER, line, HUB])).issues).toEqual([]);
  });

  test('branches behind a node go their own ways, each with a queue that drops what it cannot take (H 21)', () => {
    const http = (id: string): NodeText => ({
      id,
      type: 'export',
      name: 'http_export',
      configurations: { url: `http://h/${id}` },
    });
    const filter: NodeText = { id: 'f', type: 'transform', name: 'filter_transform' };
    const edges = [
      ['0', '2'],
      ['2', 'f'],
      ['f', 'a'],
      ['2', 'b'],
    ] as const;
    const [graph] = compiled(skillOf([CAMERA, GRPC, filter, http('a'), http('b')], edges)).graphs;
    expect(graph!.edges.map(({ from, to, queue }) => `${from}>${to} ${queue.policy}`)).toEqual([
      'source/gate>2 latest',
      '2>f dropOldest',
      'f>a dropOldest',
      '2>b dropOldest',
    ]);
  });

  test('whatever a skill says, it compiles or is refused: nothing is thrown, nothing hangs in the air', () => {
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom('0', '1', '-5', 'true', '$param(a)', '[]', '{}', '[[0,0],[1,0],[1,1]]', 'h:6677', 'http://h/'),
      fc.anything(),
    );
    const key = fc.constantFrom(
      ...['type', 'endpoint_url', 'labels', 'confidence_threshold', 'url', 'polygon', 'line', 'rule', 'region'],
      ...['per_class', 'port', 'env', 'delay_buffer', 'filename_prefix', 'fps', 'operate_on', '__proto__'],
    );
    const [types, names] = [NODE_TYPES.map(({ type }) => type), NODE_TYPES.map(({ name }) => name ?? 'people')];
    const node = fc.record({
      id: fc.constantFrom('0', '1', '2', '3'),
      kind: fc.nat({ max: names.length - 1 }),
      configurations: fc.dictionary(key, value),
    });
    const ends = fc.tuple(fc.constantFrom('0', '1', '2', '3'), fc.constantFrom('1', '2', '3', '9'));
    fc.assert(
      fc.property(fc.array(node), fc.array(ends), fc.boolean(), (nodes, edges, whole) => {
        const own = nodes.map(({ id, kind, configurations }) => ({
          ...{ id: `n${id}`, type: types[kind]!, name: names[kind]! },
          configurations,
        }));
        const links = edges.map(([from, to]) => [`n${from}`, `n${to}`] as const);
        const chain = [CAMERA, DETECTOR, ...own.slice(0, 1), HUB];
        const skill = whole ? skillOf(chain) : skillOf([CAMERA, DETECTOR, ...own, HUB], [['0', '1'], ...links]);
        const { graphs, issues } = compiled(skill);
        expect(issues.length).toBeLessThanOrEqual(101);
        if (graphs.length === 0) expect(issues.some(isFatal)).toBe(true);
        for (const graph of graphs) {
          const ids = new Set(graph.nodes.map(({ id }) => id));
          for (const { from, to } of graph.edges) expect([ids.has(from), ids.has(to)]).toEqual([true, true]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a file that is read as fast as it goes waits instead of losing frames', () => {
    const { graphs } = compiled(skillOf([CAMERA, GRPC, HUB]), {
      cameras: [camera('gate', undefined, { pace: 'asFastAsPossible' })],
    });
    expect(graphs[0]!.edges.map(({ queue }) => queue.policy)).toEqual(['block', 'block']);
  });
});
