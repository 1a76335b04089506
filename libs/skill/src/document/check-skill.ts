import { LIMITS, type SkillDocument } from './document.ts';
import { Fields } from './fields.ts';
import { checkGraph } from './graph-rules.ts';
import { Issues, quote, type SkillIssue } from './issue.ts';
import type { ReadContext, ReadNode, SkillModel } from './nodes/node-type.ts';
import { typeOf } from './nodes/registry.ts';
import { parameterValues, referencesIn, substituteNode, type Parameters } from './parameters.ts';

export interface CheckOptions {
  /** What an instance sets; later ones win. */
  readonly parameters?: readonly (Parameters | undefined)[];
  /** Models that nodes may name. Absent: names of models are not looked up. */
  readonly models?: ReadonlyMap<string, SkillModel>;
}

/**
 * Everything that is wrong with a skill by itself: the graph rules of contract B, then every field of every node with the
 * parameters put in. Never throws.
 */
export function checkSkill(
  document: SkillDocument,
  { parameters = [], models }: CheckOptions = {},
): readonly SkillIssue[] {
  const issues = new Issues();
  checkGraph(document, issues);
  checkParameters(document, issues);
  const ids = { instance: 'instance', skill: document.name || 'skill', camera: 'camera' };
  readNodes(document, parameterValues(document, ...parameters), { ...ids, ...(models ? { models } : {}) }, issues);
  return issues.all;
}

/** What each node says, by id. Nodes with mistakes are reported and absent. */
export function readNodes(
  { nodes }: SkillDocument,
  values: ReadonlyMap<string, string>,
  context: ReadContext,
  issues: Issues,
): ReadonlyMap<string, ReadNode> {
  const read = new Map<string, ReadNode>();
  for (const written of nodes) {
    const type = typeOf(written);
    if (typeof type === 'string') continue;
    const node = substituteNode(written, values);
    const fields = new Fields(node, written, issues);
    const one = type.read(fields, node, context);
    fields.unknown();
    if (one) read.set(node.id, one);
  }
  return read;
}

const ACCELERATIONS = ['Nvidia dGPU', 'CPU', 'Nvidia Jetson (Jetpack 5)', 'Intel iGPU', 'Intel iGPU (EFLOW only)'];

function checkParameters(document: SkillDocument, issues: Issues): void {
  const { parameters, nodes } = document;
  for (const { id, path, configurations, model } of nodes) {
    const texts = [...configurations].map(([key, text]): [string, string] => [`${path}.configurations.${key}`, text]);
    if (model !== undefined) texts.push([`${path}.model`, model]);
    for (const [at, text] of texts) {
      for (const name of referencesIn(text)) {
        if (parameters.has(name)) continue;
        issues.error(
          at,
          `$param(${name.slice(0, 60)}) is not among the skill's parameters; declare it with a default`,
          id,
        );
      }
    }
  }
  const acceleration = parameters.get('accelerationRetrieve');
  if (acceleration !== undefined && !ACCELERATIONS.includes(acceleration)) {
    issues.warn(
      'parameters.accelerationRetrieve',
      `${quote(acceleration)} is none of ${ACCELERATIONS.slice(0, 4).join(', ')}`,
    );
  }
  const fps = parameters.get('fpsRetrieve');
  if (fps !== undefined && !(/^\d{1,4}$/.test(fps) && Number(fps) > 0)) {
    issues.warn(
      'parameters.fpsRetrieve',
      `expected a whole number of frames a second, found ${quote(fps.slice(0, LIMITS.idChars))}`,
    );
  }
}
