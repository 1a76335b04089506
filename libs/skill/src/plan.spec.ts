import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planChange, type PlanStep } from './plan.ts';
import type { SkillGraph, SourceNode } from './graph.ts';

const DOOR = {
  label: 'door',
  color: '#ff0000',
  coordinates: [
    [0, 0],
    [0, 0.5],
    [0.5, 0.5],
  ],
} as const;

function source(sensor: string, change: Partial<SourceNode> = {}): SourceNode {
  const url = `rtsp://host/${sensor}`;
  return { kind: 'source', id: `source/${sensor}`, sensor, url, regions: [], pace: 'realtime', loop: false, ...change };
}

function graph(id: string, sources: readonly SourceNode[], model = 'a.txt', tracked = true): SkillGraph {
  return {
    id,
    nodes: [
      ...sources,
      { kind: 'model', id: 'model/primary', configFile: model },
      ...(tracked ? [{ kind: 'tracker', id: 'tracker', algorithm: 'light' } as const] : []),
    ],
    edges: [],
  };
}

function cascade(secondary: string): SkillGraph {
  const base = graph('People', [source('gate'), source('yard')]);
  const node = {
    kind: 'model',
    id: 'model/secondary-1',
    role: { secondary: 0 },
    configFile: secondary,
  } as const;
  return { ...base, nodes: [...base.nodes, node] };
}

describe('planChange', () => {
  const people = graph('People', [source('gate'), source('yard')]);

  test.each<[string, SkillGraph[], SkillGraph[], PlanStep[]]>([
    ['nothing to nothing', [], [], []],
    ['the same', [people], [people], []],
    ['first pipeline', [], [people], [{ action: 'addPipeline', pipeline: 'People' }]],
    ['last pipeline', [people], [], [{ action: 'removePipeline', pipeline: 'People' }]],
    [
      'a region moved: only that camera hears of it',
      [people],
      [graph('People', [source('gate', { regions: [DOOR] }), source('yard')])],
      [{ action: 'setRegions', pipeline: 'People', sensor: 'gate' }],
    ],
    [
      'another camera: the first is left alone',
      [graph('People', [source('gate')])],
      [people],
      [{ action: 'addCamera', pipeline: 'People', sensor: 'yard' }],
    ],
    [
      'another address: that camera is opened again',
      [people],
      [graph('People', [source('gate', { url: 'rtsp://host/other' }), source('yard')])],
      [{ action: 'reopenCamera', pipeline: 'People', sensor: 'gate', why: 'its address changed' }],
    ],
    [
      'another model: no camera is opened again',
      [people],
      [graph('People', [source('gate'), source('yard')], 'b.txt')],
      [{ action: 'swapModel', pipeline: 'People', node: 'model/primary', why: 'another configuration file is named' }],
    ],
    [
      'another crop: other pictures of the same stream',
      [people],
      [graph('People', [source('gate', { crop: { left: 0, top: 0, width: 9, height: 9 } }), source('yard')])],
      [{ action: 'setPicture', pipeline: 'People', sensor: 'gate', why: 'its crop changed' }],
    ],
    [
      'a secondary model joins',
      [people],
      [cascade('colour.txt')],
      [{ action: 'addModel', pipeline: 'People', node: 'model/secondary-1' }],
    ],
    [
      'another secondary model',
      [cascade('colour.txt')],
      [cascade('make.txt')],
      [
        {
          action: 'swapModel',
          pipeline: 'People',
          node: 'model/secondary-1',
          why: 'another configuration file is named',
        },
      ],
    ],
    [
      'the secondary model is left out',
      [cascade('colour.txt')],
      [people],
      [{ action: 'removeModel', pipeline: 'People', node: 'model/secondary-1' }],
    ],
    [
      'rules of an nvdsanalytics file',
      [people],
      [{ ...people, nodes: [...people.nodes, { kind: 'analytics', id: 'analytics', configFile: 'a.txt' } as const] }],
      [{ action: 'setAnalytics', pipeline: 'People' }],
    ],
    [
      'tracker off',
      [people],
      [graph('People', [source('gate'), source('yard')], 'a.txt', false)],
      [{ action: 'swapTracker', pipeline: 'People', why: 'no tracker is named' }],
    ],
  ])('%s', (_name, current, wanted, steps) => {
    expect(planChange(current, wanted)).toEqual(steps);
  });

  const sensors = fc.uniqueArray(
    fc.record({
      sensor: fc.constantFrom('a', 'b', 'c'),
      url: fc.constantFrom('u1', 'u2'),
      regions: fc.constantFrom([], [DOOR]),
    }),
    { selector: (value) => value.sensor },
  );
  const graphs = fc.uniqueArray(
    fc
      .record({
        id: fc.constantFrom('P', 'Q'),
        sensors,
        model: fc.constantFrom('a.txt', 'b.txt'),
        tracked: fc.boolean(),
      })
      .map(({ id, sensors: list, model, tracked }) =>
        graph(
          id,
          list.map((own) => source(own.sensor, own)),
          model,
          tracked,
        ),
      ),
    { selector: (value) => value.id },
  );

  test('whatever runs, the steps lead to what is wanted', () => {
    fc.assert(
      fc.property(graphs, graphs, (current, wanted) => {
        expect(sorted(applied(current, planChange(current, wanted), wanted))).toEqual(sorted(wanted));
      }),
    );
  });
});

/** What would run after the steps: each takes exactly the part it names from the wanted graphs. */
function applied(
  current: readonly SkillGraph[],
  steps: readonly PlanStep[],
  wanted: readonly SkillGraph[],
): SkillGraph[] {
  const running = new Map(current.map((one) => [one.id, one]));
  for (const step of steps) {
    const old = running.get(step.pipeline);
    const target = wanted.find((one) => one.id === step.pipeline)!;
    if (step.action === 'addPipeline') running.set(target.id, target);
    else if (step.action === 'removePipeline') running.delete(step.pipeline);
    else if (old) running.set(old.id, { ...old, nodes: changedNodes(old, step, target) });
  }
  return [...running.values()];
}

function changedNodes(old: SkillGraph, step: PlanStep, target: SkillGraph): SkillGraph['nodes'] {
  const sensor = 'sensor' in step ? step.sensor : undefined;
  const kind = step.action === 'swapModel' ? 'model' : step.action === 'swapTracker' ? 'tracker' : 'source';
  const touched = (node: SkillGraph['nodes'][number]) =>
    node.kind === kind && (node.kind !== 'source' || node.sensor === sensor);
  const before = old.nodes.find(touched);
  const after = target.nodes.find(touched);
  const rest = old.nodes.filter((node) => !touched(node));
  if (step.action === 'removeCamera' || !after) return rest;
  if (before?.kind === 'source' && after.kind === 'source') {
    const merged =
      step.action === 'setRegions' ? { ...before, regions: after.regions } : { ...after, regions: before.regions };
    return [...rest, merged];
  }
  return [...rest, after];
}

function sorted(list: readonly SkillGraph[]): unknown {
  return list
    .map((one) => ({ id: one.id, nodes: [...one.nodes].sort((a, b) => a.id.localeCompare(b.id)) }))
    .sort((a, b) => a.id.localeCompare(b.id));
}
