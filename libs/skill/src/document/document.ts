import { isObject } from '@vantage/contracts';
import { z } from 'zod';
import { quote, type Issues } from './issue.ts';

/** Far above any real skill. */
export const LIMITS = {
  nodes: 128,
  edges: 1024,
  parameters: 256,
  configurations: 128,
  idChars: 128,
  valueChars: 16_384,
} as const;

/** A skill as its author wrote it (contract B), values as text; nothing is substituted. */
export interface SkillDocument {
  /** `metadata.name` of Symphony's form, or `id`; empty where there is none. */
  readonly name: string;
  readonly displayName?: string;
  /** Declared parameters and their defaults. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly nodes: readonly SkillNode[];
  readonly edges: readonly SkillEdge[];
  /** What was read, with everything that nobody here knows: {@link exportSkill} writes it back. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface SkillNode {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly configurations: ReadonlyMap<string, string>;
  /** Name of the model, where `name` does not say it. */
  readonly model?: string;
  /** Place in the document: `nodes[3]`. */
  readonly path: string;
}

export interface SkillEdge {
  readonly from: string;
  readonly to: string;
  readonly path: string;
}

const id = z.union([z.string(), z.number()]).transform(String).pipe(z.string().min(1).max(LIMITS.idChars));

const nodeSchema = z.looseObject({
  id,
  type: z.string().max(LIMITS.idChars),
  name: z.string().max(LIMITS.idChars),
  model: z.string().max(LIMITS.idChars).nullish(),
  configurations: z.record(z.string(), z.unknown()).nullish(),
});

const endSchema = z.looseObject({ node: id });
const edgeSchema = z.looseObject({ source: endSchema, target: endSchema });

/** Reads the `spec` of a skill. What cannot be understood is reported and left out; never throws. */
export function readDocument(
  raw: Readonly<Record<string, unknown>>,
  spec: Readonly<Record<string, unknown>>,
  name: string,
  issues: Issues,
): SkillDocument {
  const displayName = spec['displayName'];
  if (displayName !== undefined && displayName !== null && typeof displayName !== 'string') {
    issues.warn('displayName', 'expected text; it is ignored');
  }
  return {
    name,
    ...(typeof displayName === 'string' ? { displayName: displayName.slice(0, LIMITS.valueChars) } : {}),
    parameters: readTexts(spec['parameters'], 'parameters', LIMITS.parameters, issues),
    nodes: readList(spec['nodes'], 'nodes', LIMITS.nodes, issues).flatMap(([item, path]) => {
      const node = parse(nodeSchema, item, path, issues);
      if (!node) return [];
      const { id, type, name, model, configurations } = node;
      const texts = readTexts(configurations, `${path}.configurations`, LIMITS.configurations, issues, id);
      return [{ id, type, name, configurations: texts, path, ...(model ? { model } : {}) }];
    }),
    edges: readList(spec['edges'], 'edges', LIMITS.edges, issues).flatMap(([item, path]) => {
      const edge = parse(edgeSchema, item, path, issues);
      return edge ? [{ from: edge.source.node, to: edge.target.node, path }] : [];
    }),
    raw,
  };
}

function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  path: string,
  issues: Issues,
): z.output<Schema> | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const id = isObject(value) && typeof value['id'] === 'string' ? value['id'].slice(0, LIMITS.idChars) : undefined;
  for (const issue of result.error.issues.slice(0, 8)) {
    issues.error([path, ...issue.path.map(String)].join('.'), wording(issue), id);
  }
  return undefined;
}

/** Zod's own messages name types and limits only, never the value. */
function wording(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) {
    return `is missing; expected ${issue.expected === 'string' ? 'text' : `an ${issue.expected}`}`;
  }
  return issue.code === 'invalid_union' ? 'is missing or no text' : issue.message;
}

function readList(value: unknown, path: string, max: number, issues: Issues): (readonly [unknown, string])[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    issues.error(path, 'expected a list');
    return [];
  }
  const items = value as readonly unknown[];
  if (items.length > max) issues.error(path, `${items.length} items; a skill may have ${max}`);
  return items.slice(0, max).map((item, index) => [item, `${path}[${index}]`]);
}

/** Values are text; what YAML took for a number, true or false is what was written, and a list or object is its JSON. */
function readTexts(
  value: unknown,
  path: string,
  max: number,
  issues: Issues,
  node?: string,
): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  if (value === undefined || value === null) return texts;
  if (!isObject(value)) {
    issues.error(path, 'expected an object of texts', node);
    return texts;
  }
  const entries = Object.entries(value);
  if (entries.length > max) issues.error(path, `${entries.length} entries; there may be ${max}`, node);
  for (const [key, item] of entries.slice(0, max)) {
    if (item === undefined || item === null) continue;
    const text = typeof item === 'string' ? item : JSON.stringify(item);
    if (text === undefined || text.length > LIMITS.valueChars || key.length > LIMITS.idChars) {
      issues.error(`${path}.${quote(key)}`, `is longer than ${LIMITS.valueChars} characters`, node);
    } else texts.set(key, text);
  }
  return texts;
}
