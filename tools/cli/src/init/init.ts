import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { VantageError, codeOf } from '@vantage/contracts';
import { REPOSITORY, createNode, requireNodeName, type NodeLanguage } from '../node/create/create-node.ts';
import { nodeTwin, solutionTemplate } from './solution-template.ts';

export interface InitOptions {
  readonly folder: string;
  /** Name of the custom node. */
  readonly node: string;
  readonly language: NodeLanguage;
}

export interface Solution {
  readonly folder: string;
  /** Relative to the folder, in the order of the alphabet. */
  readonly files: readonly string[];
}

const TEMPLATES = path.resolve(import.meta.dirname, '../../templates/solution');

/**
 * Makes a solution folder that `vantage up`, `generate` and `deploy` take as it is: the product's own deployment with
 * images by variable, and a custom node that one twin change puts into the pipeline.
 *
 * @throws VantageError SOLUTION_FOLDER_USED, NODE_NAME_INVALID; nothing was written then
 */
export async function init({ folder: wanted, node, language }: InitOptions): Promise<Solution> {
  requireNodeName(node);
  const folder = path.resolve(wanted);
  await requireEmpty(folder);
  const base = await readFile(path.join(REPOSITORY, 'deployment.template.json'), 'utf8');
  const variables = await readFile(path.join(REPOSITORY, '.env.example'), 'utf8');
  const more = await template('env', node);
  const files: Record<string, string> = {
    'deployment.template.json': await solutionTemplate(base, node, path.join(REPOSITORY, 'modules')),
    '.env.example': `${variables.trimEnd()}\n\n${more}`,
    // What runs here needs no secrets: it is ready as it is.
    '.env': `${variables.trimEnd()}\n\n${more}`,
    '.gitignore': await template('gitignore', node),
    'README.md': await template('README.md', node),
    [`twins/${node}.json`]: nodeTwin(node),
  };
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text, { flag: 'wx' });
  }
  await linkCommand(folder);
  const made = await createNode({ name: node, language, dir: path.join(folder, 'modules', node) });
  return {
    folder,
    files: [...Object.keys(files), ...made.files.map((name) => `modules/${node}/${name}`)].sort(),
  };
}

/** `npx vantage` in the folder is the checkout that made it: as with the SDK of a node, a link. */
async function linkCommand(folder: string): Promise<void> {
  const bin = path.join(folder, 'node_modules/.bin');
  await mkdir(bin, { recursive: true });
  await symlink(path.join(REPOSITORY, 'tools/cli/bin/vantage.mjs'), path.join(bin, 'vantage'));
}

async function template(name: string, node: string): Promise<string> {
  const text = await readFile(path.join(TEMPLATES, `${name}.template`), 'utf8');
  return text.replaceAll('__NODE__', node);
}

/** A folder that only git knows of is empty. */
async function requireEmpty(folder: string): Promise<void> {
  try {
    const there = await readdir(folder);
    if (there.every((name) => name === '.git')) return;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    if (codeOf(error) !== 'ENOTDIR') throw error;
  }
  throw new VantageError('SOLUTION_FOLDER_USED', `${folder} exists and is not an empty folder; nothing was written`);
}
