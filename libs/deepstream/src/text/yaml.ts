import { LineCounter, isAlias, isCollection, isMap, isPair, isScalar, isSeq, parseAllDocuments, visit } from 'yaml';
import type { Node, Pair } from 'yaml';
import type { ConfigProblem } from '../report.ts';
import { MAX_DEPTH, MAX_ENTRIES, shorten, unreadable, type ConfigEntry, type ConfigText } from './entries.ts';

/** One slip of indentation makes an error of every line after it. */
const MAX_ERRORS = 20;

/**
 * Reads a YAML file of DeepStream as properties in groups: a mapping is a group, a list of values is one value with
 * `;` between the items (as the INI form writes it), deeper mappings are groups with a path (`a.b`, `a[0]`).
 *
 * OpenCV's `%YAML:1.0` line, which is no YAML, is passed over. Keys written twice are reported and both kept. Bounded
 * against hostile files: size, depth, number of properties; aliases count each time they are used.
 *
 * @param file for messages only
 */
export function readYaml(text: string, file: string): ConfigText {
  const refused = unreadable(text);
  const walk = new Walk(file);
  if (refused !== undefined) walk.report('error', 0, '', refused);
  // The parser recurses into nesting: what could exhaust the stack is refused before.
  else if (tooDeep(text)) walk.report('error', 0, '', `brackets are nested more than ${MAX_DEPTH} deep`);
  else walk.text(text);
  return { entries: walk.entries, groups: walk.groups, problems: walk.problems };
}

function tooDeep(text: string): boolean {
  let depth = 0;
  for (const char of text) {
    if (char === '[' || char === '{') depth += 1;
    else if (char === ']' || char === '}') depth = Math.max(0, depth - 1);
    if (depth > MAX_DEPTH) return true;
  }
  // Block nesting: `- - - -` and `? ? ?` on one line, or ever deeper indentation.
  return /(?:[-?:][ \t]+){33}/.test(text) || new RegExp(`^[ \\t]{${MAX_DEPTH * 16},}[^ \\t\\r\\n#]`, 'm').test(text);
}

class Walk {
  readonly entries: ConfigEntry[] = [];
  readonly groups: { name: string; line: number }[] = [];
  readonly problems: ConfigProblem[] = [];
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #anchors = new Map<string, Node>();
  #full = false;

  constructor(file: string) {
    this.#file = file;
  }

  report(severity: ConfigProblem['severity'], line: number, key: string, message: string): void {
    this.problems.push({ severity, file: this.#file, line, key, message });
  }

  text(text: string): void {
    const plain = text.replace(/^\uFEFF/, '').replace(/^%YAML:[^\r\n]*/m, (line) => `#${line.slice(1)}`);
    const documents = parseAllDocuments(plain, {
      lineCounter: this.#lines,
      prettyErrors: false,
      uniqueKeys: false,
      strict: false,
      // Values stay as they are written: `1.0` is not `1`, and `yes` is not true.
      schema: 'failsafe',
      logLevel: 'silent',
    });
    if (!Array.isArray(documents)) return;
    const [first, second] = documents;
    const errors = first?.errors ?? [];
    for (const { message, pos } of errors.slice(0, MAX_ERRORS)) this.report('error', this.#lineAt(pos[0]), '', message);
    const more = errors.length - MAX_ERRORS;
    if (more > 0) this.report('error', 0, '', `and ${more} more errors like these`);
    for (const { message, pos } of (first?.warnings ?? []).slice(0, MAX_ERRORS)) {
      this.report('warning', this.#lineAt(pos[0]), '', message);
    }
    if (first?.contents) {
      // The library looks for the anchor of each alias through the whole document, which takes for ever in a large one.
      visit(first, {
        Node: (_, node) => {
          if (!isAlias(node) && node.anchor !== undefined) this.#anchors.set(node.anchor, node);
        },
      });
      this.#node(first.contents, '', 0);
    }
    if (second) {
      this.report('error', this.#lineAt(second.range[0]), '', 'a second YAML document; only the first one is read');
    }
  }

  #node(node: Node, path: string, depth: number): void {
    if (isMap(node)) {
      if (path !== '') this.groups.push({ name: path, line: this.#lineOf(node) });
      this.#keys(node.items, path, depth);
    } else {
      this.report('error', this.#lineOf(node), '', `a mapping (key: value) was expected, not ${describe(node)}`);
    }
  }

  #keys(pairs: readonly Pair[], path: string, depth: number): void {
    const seen = new Map<string, number>();
    for (const pair of pairs) {
      if (this.#full) return;
      const line = this.#lineOf(pair.key);
      if (!isScalar(pair.key)) {
        this.report('error', line, '', 'a key must be a plain word');
        continue;
      }
      const key = textOf(pair.key);
      const before = seen.get(key);
      if (before !== undefined && (isMap(pair.value) || path === '')) {
        this.report('warning', line, key, `'${shorten(key)}' was opened before, on line ${before}; the two are joined`);
      }
      seen.set(key, before ?? line);
      this.#value(pair.value, { path, key, line }, depth + 1);
    }
  }

  #value(
    value: unknown,
    at: { readonly path: string; readonly key: string; readonly line: number },
    depth: number,
  ): void {
    if (depth > MAX_DEPTH) {
      this.report('error', at.line, at.key, `mappings are nested more than ${MAX_DEPTH} deep; the rest is not read`);
      this.#full = true;
      return;
    }
    const node = isAlias(value) ? this.#anchors.get(value.source) : value;
    const inside = at.path === '' ? at.key : `${at.path}.${at.key}`;
    if (isAlias(value) && node === undefined) {
      this.report('error', at.line, at.key, `*${shorten(value.source)} names no anchor`);
      this.#add(at, `*${value.source}`);
    } else if (isMap(node)) this.#node(node, inside, depth);
    else if (isSeq(node)) this.#list(node.items, { ...at, inside }, depth);
    else this.#add(at, textOf(node));
  }

  #list(
    items: readonly unknown[],
    at: { readonly path: string; readonly key: string; readonly line: number; readonly inside: string },
    depth: number,
  ): void {
    const nodes = items.map((item) => (isAlias(item) ? this.#anchors.get(item.source) : item));
    if (!nodes.some(isCollection)) {
      this.#add(at, nodes.map(textOf).join(';'));
      return;
    }
    for (const [index, node] of nodes.entries()) {
      if (this.#full) return;
      this.#value(node, { path: at.path, key: `${at.key}[${index}]`, line: this.#lineOf(node) || at.line }, depth + 1);
    }
  }

  #add(
    { path, key, line }: { readonly path: string; readonly key: string; readonly line: number },
    value: string,
  ): void {
    if (this.entries.length >= MAX_ENTRIES) {
      this.report('error', line, key, `more than ${MAX_ENTRIES} properties; the rest is not read`);
      this.#full = true;
    } else this.entries.push({ group: path, key, value, line });
  }

  #lineOf(node: unknown): number {
    const range = (node as Node | null | undefined)?.range ?? (isPair(node) ? (node.key as Node).range : undefined);
    return range ? this.#lineAt(range[0]) : 0;
  }

  #lineAt(offset: number): number {
    return this.#lines.linePos(offset).line;
  }
}

function textOf(node: unknown): string {
  if (!isScalar(node)) return '';
  return typeof node.value === 'string' ? node.value.trim() : '';
}

function describe(node: Node): string {
  if (isSeq(node)) return 'a list';
  return isScalar(node) ? `'${shorten(textOf(node))}'` : 'this';
}
