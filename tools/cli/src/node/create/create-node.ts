import { cp, mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { VantageError, codeOf } from '@vantage/contracts';

export type NodeLanguage = 'ts' | 'python';

export interface CreateOptions {
  readonly name: string;
  readonly language: NodeLanguage;
  /** Default: a folder of the node's name, where the command runs. */
  readonly dir?: string;
}

export interface CreatedNode {
  readonly folder: string;
  readonly className: string;
  readonly files: readonly string[];
}

export const REPOSITORY = path.resolve(import.meta.dirname, '../../../../..');
const TEMPLATES = path.resolve(import.meta.dirname, '../../../templates/node');
const SUFFIX = '.template';
/** Files whose real names would be obeyed in the template's own folder. */
const DOTTED = new Set(['gitignore', 'dockerignore']);
const NAME = /^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$/i;
const MAX_NAME = 64;

/**
 * Makes the folder of a new node: node, test, Dockerfile, module.json, README, and the SDK where it finds it, so that it
 * runs at once and without a network.
 *
 * @throws VantageError NODE_NAME_INVALID, NODE_FOLDER_USED
 */
export async function createNode({ name, language, dir }: CreateOptions): Promise<CreatedNode> {
  requireNodeName(name);
  const folder = path.resolve(dir ?? name);
  await makeEmpty(folder);
  const className = classNameOf(name);
  const template = path.join(TEMPLATES, language === 'ts' ? 'typescript' : 'python');
  const files: string[] = [];
  for (const file of (await readdir(template)).sort()) {
    const plain = file.slice(0, -SUFFIX.length);
    const target = DOTTED.has(plain) ? `.${plain}` : plain;
    const text = await readFile(path.join(template, file), 'utf8');
    const filled = text
      .replaceAll('__NAME__', name.toLowerCase())
      .replaceAll('__CLASS__', className)
      .replaceAll('__FOLDER__', dir ?? name);
    await writeFile(path.join(folder, target), filled);
    files.push(target);
  }
  if (language === 'ts') await linkSdk(folder);
  else await copyPythonSdk(folder);
  return { folder, className, files };
}

/** @throws VantageError NODE_NAME_INVALID */
export function requireNodeName(name: string): void {
  if (NAME.test(name) && name.length <= MAX_NAME) return;
  throw new VantageError(
    'NODE_NAME_INVALID',
    `"${name}" cannot be the name of a node: letters, digits and single hyphens, a letter first, at most ${MAX_NAME}`,
  );
}

/**
 * Lets a folder outside of the repository import the SDK: links, because Node strips no types of packages in
 * `node_modules`, but does so of what a link there leads to. What is there already stays.
 *
 * @returns whether links were made
 */
export async function linkSdk(folder: string): Promise<boolean> {
  const scope = path.join(folder, 'node_modules/@vantage');
  const types = path.join(folder, 'node_modules/@types');
  const sdk = await link(path.join(REPOSITORY, 'libs/custom-node'), scope, 'custom-node');
  const node = await link(path.join(REPOSITORY, 'node_modules/@types/node'), types, 'node');
  return sdk || node;
}

async function link(target: string, folder: string, name: string): Promise<boolean> {
  const file = path.join(folder, name);
  await mkdir(folder, { recursive: true });
  // A link of a checkout that has moved leads nowhere: it is made again.
  const isAlive = await readdir(file).then(
    () => true,
    () => false,
  );
  if (isAlive) return false;
  await rm(file, { force: true });
  await symlink(target, file, 'dir');
  return true;
}

async function copyPythonSdk(folder: string): Promise<void> {
  const source = path.join(REPOSITORY, 'sdk/python/vantage_custom_node');
  await cp(source, path.join(folder, 'vantage_custom_node'), {
    recursive: true,
    filter: (file) => !file.includes('__pycache__'),
  });
}

async function makeEmpty(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    if ((await readdir(folder)).length === 0) return;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' && codeOf(error) !== 'ENOTDIR') throw error;
  }
  throw new VantageError('NODE_FOLDER_USED', `${folder} exists and is not an empty folder; nothing was written`);
}

/** `night-watch` -> `NightWatch` */
function classNameOf(name: string): string {
  const words = name.split(/[-_]/).map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return words.join('');
}
