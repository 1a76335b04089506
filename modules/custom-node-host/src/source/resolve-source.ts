import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { isObject, messageOf } from '@vantage/contracts';
import { listing, resolveInPackage, type ModelStore } from '@vantage/model-store';
import { entryMissing, folderMissing } from '../errors.ts';
import type { Language, NodeDefinition } from '../twin/definition.ts';

/** Where the code of a node is, ready to be started. */
export interface ResolvedSource {
  readonly language: Language;
  /** Absolute path; of a built-in node its name. */
  readonly entry: string;
  readonly builtin: boolean;
  /** Folder of the node: its working folder, and what relative paths of its settings start from. */
  readonly folder: string;
  /** Whether changes of the folder load it anew. */
  readonly watched: boolean;
  /** Digest of a zip. */
  readonly sha256?: string;
}

/** Looked for in this order where neither the twin nor a package.json names the file. */
const ENTRIES = [
  'node.ts',
  'node.js',
  'node.mjs',
  'node.py',
  'src/node.ts',
  'src/node.js',
  'src/node.py',
  'index.ts',
  'index.js',
  'main.py',
  'custom_node_server.py',
] as const;

const LANGUAGES: Readonly<Record<string, Language>> = {
  '.ts': 'typescript',
  '.mts': 'typescript',
  '.js': 'javascript',
  '.mjs': 'javascript',
  '.cjs': 'javascript',
  '.py': 'python',
};

/** The folder of a node whose code is in a folder, so that it can be watched before it is right. */
export function folderOf(definition: NodeDefinition, root: string): string | undefined {
  return definition.source.kind === 'folder' ? path.resolve(root, definition.source.folder) : undefined;
}

/**
 * Fetches a zip, finds the file.
 *
 * @param root folder that relative folders of a twin start from
 * @throws VantageError `HOSTED_NODE_FOLDER_MISSING`, `HOSTED_NODE_ENTRY_MISSING`, and those of the model store
 */
export async function resolveSource(
  definition: NodeDefinition,
  { root, store }: { readonly root: string; readonly store: ModelStore },
  signal: AbortSignal,
): Promise<ResolvedSource> {
  const { source } = definition;
  switch (source.kind) {
    case 'builtin':
      return { language: 'typescript', entry: source.builtin, builtin: true, folder: root, watched: false };
    case 'folder': {
      const wanted = path.resolve(root, source.folder);
      const folder = await realpath(wanted).catch((cause: unknown) => {
        throw folderMissing(`the folder ${wanted} cannot be read: ${messageOf(cause)}`, {}, cause);
      });
      if (!(await stat(folder)).isDirectory()) throw folderMissing(`${wanted} is a file, not a folder`);
      return { ...(await locate(definition, folder, [])), builtin: false, folder, watched: true };
    }
    case 'zip': {
      const found = await store.fetch({ url: source.url, sha256: source.sha256, signal });
      const { folder, contents, sha256 } = found;
      const named = definition.entry === undefined ? undefined : resolveInPackage(found, definition.entry);
      const located = await locate(definition, folder, contents, named);
      return { ...located, builtin: false, folder, watched: false, ...(sha256 === undefined ? {} : { sha256 }) };
    }
  }
}

async function locate(
  definition: NodeDefinition,
  folder: string,
  contents: readonly string[],
  named?: string,
): Promise<Pick<ResolvedSource, 'language' | 'entry'>> {
  const entry = named ?? (await findEntry(definition, folder));
  if (entry === undefined) {
    const holds = contents.length === 0 ? '' : `; it holds ${listing(contents)}`;
    const wanted = definition.entry ?? `one of ${ENTRIES.join(', ')}`;
    throw entryMissing(
      `node ${definition.name}: there is no ${wanted} in its folder${holds}. Set "entry" to the file.`,
    );
  }
  const language = definition.language ?? LANGUAGES[path.extname(entry)];
  if (language !== undefined) return { language, entry };
  throw entryMissing(
    `node ${definition.name}: ${path.basename(entry)} is no .ts, .js, .mjs or .py file; set "language"`,
  );
}

async function findEntry({ entry, language }: NodeDefinition, folder: string): Promise<string | undefined> {
  const candidates = entry === undefined ? [...(await mainOf(folder)), ...ENTRIES] : [entry];
  for (const candidate of candidates) {
    const file = path.resolve(folder, candidate);
    const isInside = file.startsWith(`${folder}${path.sep}`);
    const fits = entry !== undefined || language === undefined || LANGUAGES[path.extname(file)] === language;
    if (isInside && fits && (await isFile(file))) return file;
  }
  return undefined;
}

async function mainOf(folder: string): Promise<string[]> {
  try {
    const json: unknown = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
    return isObject(json) && typeof json['main'] === 'string' ? [json['main']] : [];
  } catch {
    return [];
  }
}

async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (stats) => stats.isFile(),
    () => false,
  );
}
