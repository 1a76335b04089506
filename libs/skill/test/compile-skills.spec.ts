import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { validateComponents } from '@vantage/contracts';
import {
  compileComponents,
  compileSkills,
  describeStep,
  planChange,
  type PlanStep,
  type SkillGraph,
} from '../src/index.ts';
import { CAMERA, DETECTOR, HUB, skillOf, type NodeText } from './skill-fixture.ts';

const SENSORS = ['gate', 'yard'].map((name) => ({ name, endpoint: `rtsp://host/${name}` }));
const MODELS = [{ name: 'people', configFile: 'people.txt' }];

function components(...skills: readonly Record<string, unknown>[]) {
  const { components: result, errors } = validateComponents({ sensors: SENSORS, models: MODELS, skills });
  expect(errors).toEqual([]);
  return result!;
}

const watch = (nodes: readonly NodeText[], more: Record<string, unknown> = {}) => ({
  id: 'watch',
  ...skillOf(nodes),
  instances: [{ id: 'door', sensors: ['gate'] }],
  ...more,
});

const filter = (threshold: string): NodeText => ({
  id: 'f',
  type: 'transform',
  name: 'filter_transform',
  configurations: { confidence_threshold: threshold },
});
const grpc = (port: number): NodeText => ({
  id: 'g',
  type: 'transform',
  name: 'grpc_transform',
  configurations: { endpoint_url: `h:${port}` },
});

describe('skills of a configuration', () => {
  test('a bad one says where, by twin path and node, and does not stop the others', () => {
    const bad = {
      ...watch([CAMERA, { ...DETECTOR, name: 'poeple' }, HUB]),
      id: 'bad',
      instances: [{ id: 'b', sensors: ['gate'] }],
    };
    const { graphs, issues } = compileSkills(components(bad, watch([CAMERA, DETECTOR, HUB])));
    expect(graphs.map(({ id }) => id)).toEqual(['door']);
    expect(issues).toEqual([
      {
        severity: 'error',
        instance: 'b',
        path: 'components.skills[0].nodes[1]',
        message: 'node "1": there is no model "poeple". Did you mean "people"? The skill is left out.',
      },
    ]);
  });

  test('a document as text, in Symphony’s form', () => {
    const document = JSON.stringify({
      kind: 'Skill',
      metadata: { name: 'x' },
      spec: skillOf([CAMERA, DETECTOR, filter('200'), HUB]),
    });
    const { issues } = compileSkills(components({ id: 'text', document, instances: [{ id: 't', sensors: ['gate'] }] }));
    expect(issues.map(({ path }) => path)).toEqual([
      'components.skills[0].document.spec.nodes[2].configurations.confidence_threshold',
    ]);
  });

  test('what is wrong is also said to whom compiles the whole configuration', () => {
    const { notes } = compileComponents(components(watch([CAMERA, DETECTOR, filter('x'), HUB])));
    expect(notes).toEqual([
      {
        pipeline: 'door',
        message: expect.stringMatching(
          /^components\.skills\[0\]\.nodes\[2\]\.configurations\.conf.*: node "f": expected a number/,
        ),
      },
    ]);
  });
});

describe('changes of skills', () => {
  const graphsOf = (...skills: readonly Record<string, unknown>[]) => compileComponents(components(...skills)).graphs;
  const effects = (before: readonly SkillGraph[], after: readonly SkillGraph[]) =>
    planChange(before, after)
      .map(describeStep)
      .map(({ how, node }) => `${how} ${node}`);
  const base = watch([CAMERA, DETECTOR, filter('50'), grpc(1), HUB]);

  test.each<[string, Record<string, unknown>, string[]]>([
    ['the same', base, []],
    ['another threshold', watch([CAMERA, DETECTOR, filter('60'), grpc(1), HUB]), ['live door/f']],
    ['another endpoint: only that node', watch([CAMERA, DETECTOR, filter('50'), grpc(2), HUB]), ['restart door/g']],
    ['a node less', watch([CAMERA, DETECTOR, grpc(1), HUB]), ['live door']],
    ['a node less and another threshold', watch([CAMERA, DETECTOR, filter('60'), HUB]), ['live door']],
    ['another camera', { ...base, instances: [{ id: 'door', sensors: ['gate', 'yard'] }] }, ['add door/camera yard']],
    [
      'fps',
      { ...base, instances: [{ id: 'door', sensors: ['gate'], parameters: { fps: '3' } }] },
      ['live door/camera gate'],
    ],
    ['another name', { ...base, instances: [{ id: 'gate', sensors: ['gate'] }] }, ['remove door', 'add gate']],
    ['another skill in its place', { ...base, id: 'other' }, ['remove door', 'add door']],
  ])('%s', (_name, after, expected) => {
    expect(effects(graphsOf(base), graphsOf(after))).toEqual(expected);
  });

  test('a parser of another pipeline does not touch a skill', () => {
    const other = watch([CAMERA, DETECTOR, HUB], { id: 'other', instances: [{ id: 'o', sensors: ['yard'] }] });
    expect(effects(graphsOf(base, other), graphsOf(base))).toEqual(['remove o']);
  });

  const node = fc.constantFrom(filter('10'), filter('20'), grpc(1), grpc(2), {
    id: 't',
    type: 'transform',
    name: 'tracker',
  });
  const skills = fc.record({
    nodes: fc.uniqueArray(node, { selector: ({ id }) => id }),
    sensors: fc.constantFrom(['gate'], ['yard'], ['gate', 'yard']),
    fps: fc.constantFrom('5', '9'),
    fanned: fc.boolean(),
  });
  const built = skills.map(({ nodes, sensors, fps, fanned }) => {
    const list = [CAMERA, DETECTOR, ...nodes, HUB];
    const chain = list.slice(1).map(({ id }, index) => [list[index]!.id, id] as const);
    const edges = fanned ? [...chain, ['1', '9'] as const] : chain;
    return graphsOf({
      id: 'watch',
      ...skillOf(list, edges),
      instances: [{ id: 'door', sensors, parameters: { fps } }],
    });
  });

  test('no steps exactly when both are the same, and each step says what it touches', () => {
    fc.assert(
      fc.property(built, built, (before, after) => {
        const steps = planChange(before, after);
        expect(steps.length === 0).toBe(JSON.stringify(before) === JSON.stringify(after));
        expect(JSON.stringify(applied(before[0]!, steps, after[0]!))).toBe(JSON.stringify(normal(after[0]!)));
      }),
    );
  });
});

/** What would run: each step takes what it names, and nothing else, from the wanted graph. */
function applied(before: SkillGraph, steps: readonly PlanStep[], after: SkillGraph): unknown {
  const nodes = new Map(before.nodes.map((one) => [one.id, one]));
  const take = (id: string): void => {
    const one = after.nodes.find((other) => other.id === id);
    if (one) nodes.set(id, one);
    else nodes.delete(id);
  };
  let { edges } = before;
  for (const step of steps) {
    if ('sensor' in step) take(`source/${step.sensor}`);
    else if (step.action === 'setGraph') {
      for (const { id, kind } of [...before.nodes, ...after.nodes]) if (kind !== 'source' && kind !== 'model') take(id);
      edges = after.edges;
    } else if (step.action === 'swapTracker') take('t');
    else if ('node' in step) take(step.node);
  }
  // Edges of a camera come and go with it.
  const cameras = new Set(after.nodes.filter(({ kind }) => kind === 'source').map(({ id }) => id));
  const rest = edges.filter(({ from }) => !from.startsWith('source/'));
  const own = after.edges.filter(({ from }) => cameras.has(from));
  return normal({ ...after, nodes: [...nodes.values()], edges: [...rest, ...own] });
}

function normal(graph: SkillGraph): unknown {
  const byText = (list: readonly unknown[]) => list.map((one) => JSON.stringify(one)).sort();
  return { nodes: byText(graph.nodes), edges: byText(graph.edges) };
}
