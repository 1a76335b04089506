import { isRecord } from './locate.ts';
import type { Point } from './geometry.ts';
import { newId, type Shape } from './shapes.ts';

/** Lines stand in the rules of skills (docs/skills.md): node `line_crossing`, `configurations.line`. */
const LINE_NODE = 'line_crossing';
const LINE_COLOR = '#00e5ff';

type Json = Record<string, unknown>;

/** The lines of the skills that look at a sensor. */
export function linesOf(desired: unknown, sensor: string): Shape[] {
  return skillsAt(desired, sensor).flatMap(({ id, skill }) => {
    return list(bodyOf(skill)['nodes']).flatMap((node): Shape[] => {
      if (node['name'] !== LINE_NODE) return [];
      const configurations = isRecord(node['configurations']) ? node['configurations'] : {};
      const points = readLine(configurations['line']);
      if (!points) return [];
      const name = String(node['id']);
      const direction = typeof configurations['direction'] === 'string' ? configurations['direction'] : 'both';
      const label = typeof node['displayName'] === 'string' ? node['displayName'] : `${id}: line ${name}`;
      return [
        { id: newId(), kind: 'line', label, color: LINE_COLOR, points, rule: { skill: id, node: name, direction } },
      ];
    });
  });
}

/** Names of the skills at a sensor that a new line can be put into: those that follow objects. */
export function skillsForLines(desired: unknown, sensor: string): string[] {
  return skillsAt(desired, sensor)
    .filter(({ skill }) => list(bodyOf(skill)['nodes']).some(({ name }) => name === 'tracker'))
    .map(({ id }) => id);
}

/**
 * The list `components.skills` with these lines: those that moved are moved, new ones come behind the tracker and lead
 * to the exports that the skill has, and nodes of lines that are gone are taken out. Undefined: nothing changed.
 */
export function withLines(desired: unknown, sensor: string, lines: readonly Shape[]): unknown[] | undefined {
  const before = linesOf(desired, sensor);
  const skills = componentsOf(desired)['skills'];
  if (!Array.isArray(skills)) return undefined;
  const at = new Set(skillsAt(desired, sensor).map(({ id }) => id));
  let changed = false;
  const after = (skills as unknown[]).map((skill) => {
    const id = isRecord(skill) ? String(skill['id']) : '';
    if (!isRecord(skill) || !at.has(id)) return skill;
    const mine = lines.filter(({ rule }) => rule?.skill === id);
    const gone = before.filter(({ rule }) => rule?.skill === id && !mine.some((line) => line.rule?.node === rule.node));
    const body = edited(bodyOf(skill), mine, new Set(gone.map(({ rule }) => rule?.node ?? '')));
    if (!body) return skill;
    changed = true;
    return isRecord(skill['document']) ? { ...skill, document: body } : { ...skill, ...body };
  });
  return changed ? after : undefined;
}

function edited(body: Json, lines: readonly Shape[], gone: ReadonlySet<string>): Json | undefined {
  let changed = gone.size > 0;
  let edges = list(body['edges']).filter((edge) => !gone.has(end(edge, 'source')) && !gone.has(end(edge, 'target')));
  const nodes = list(body['nodes'])
    .filter(({ id, name }) => name !== LINE_NODE || !gone.has(String(id)))
    .map((node) => {
      const line = lines.find(({ rule }) => rule?.node === String(node['id']));
      if (!line || node['name'] !== LINE_NODE) return node;
      const configurations = isRecord(node['configurations']) ? node['configurations'] : {};
      const old = readLine(configurations['line']);
      if (old && JSON.stringify(old) === JSON.stringify(line.points)) return node;
      changed = true;
      return { ...node, configurations: { ...configurations, line: writeLine(line.points) } };
    });
  for (const line of lines.filter(({ rule }) => rule && rule.node === undefined)) {
    const tracker = nodes.find(({ name }) => name === 'tracker');
    if (!tracker) continue;
    changed = true;
    const id = freeNodeId(nodes);
    const exports = nodes.filter(({ type }) => type === 'export').map((node) => String(node['id']));
    const configurations = { line: writeLine(line.points), direction: line.rule?.direction ?? 'both' };
    nodes.push({ id, type: 'transform', name: LINE_NODE, configurations });
    edges = [...edges, edge(String(tracker['id']), id), ...exports.map((target) => edge(id, target))];
  }
  return changed ? { ...body, nodes, edges } : undefined;
}

function skillsAt(desired: unknown, sensor: string): { readonly id: string; readonly skill: Json }[] {
  return list(componentsOf(desired)['skills'])
    .filter((skill) =>
      list(skill['instances']).some(({ sensors }) => {
        const names = Array.isArray(sensors) ? (sensors as unknown[]) : [];
        return names.some((one) => one === sensor || (isRecord(one) && one['name'] === sensor));
      }),
    )
    .map((skill) => ({ id: String(skill['id']), skill }));
}

function bodyOf(skill: Json): Json {
  return isRecord(skill['document']) ? skill['document'] : skill;
}

function componentsOf(desired: unknown): Json {
  const root = isRecord(desired) && isRecord(desired['azdaConfiguration']) ? desired['azdaConfiguration'] : {};
  return isRecord(root['components']) ? root['components'] : {};
}

function list(value: unknown): Json[] {
  return Array.isArray(value) ? (value as unknown[]).filter(isRecord) : [];
}

function end(edge: Json, side: 'source' | 'target'): string {
  const one = edge[side];
  return isRecord(one) ? String(one['node']) : '';
}

function edge(from: string, to: string): Json {
  return { source: { node: from }, target: { node: to } };
}

function freeNodeId(nodes: readonly Json[]): string {
  const taken = new Set(nodes.map(({ id }) => String(id)));
  let number = nodes.length;
  while (taken.has(String(number))) number += 1;
  return String(number);
}

function readLine(value: unknown): readonly Point[] | undefined {
  let parsed = value;
  if (typeof value === 'string') {
    try {
      parsed = JSON.parse(value);
    } catch {
      return undefined;
    }
  }
  if (!Array.isArray(parsed) || parsed.length !== 2) return undefined;
  const points = (parsed as unknown[]).map((one) => (Array.isArray(one) ? one.map(Number) : []));
  if (points.some((point) => point.length !== 2 || point.some((part) => !Number.isFinite(part)))) return undefined;
  return points.map(([x = 0, y = 0]): Point => [x, y]);
}

function writeLine(points: readonly Point[]): string {
  return JSON.stringify(points);
}
