import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { isObject } from '@vantage/contracts';
import { pathKeys, type JsonPath } from '@vantage/manifest';
import type { Candidate } from './candidates.ts';

type Schema = Readonly<Record<string, unknown>>;

const MODULES = path.resolve(import.meta.dirname, '../../../../modules');
const SCHEMA = 'twin.schema.json';

/** Our modules that have a twin, by the name that the default deployment gives them. */
export function twinModules(): Candidate[] {
  const names = readdirSync(MODULES).filter((name) => schemaOf(name) !== undefined);
  return names.sort().map((text) => ({ text, description: '' }));
}

/**
 * Paths into a module's desired properties, one level at a time, and values behind `=` where the schema knows some. What
 * ends in `.` or `=` goes on; a list's first entry stands for any.
 *
 * @param assigns whether `=value` follows the path
 */
export function twinPaths(module: string, typed: string, assigns: boolean): Candidate[] {
  const root = schemaOf(module);
  if (root === undefined) return [];
  const equals = typed.indexOf('=');
  if (equals >= 0) return assigns ? valuesAt(root, typed.slice(0, equals)) : [];
  const head = typed.slice(0, typed.lastIndexOf('.') + 1);
  const children = schemasAt(root, pathKeys(head)).flatMap((schema) => Object.entries(objectAt(schema, 'properties')));
  const found = new Map<string, Candidate>();
  for (const [name, child] of children) {
    for (const end of endsOf(child, assigns)) {
      const text = `${head}${name}${end}`;
      found.set(text, { text, description: descriptionOf(child) });
    }
  }
  return [...found.values()];
}

function valuesAt(root: Schema, place: string): Candidate[] {
  const values = schemasAt(root, pathKeys(place)).flatMap((schema): unknown[] => {
    if (schema['type'] === 'boolean') return [true, false];
    return [schema['enum'], schema['examples']].flatMap((some) => (Array.isArray(some) ? (some as unknown[]) : []));
  });
  const texts = values.map((value) => `${place}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [...new Set(texts)].map((text) => ({ text, description: '' }));
}

/** What may follow a name: further names, an entry of a list, a value. */
function endsOf(child: unknown, assigns: boolean): string[] {
  const value = assigns ? '=' : '';
  return alternatives(child).map((schema) => {
    if (schema['type'] === 'object') return '.';
    const hasEntries = alternatives(schema['items']).some((item) => item['type'] === 'object');
    return hasEntries ? '[0].' : value;
  });
}

/** The schemas that may hold at a place; none where nothing is known. */
function schemasAt(root: Schema, keys: JsonPath): Schema[] {
  return keys.reduce<Schema[]>((here, key) => here.flatMap((schema) => alternatives(below(schema, key))), [root]);
}

function below(schema: Schema, key: string | number): unknown {
  if (typeof key === 'number') return schema['items'];
  const properties = objectAt(schema, 'properties');
  return Object.hasOwn(properties, key) ? properties[key] : schema['additionalProperties'];
}

function alternatives(schema: unknown): Schema[] {
  if (!isObject(schema)) return [];
  const parts = schema['anyOf'] ?? schema['oneOf'] ?? schema['allOf'];
  return Array.isArray(parts) ? (parts as unknown[]).flatMap(alternatives) : [schema];
}

function descriptionOf(schema: unknown): string {
  const description = isObject(schema) ? schema['description'] : undefined;
  return typeof description === 'string' ? description.replace(/\s+/g, ' ') : '';
}

function objectAt(schema: Schema, key: string): Schema {
  const value = schema[key];
  return isObject(value) ? value : {};
}

/** A name that is no folder of ours has none: nobody is to read elsewhere through it. */
function schemaOf(module: string): Schema | undefined {
  if (!/^[\w-]+$/.test(module)) return undefined;
  try {
    const file = path.join(MODULES, module, SCHEMA);
    const schema = readSchema(file);
    const reference = schema['$ref'];
    return typeof reference === 'string' ? readSchema(path.resolve(path.dirname(file), reference)) : schema;
  } catch {
    // A module without a twin, or one of somebody else: there is nothing to offer.
    return undefined;
  }
}

function readSchema(file: string): Schema {
  const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
  return isObject(value) ? value : {};
}
