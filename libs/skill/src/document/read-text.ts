import { messageOf } from '@vantage/contracts';
import { CORE_SCHEMA, loadAll } from 'js-yaml';
import type { Issues } from './issue.ts';

/** A twin holds 32 KB; files of many skills are larger. */
const MAX_CHARS = 256 * 1024;
const MAX_DEPTH = 32;
const MAX_DOCUMENTS = 64;
/** Aliases may repeat a parameter or two; a bomb needs many. */
const MAX_ALIASES = 32;
/** What aliases make of a document is looked at so far. */
const MAX_VALUES = 100_000;

/** The documents of a text, JSON or YAML. What is wrong is reported; never throws. */
export function readText(text: string, issues: Issues): readonly unknown[] {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  if (source.length > MAX_CHARS) {
    issues.error('', `the text is longer than ${MAX_CHARS} characters`);
    return [];
  }
  const documents = readJson(source) ?? readYaml(source, issues);
  if (documents.length > MAX_DOCUMENTS)
    issues.error('', `${documents.length} documents; only ${MAX_DOCUMENTS} are read`);
  return documents.slice(0, MAX_DOCUMENTS).filter((document) => {
    const excess = excessOf(document);
    if (excess !== undefined) issues.error('', excess);
    return excess === undefined;
  });
}

/** Undefined where it is no JSON: then it is YAML, of which JSON is a part, and whose messages name the line. */
function readJson(source: string): readonly unknown[] | undefined {
  try {
    return [JSON.parse(source) as unknown];
  } catch {
    return undefined;
  }
}

function readYaml(source: string, issues: Issues): readonly unknown[] {
  try {
    const documents = loadAll(source, { schema: CORE_SCHEMA, maxDepth: MAX_DEPTH, maxAliases: MAX_ALIASES });
    return documents.filter((document) => document !== null && document !== undefined);
  } catch (error) {
    // The first line says what and where; the others show the source.
    issues.error('', `this is neither JSON nor YAML: ${messageOf(error).split('\n')[0] ?? ''}`);
    return [];
  }
}

/** Too deep or, by aliases of aliases, too many values. */
function excessOf(document: unknown): string | undefined {
  let values = 0;
  const waiting: { readonly value: unknown; readonly depth: number }[] = [{ value: document, depth: 1 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, depth } = next;
    values += 1;
    if (depth > MAX_DEPTH) return `the document is nested more than ${MAX_DEPTH} levels deep`;
    if (values > MAX_VALUES) return `the document holds more than ${MAX_VALUES} values`;
    if (typeof value !== 'object' || value === null) continue;
    for (const child of Object.values(value)) waiting.push({ value: child, depth: depth + 1 });
  }
  return undefined;
}
