import { describe, expect, test } from '@jest/globals';
import type { GraphNode, SkillGraph, SourceNode } from '@vantage/skill';
import { routeOf } from './route.ts';

const source = (sensor: string): SourceNode => ({
  ...{ kind: 'source', id: `cam/${sensor}`, sensor, url: 'rtsp://user:secret@host/a', regions: [] },
  pace: 'realtime',
  loop: false,
});
const model = (id: string, role: 'primary' | { secondary: number } = 'primary'): GraphNode => ({
  ...{ kind: 'model', id, role, configFile: `${id}.txt` },
});
const tracker = (id: string): GraphNode => ({ kind: 'tracker', id, algorithm: 'light' });
const filter = (id: string): GraphNode => ({ kind: 'filter', id, labels: [], minConfidence: 0 });
const colour = model('colour', { secondary: 0 });

function graph(nodes: readonly GraphNode[], ...edges: string[]): SkillGraph {
  return {
    id: 'G',
    skill: { instance: 'i', skill: 's' },
    nodes: [source('a'), source('b'), ...nodes],
    edges: edges.map((edge) => {
      const [from = '', to = ''] = edge.split('>');
      return { from: from === 'a' ? 'cam/a' : from, to, queue: { capacity: 1, policy: 'latest' } };
    }),
  };
}

describe('routeOf', () => {
  test.each([
    [
      'detector, tracker, classifier, export',
      ['a>car', 'car>t', 't>colour', 'colour>f'],
      'car t colour',
      'f',
      { end: 'colour' },
    ],
    [
      'a branch beside the tracker does not move it',
      ['a>car', 'car>t', 'car>f', 't>colour'],
      'car t colour',
      'f',
      { detected: 'car', end: 'colour' },
    ],
    [
      'a branch beside the classifier',
      ['a>car', 'car>t', 't>colour', 't>f'],
      'car t colour',
      'f',
      { tracked: 't', end: 'colour' },
    ],
    ['a branch at the camera', ['a>car', 'a>f'], 'car', 'f', { end: 'car' }],
    ['no model', ['a>f'], '', 'f', { end: 'cam/a' }],
    ['a filter before the detector', ['a>f', 'f>car', 'car>t'], '', 'car t f', { end: 'cam/a' }],
    ['a node with two parents is behind', ['a>car', 'a>f', 'f>t', 'car>t'], 'car', 't f', { end: 'car' }],
    ['what another camera has is not run', ['a>car', 'cam/b>f'], 'car', '', { end: 'car' }],
  ])('%s', (_name, edges, trunk, rest, taps) => {
    const route = routeOf(graph([model('car'), tracker('t'), colour, filter('f')], ...edges), source('a'));
    const { primary, tracker: own, secondaries } = route.trunk;
    expect([primary, own, ...secondaries].flatMap((node) => node?.id ?? []).join(' ')).toBe(trunk);
    expect(route.rest!.nodes.map(({ id }) => id).join(' ')).toBe(rest);
    expect(route.rest!.taps).toEqual({ source: 'cam/a', ...taps });
  });

  test('a graph of pipelineConfigs is all trunk, in the order of its kinds', () => {
    const { skill, ...plain } = graph([colour, tracker('t'), model('car')]);
    expect(skill).toBeDefined();
    const route = routeOf(plain, source('a'));
    expect(route).toMatchObject({
      trunk: { primary: { id: 'car' }, tracker: { id: 't' }, secondaries: [{ id: 'colour' }] },
    });
    expect(route.rest).toBeUndefined();
  });

  test('the address of the camera, which may hold a password, stays before the trunk', () => {
    expect(JSON.stringify(routeOf(graph([filter('f')], 'a>f'), source('a')).rest)).not.toContain('secret');
  });
});
