import { isObject } from '@vantage/contracts';
import { readDocument, type SkillDocument } from './document.ts';
import { Issues, quote, type SkillIssue } from './issue.ts';
import type { Parameters } from './parameters.ts';
import { readText } from './read-text.ts';

/** A deployment of Symphony (`kind: Instance`): what its pipelines set. */
export interface SymphonyInstance {
  readonly name: string;
  readonly parameters: Parameters;
  readonly pipelines: readonly { readonly name: string; readonly skill: string; readonly parameters: Parameters }[];
}

export interface SkillFile {
  readonly skills: readonly { readonly document: SkillDocument; readonly issues: readonly SkillIssue[] }[];
  readonly instances: readonly SymphonyInstance[];
  /** What is about no skill: the text as a whole, documents of other kinds. */
  readonly issues: readonly SkillIssue[];
}

/** Key of the bare form that keeps what stood around the `spec` of Symphony's form. */
export const ENVELOPE = 'symphony';

/**
 * Reads skills: a JSON or YAML text, or what was parsed from one. Forms: Symphony's (`kind: Skill` with `spec`, several
 * documents in a file), its API's (`spec` without a kind), and the bare form (`nodes` and `edges` at the top). Only reads:
 * {@link checkSkill} says whether a skill makes sense. Never throws.
 */
export function parseSkills(input: unknown): SkillFile {
  const issues = new Issues();
  const documents =
    typeof input === 'string' || input instanceof Uint8Array ? readText(textOf(input), issues) : [input];
  const skills: SkillFile['skills'][number][] = [];
  const instances: SymphonyInstance[] = [];
  for (const document of documents) {
    if (!isObject(document)) {
      issues.error('', 'a skill is an object with nodes and edges');
      continue;
    }
    const { kind } = document;
    if (kind === 'Instance') instances.push(readInstance(document));
    else if (typeof kind === 'string' && kind !== 'Skill' && kind.toLowerCase() !== 'skill') {
      issues.warn('kind', `a document of the kind ${quote(kind)} is passed over`);
    } else skills.push(readSkill(document));
  }
  if (skills.length === 0 && instances.length === 0 && issues.all.length === 0)
    issues.error('', 'there is no skill in it');
  return { skills, instances, issues: issues.all };
}

/** The first skill of a text or object, with everything that is wrong with the way it is written. */
export function parseSkill(input: unknown): {
  readonly document: SkillDocument | undefined;
  readonly issues: readonly SkillIssue[];
} {
  const { skills, issues } = parseSkills(input);
  const [first] = skills;
  const message = `there are ${skills.length} skills in it; only the first one counts`;
  const others: SkillIssue[] = skills.length > 1 ? [{ severity: 'warning', path: '', message }] : [];
  return { document: first?.document, issues: [...issues, ...others, ...(first?.issues ?? [])] };
}

function textOf(input: string | Uint8Array): string {
  return typeof input === 'string' ? input : new TextDecoder().decode(input);
}

function readSkill(raw: Readonly<Record<string, unknown>>): SkillFile['skills'][number] {
  const issues = new Issues();
  const { spec } = raw;
  if (spec !== undefined && !isObject(spec)) issues.error('spec', 'expected an object with nodes and edges');
  const body = isObject(spec) ? spec : raw;
  if (body['nodes'] === undefined) issues.error('nodes', 'is missing: a skill is a list of nodes and a list of edges');
  return { document: readDocument(raw, body, nameOf(raw), issues), issues: issues.all };
}

function nameOf(raw: Readonly<Record<string, unknown>>): string {
  const envelope = raw[ENVELOPE];
  const metadata = raw['metadata'] ?? (isObject(envelope) ? envelope['metadata'] : undefined);
  const names = [isObject(metadata) ? metadata['name'] : undefined, raw['id'], raw['name']];
  return names.find((name): name is string => typeof name === 'string' && name !== '')?.slice(0, 128) ?? '';
}

/** Lenient: an instance is read for its parameters only. */
function readInstance(raw: Readonly<Record<string, unknown>>): SymphonyInstance {
  const spec = isObject(raw['spec']) ? raw['spec'] : {};
  const pipelines = Array.isArray(spec['pipelines']) ? (spec['pipelines'] as readonly unknown[]).slice(0, 256) : [];
  return {
    name: nameOf(raw),
    parameters: parametersIn(spec['parameters']),
    pipelines: pipelines.filter(isObject).map(({ name, skill, parameters }) => ({
      name: typeof name === 'string' ? name : '',
      skill: typeof skill === 'string' ? skill : '',
      parameters: parametersIn(parameters),
    })),
  };
}

function parametersIn(value: unknown): Parameters {
  if (!isObject(value)) return {};
  const entries = Object.entries(value).filter(([, item]) => item !== null && typeof item !== 'object');
  return Object.fromEntries(entries.map(([key, item]) => [key, String(item)]));
}
