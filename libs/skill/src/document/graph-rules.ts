import { closest } from '@vantage/contracts';
import type { SkillDocument, SkillEdge, SkillNode } from './document.ts';
import { quote, type Issues } from './issue.ts';
import { namesOf, typeOf } from './nodes/registry.ts';

/** Checks the graph as such (contract B, "Graph rules"), in the order of the reference's messages. Never throws. */
export function checkGraph(document: SkillDocument, issues: Issues): void {
  const { nodes } = document;
  if (nodes.length === 0) {
    issues.error('nodes', 'there are no nodes; begin with a camera (source rtsp)');
    return;
  }
  checkIdentities(nodes, issues);
  const edges = checkEdges(document, issues);
  if (nodes.length === 1)
    issues.error('nodes', 'there is only one node; add a model, an export and the edges between them', nodes[0]?.id);
  const sources = nodes.filter(({ type }) => type === 'source');
  if (sources.length === 0) issues.error('nodes', 'there is no camera; add a node of type source, name rtsp');
  for (const { id, path } of sources.slice(1))
    issues.error(path, 'a skill has one camera node; an instance may name several cameras', id);
  if (!nodes.some(isProcessing)) issues.error('nodes', 'At least one model node or gRPC node is needed');
  if (!nodes.some(({ type }) => type === 'export')) issues.error('nodes', 'At least one Export Node needed');
  const cycles = cyclicNodes(nodes, edges);
  for (const { id, path } of nodes)
    if (cycles.has(id))
      issues.error(path, 'the node is part of a cycle; frames go from the camera to the exports and never back', id);
  checkConnected(nodes, edges, cycles, issues);
}

/** What makes a skill more than a camera with a wire: gRPC alone does (S). */
function isProcessing({ type, name }: SkillNode): boolean {
  return type === 'model' || (type === 'transform' && name === 'grpc_transform');
}

function checkIdentities(nodes: readonly SkillNode[], issues: Issues): void {
  const seen = new Set<string>();
  for (const node of nodes) {
    const { id, path, type, name } = node;
    if (seen.has(id)) issues.error(`${path}.id`, `another node has the id ${quote(id)}; each needs its own`, id);
    seen.add(id);
    const found = typeOf(node);
    if (found === 'unknownType') {
      issues.error(`${path}.type`, `Unknown Type ${quote(type)}; there are source, model, transform and export`, id);
    } else if (found === 'unknownName') {
      const names = namesOf(type);
      const similar = closest(name, names);
      const hint = similar === undefined ? `there are ${names.join(', ')}` : `did you mean ${quote(similar)}?`;
      issues.error(`${path}.name`, `Unknown Name ${quote(name)} for Type ${quote(type)}; ${hint}`, id);
    }
  }
}

/** The edges between nodes that exist. */
function checkEdges({ nodes, edges }: SkillDocument, issues: Issues): readonly SkillEdge[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const seen = new Set<string>();
  const parents = new Map<string, number>();
  const good = edges.filter((edge) => {
    const { from, to, path } = edge;
    const ends = [
      [from, 'source'],
      [to, 'target'],
    ] as const;
    const missing = ends.filter(([id]) => !byId.has(id));
    for (const [id, end] of missing)
      issues.error(`${path}.${end}.node`, `there is no node ${quote(id)}; the edge hangs in the air`, id);
    if (missing.length > 0) return false;
    if (from === to) {
      issues.error(path, `the edge leads from ${quote(from)} to itself`, from);
      return false;
    }
    const key = JSON.stringify([from, to]);
    if (seen.has(key)) {
      issues.warn(path, `there is an edge from ${quote(from)} to ${quote(to)} already; it counts once`, from);
      return false;
    }
    seen.add(key);
    if (byId.get(to)?.type === 'source') issues.error(path, 'an edge leads into the camera, which comes first', to);
    if (byId.get(from)?.type === 'export') issues.error(path, 'an edge leads out of an export, which comes last', from);
    parents.set(to, (parents.get(to) ?? 0) + 1);
    return true;
  });
  for (const [id, count] of parents) {
    if (count > 1)
      issues.warn(byId.get(id)?.path ?? '', `${count} edges lead here: the node gets the frames of each of them`, id);
  }
  return good;
}

/** What is left when everything that comes before and behind a cycle is taken away. */
function cyclicNodes(nodes: readonly SkillNode[], edges: readonly SkillEdge[]): ReadonlySet<string> {
  const behind = stuck(new Set(nodes.map(({ id }) => id)), edges);
  const inside = edges.filter(({ from, to }) => behind.has(from) && behind.has(to));
  return stuck(
    behind,
    inside.map(({ from, to }) => ({ from: to, to: from })),
  );
}

/** Kahn's algorithm: nodes that never become ready. */
function stuck(ids: ReadonlySet<string>, edges: readonly Pick<SkillEdge, 'from' | 'to'>[]): ReadonlySet<string> {
  const waiting = new Map([...ids].map((id) => [id, 0]));
  const targets = Map.groupBy(edges, ({ from }) => from);
  for (const { to } of edges) waiting.set(to, (waiting.get(to) ?? 0) + 1);
  const ready = [...waiting].filter(([, count]) => count === 0).map(([id]) => id);
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    waiting.delete(next);
    for (const { to } of targets.get(next) ?? []) {
      const left = (waiting.get(to) ?? 0) - 1;
      waiting.set(to, left);
      if (left === 0) ready.push(to);
    }
  }
  return new Set(waiting.keys());
}

function checkConnected(
  nodes: readonly SkillNode[],
  edges: readonly SkillEdge[],
  cycles: ReadonlySet<string>,
  issues: Issues,
): void {
  const targets = Map.groupBy(edges, ({ from }) => from);
  const reached = new Set(nodes.filter(({ type }) => type === 'source').map(({ id }) => id));
  const walk = [...reached];
  for (let next = walk.pop(); next !== undefined; next = walk.pop()) {
    for (const { to } of targets.get(next) ?? []) {
      if (reached.has(to)) continue;
      reached.add(to);
      walk.push(to);
    }
  }
  for (const { id, path, type, name } of nodes) {
    if (cycles.has(id)) continue;
    const what = `${type} ${quote(name)}`;
    if (!reached.has(id)) issues.error(path, `Graph should be connected: nothing leads from the camera to ${what}`, id);
    if (type !== 'export' && !targets.has(id))
      issues.error(path, `Graph should be connected: nothing comes behind ${what}`, id);
  }
}
