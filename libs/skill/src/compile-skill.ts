import { isDeepStrictEqual } from 'node:util';
import type { SkillDocument } from './document/document.ts';
import { readNodes } from './document/check-skill.ts';
import { checkGraph } from './document/graph-rules.ts';
import { Issues, quote, type SkillIssue } from './document/issue.ts';
import type { ReadNode, SkillModel } from './document/nodes/node-type.ts';
import { parameterValues, type Parameters } from './document/parameters.ts';
import type { GraphEdge, GraphNode, RuleNode, SkillGraph, SourceNode } from './graph.ts';

/** A camera of an instance: how it is opened and what is drawn on it, without anything of the skill. */
export interface SkillCamera {
  readonly source: Omit<SourceNode, 'maxFps'>;
  /** Of this camera only. */
  readonly parameters?: Parameters;
}

/** A skill at work on some cameras. */
export interface SkillInstance {
  readonly id: string;
  readonly displayName?: string;
  /** Id of the skill. */
  readonly skill: string;
  readonly parameters?: Parameters;
  readonly cameras: readonly SkillCamera[];
}

export interface CompiledSkill {
  /** None where the skill has mistakes, or the instance has no camera. */
  readonly graphs: readonly SkillGraph[];
  readonly issues: readonly SkillIssue[];
}

/**
 * A skill and an instance of it to graphs. Cameras share a graph, whose id is the instance's; one that parameters of its
 * own give other nodes has a graph of its own, `<instance>.<camera>`. Never throws.
 */
export function compileSkill(
  document: SkillDocument,
  instance: SkillInstance,
  models: ReadonlyMap<string, SkillModel>,
): CompiledSkill {
  const issues = new Issues();
  checkGraph(document, issues);
  if (issues.hasErrors) return { graphs: [], issues: issues.all };
  const compiled: Compiled[] = [];
  const said = new Set<string>();
  const shape = shapeOf(document);
  for (const camera of instance.cameras) {
    const one = compileCamera(document, shape, instance, camera, models);
    // What is wrong with the skill is wrong for each camera.
    for (const issue of one.issues) {
      const text = JSON.stringify(issue);
      if (!said.has(text)) issues.add(issue);
      said.add(text);
    }
    if (one.source) compiled.push({ ...one, source: one.source });
  }
  if (issues.hasErrors) return { graphs: [], issues: issues.all };
  return { graphs: graphsOf(document, instance, compiled), issues: issues.all };
}

interface Compiled {
  readonly source: SourceNode;
  readonly sourceId: string;
  readonly nodes: readonly GraphNode[];
}

function compileCamera(
  document: SkillDocument,
  shape: Shape,
  instance: SkillInstance,
  { source, parameters }: SkillCamera,
  models: ReadonlyMap<string, SkillModel>,
): Omit<Compiled, 'source'> & { readonly source: SourceNode | undefined; readonly issues: readonly SkillIssue[] } {
  const issues = new Issues();
  const instanceName = instance.displayName ?? instance.id;
  const skillName = document.displayName ?? instance.skill;
  // What a portal fills in when it deploys a skill; fps is what its author picked.
  const fps = document.parameters.get('fpsRetrieve');
  const known: Parameters = {
    rtsp: source.sensor,
    device_id: source.sensor,
    device_displayname: source.sensor,
    instance_displayname: instanceName,
    skill_displayname: skillName,
    ...(fps === undefined ? {} : { fps }),
  };
  const values = parameterValues(document, known, instance.parameters, parameters);
  const context = { instance: instanceName, skill: skillName, camera: source.sensor, models };
  const read = readNodes(document, values, context, issues);
  const nodes = nodesOf(shape, read);
  const [sourceId, sourceRead] = [...read].find(([, { kind }]) => kind === 'source') ?? ['', undefined];
  noteRules(nodes, document, shape, source, issues);
  return {
    source: sourceRead?.kind === 'source' ? { ...source, maxFps: sourceRead.maxFps } : undefined,
    sourceId,
    nodes,
    issues: issues.all,
  };
}

/** What follows from nodes and edges alone. */
interface Shape {
  /** Ids so that each comes behind those that lead to it; otherwise as in the document. */
  readonly order: readonly string[];
  /** Everything that leads to a node. */
  readonly above: ReadonlyMap<string, ReadonlySet<string>>;
}

/** @param document without cycles */
function shapeOf({ nodes, edges }: SkillDocument): Shape {
  const parents = Map.groupBy(edges, ({ to }) => to);
  const above = new Map<string, ReadonlySet<string>>();
  const order: string[] = [];
  const visit = (id: string): ReadonlySet<string> => {
    const known = above.get(id);
    if (known) return known;
    const found = new Set<string>();
    for (const { from } of parents.get(id) ?? []) {
      found.add(from);
      for (const one of visit(from)) found.add(one);
    }
    above.set(id, found);
    order.push(id);
    return found;
  };
  for (const { id } of nodes) visit(id);
  return { order, above };
}

/** The nodes behind the camera, in order, models with their roles. */
function nodesOf({ order, above }: Shape, read: ReadonlyMap<string, ReadNode>): readonly GraphNode[] {
  let secondaries = 0;
  return order.flatMap((id): GraphNode[] => {
    const one = read.get(id);
    if (one === undefined || one.kind === 'source') return [];
    if (one.kind === 'node') return [one.node];
    const onObjects =
      one.operateOn === undefined
        ? one.type === 'classification' && findsObjects(above.get(id) ?? new Set(), read)
        : one.operateOn === 'objects';
    return [{ ...one.model, role: onObjects ? { secondary: secondaries++ } : 'primary' }];
  });
}

function findsObjects(ids: ReadonlySet<string>, all: ReadonlyMap<string, ReadNode>): boolean {
  return [...ids].some((id) => {
    const one = all.get(id);
    if (one?.kind === 'model') return one.type === 'detection';
    return one?.kind === 'node' && one.node.kind === 'custom';
  });
}

/** Rules that follow objects, and nothing gives the objects a track; regions that the camera does not have. */
function noteRules(
  nodes: readonly GraphNode[],
  document: SkillDocument,
  { above }: Shape,
  source: SkillCamera['source'],
  issues: Issues,
): void {
  const kinds = new Map(nodes.map(({ id, kind }) => [id, kind]));
  for (const node of nodes) {
    if (node.kind !== 'rule') continue;
    const path = document.nodes.find(({ id }) => id === node.id)?.path ?? '';
    const tracked = [...(above.get(node.id) ?? [])].some((id) => ['tracker', 'custom'].includes(kinds.get(id) ?? ''));
    if (followsTracks(node) && !tracked) {
      issues.warn(path, `${node.rule.type} follows objects from frame to frame; put a tracker before it`, node.id);
    }
    const region = regionOf(node);
    if (region !== undefined && !source.regions.some(({ label }) => label === region)) {
      const message = `the camera ${quote(source.sensor)} has no region ${quote(region)}; nothing is in it until it has`;
      issues.warn(`${path}.configurations.region`, message, node.id);
    }
  }
}

function followsTracks({ rule }: RuleNode): boolean {
  return rule.type !== 'presence' && rule.type !== 'crowding';
}

function regionOf({ rule }: RuleNode): string | undefined {
  return 'area' in rule && rule.area && 'region' in rule.area ? rule.area.region : undefined;
}

/** Whether the node's rule looks at a region of interest of the camera, which can change without the node. */
export function usesRegions(node: GraphNode): boolean {
  return node.kind === 'rule' && regionOf(node) !== undefined;
}

function graphsOf(document: SkillDocument, instance: SkillInstance, cameras: readonly Compiled[]): SkillGraph[] {
  const groups: { readonly id: string; readonly cameras: Compiled[] }[] = [];
  const shared = commonNodes(instance, cameras);
  for (const camera of cameras) {
    const own = !isDeepStrictEqual(camera.nodes, shared);
    const found = groups.find(({ id }) => !own && id === instance.id);
    if (found) found.cameras.push(camera);
    else groups.push({ id: own ? `${instance.id}.${camera.source.sensor}` : instance.id, cameras: [camera] });
  }
  return groups.map((group) => graphOf(group.id, document, instance, group.cameras));
}

/** What cameras without parameters of their own run; where all have some, the first one's. */
function commonNodes(
  { cameras: given }: SkillInstance,
  cameras: readonly Compiled[],
): readonly GraphNode[] | undefined {
  const plain = given.find(({ parameters }) => Object.keys(parameters ?? {}).length === 0)?.source.sensor;
  return (cameras.find(({ source }) => source.sensor === plain) ?? cameras[0])?.nodes;
}

function graphOf(
  id: string,
  document: SkillDocument,
  instance: SkillInstance,
  cameras: readonly Compiled[],
): SkillGraph {
  const [first] = cameras;
  const nodes = first?.nodes ?? [];
  const sources = cameras.map(({ source }) => source);
  const isSource = (at: string): boolean => at === first?.sourceId;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const outgoing = Map.groupBy(document.edges, ({ from }) => from);
  const live = sources.some(({ pace }) => pace === 'realtime');
  const seen = new Set<string>();
  const edges = document.edges.flatMap(({ from, to }): GraphEdge[] => {
    const target = byId.get(to);
    const key = JSON.stringify([from, to]);
    if (!target || seen.has(key)) return [];
    seen.add(key);
    if (isSource(from)) {
      return sources.map(({ id: camera, pace }) => ({
        from: camera,
        to,
        // A camera is never slowed by what looks at it; a file that is read as fast as it goes waits.
        queue: { capacity: 1, policy: pace === 'realtime' ? 'latest' : 'block' },
      }));
    }
    const branches = (outgoing.get(from)?.length ?? 0) > 1;
    return byId.has(from) ? [{ from, to, queue: queueFor(target, branches, live) }] : [];
  });
  return { id, skill: { instance: instance.id, skill: instance.skill }, nodes: [...sources, ...nodes], edges };
}

const SLOW: ReadonlySet<GraphNode['kind']> = new Set(['custom', 'snippet', 'export']);
/** The reference has 30 messages before an export, and 2 frames elsewhere. */
const QUEUE = { exports: 30, others: 2 } as const;

/** What can be slow, and what has siblings, keeps the newest; a chain of quick nodes waits for each other. */
function queueFor({ kind }: GraphNode, branches: boolean, live: boolean): GraphEdge['queue'] {
  const capacity = kind === 'export' ? QUEUE.exports : QUEUE.others;
  return { capacity, policy: live && (branches || SLOW.has(kind)) ? 'dropOldest' : 'block' };
}
