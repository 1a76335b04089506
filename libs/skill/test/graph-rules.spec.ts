import { describe, expect, test } from '@jest/globals';
import { CAMERA, DETECTOR, HUB, issuesOf, linesOf, skillOf, type NodeText } from './skill-fixture.ts';

const GRPC: NodeText = {
  id: '2',
  type: 'transform',
  name: 'grpc_transform',
  configurations: { type: 'endpoint', endpoint_url: '10.0.0.5:6677' },
};
const FILTER: NodeText = { id: '4', type: 'transform', name: 'filter_transform' };

describe('graph rules', () => {
  test('a camera, somebody’s code behind gRPC and an export are a skill: no model is needed', () => {
    expect(issuesOf(skillOf([CAMERA, GRPC, HUB]))).toEqual([]);
  });

  test('fan-out is allowed from any node; gaps in ids are normal', () => {
    const other = { ...HUB, id: '17' };
    const edges = [
      ['0', '2'],
      ['2', '4'],
      ['4', '9'],
      ['2', '17'],
    ] as const;
    expect(issuesOf(skillOf([CAMERA, GRPC, FILTER, HUB, other], edges))).toEqual([]);
  });

  const edge = (from: string, to: string) => [from, to] as const;
  test.each<[string, NodeText[], (readonly [string, string])[] | undefined, string[]]>([
    [
      'one node',
      [CAMERA],
      undefined,
      ['only one node', 'At least one model', 'At least one Export', '0.*Graph should be connected'],
    ],
    [
      'no camera',
      [DETECTOR, HUB],
      undefined,
      ['there is no camera', '1.*nothing leads from the camera', '9.*nothing leads'],
    ],
    [
      'two cameras',
      [CAMERA, { ...CAMERA, id: '7' }, DETECTOR, HUB],
      [edge('0', '1'), edge('7', '1'), edge('1', '9')],
      ['1.*2 edges lead here', '7.*one camera node'],
    ],
    ['no model', [CAMERA, FILTER, HUB], undefined, ['At least one model node or gRPC node']],
    ['no export', [CAMERA, DETECTOR], undefined, ['At least one Export Node needed', '1.*nothing comes behind']],
    [
      'not reached',
      [CAMERA, DETECTOR, FILTER, HUB],
      [edge('0', '1'), edge('1', '9')],
      ['4.*nothing leads from the camera', '4.*nothing comes behind'],
    ],
    [
      'a cycle',
      [CAMERA, DETECTOR, GRPC, FILTER, HUB],
      [edge('0', '1'), edge('1', '2'), edge('2', '4'), edge('4', '1'), edge('4', '9')],
      ['1.*2 edges lead', '1.*part of a cycle', '2.*part of a cycle', '4.*part of a cycle'],
    ],
    [
      'a dangling edge',
      [CAMERA, DETECTOR, HUB],
      [edge('0', '1'), edge('1', '9'), edge('1', '44')],
      ['44 edges\\[2\\]\\.target\\.node: there is no node "44"'],
    ],
    [
      'a self loop',
      [CAMERA, DETECTOR, HUB],
      [edge('0', '1'), edge('1', '1'), edge('1', '9')],
      ['1 edges\\[1\\].*to itself'],
    ],
    [
      'an edge into the camera',
      [CAMERA, DETECTOR, HUB],
      [edge('0', '1'), edge('1', '9'), edge('9', '0')],
      ['0.*leads into the camera', '9.*leads out of an export', 'cycle', 'cycle', 'cycle'],
    ],
    [
      'the same edge twice',
      [CAMERA, DETECTOR, HUB],
      [edge('0', '1'), edge('0', '1'), edge('1', '9')],
      ['warning 0 edges\\[1\\].*counts once'],
    ],
    [
      'the same id twice',
      [CAMERA, DETECTOR, { ...HUB, id: '1' }],
      [edge('0', '1')],
      ['1 nodes\\[2\\]\\.id: another node has the id "1"', 'nothing comes behind'],
    ],
    [
      'an unknown name',
      [CAMERA, DETECTOR, { ...FILTER, name: 'filter_transfrom' }, HUB],
      undefined,
      ['4 nodes\\[2\\]\\.name: Unknown Name "filter_transfrom" for Type "transform"; did you mean "filter_transform"'],
    ],
    [
      'an unknown type',
      [CAMERA, DETECTOR, { ...FILTER, type: 'magic' }, HUB],
      undefined,
      ['4 nodes\\[2\\]\\.type: Unknown Type "magic"'],
    ],
  ])('%s', (_name, nodes, edges, expected) => {
    const lines = linesOf(issuesOf(skillOf(nodes, edges)));
    expect(lines).toEqual(expected.map((text) => expect.stringMatching(new RegExp(text))));
  });

  test('a join is allowed and said', () => {
    const edges = [
      ['0', '1'],
      ['0', '2'],
      ['1', '9'],
      ['2', '9'],
    ] as const;
    expect(linesOf(issuesOf(skillOf([CAMERA, DETECTOR, GRPC, HUB], edges)))).toEqual([
      'warning 9 nodes[3]: 2 edges lead here: the node gets the frames of each of them',
    ]);
  });

  test('names from a stranger cannot forge lines, and issues are bounded', () => {
    const nodes = Array.from({ length: 128 }, (_, id) => ({ id: `n${id}`, type: 'x\nerror', name: 'y' }));
    const lines = linesOf(issuesOf(skillOf(nodes, [])));
    expect(lines.length).toBe(101);
    expect(lines.at(-1)).toMatch(/more issues are not listed/);
    expect(lines.every((line) => !line.includes('\n'))).toBe(true);
  });
});
