import { checkSkill, parseSkill, type SkillIssue } from '../src/index.ts';

export interface NodeText {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly configurations?: Readonly<Record<string, unknown>>;
  readonly model?: string;
}

export const CAMERA: NodeText = {
  id: '0',
  type: 'source',
  name: 'rtsp',
  configurations: { ip: '$param(rtsp)', fps: '$param(fps)', device_name: '$param(device_id)' },
};

export const DETECTOR: NodeText = { id: '1', type: 'model', name: 'people' };
export const HUB: NodeText = { id: '9', type: 'export', name: 'iothub_export', configurations: { delay_buffer: '2' } };

export const PARAMETERS = { rtsp: 'invalid', fps: 'invalid', device_id: 'invalid', fpsRetrieve: '15' };

/** A skill of these nodes, in a chain unless told otherwise. */
export function skillOf(
  nodes: readonly NodeText[],
  edges: readonly (readonly [string, string])[] = chain(nodes),
  parameters: Readonly<Record<string, string>> = PARAMETERS,
): Record<string, unknown> {
  const ends = edges.map(([from, to]) => ({ source: { node: from, route: 'f' }, target: { node: to, route: 'f' } }));
  return { displayName: 'gate', parameters, nodes, edges: ends };
}

function chain(nodes: readonly NodeText[]): (readonly [string, string])[] {
  return nodes.slice(1).map(({ id }, index) => [nodes[index]!.id, id]);
}

/** `error 3 nodes[1].configurations.port: ...`, one for each issue. */
export function linesOf(issues: readonly SkillIssue[]): string[] {
  return issues.map(({ severity, node, path, message }) => `${severity} ${node ?? '-'} ${path}: ${message}`);
}

/** Everything that is said about a skill. */
export function issuesOf(input: unknown): readonly SkillIssue[] {
  const { document, issues } = parseSkill(input);
  return [...issues, ...(document ? checkSkill(document) : [])];
}

/** What is said about one node between a camera and an export. */
export function fieldIssues(
  name: string,
  configurations: Readonly<Record<string, unknown>>,
  type = 'transform',
): string[] {
  const node: NodeText = { id: '5', type, name, configurations };
  const nodes = type === 'export' ? [CAMERA, DETECTOR, node] : [CAMERA, DETECTOR, node, HUB];
  return linesOf(issuesOf(skillOf(nodes))).map((line) => line.replace('nodes[2].configurations.', ''));
}
