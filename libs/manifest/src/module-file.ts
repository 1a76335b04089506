import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, messageOf } from '@vantage/contracts';
import { type Environment, expandVariables } from './env.ts';
import { moduleFileError } from './errors.ts';
import { isJsonObject, parseJson, toPlain } from './json.ts';

/** What a `module.json` says about images, with the extension that lets a module run without a container. */
export interface ModuleFile {
  readonly repository: string;
  readonly version: string;
  /** Platforms with a Dockerfile, as `amd64` or `amd64.debug`. */
  readonly platforms: readonly string[];
  /**
   * How the embedded runtime runs the module as a process of its own, in the module's folder. `node` stands for the
   * runtime's own Node. Absent where the module runs in a container only.
   */
  readonly process?: { readonly command: readonly string[] };
}

/**
 * Reads the `module.json` of a folder, environment variables expanded.
 * @returns undefined when the folder has none
 * @throws VantageError MODULE_FILE
 */
export async function readModuleFile(folder: string, env: Environment): Promise<ModuleFile | undefined> {
  const path = join(folder, 'module.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw moduleFileError(`cannot read ${path}: ${messageOf(error)}`, error);
  }
  try {
    return parseModuleFile(expandVariables(text, env));
  } catch (error) {
    throw moduleFileError(`${path}: ${messageOf(error)}`, error);
  }
}

/** Parses the text of a `module.json`. */
export function parseModuleFile(text: string): ModuleFile {
  const value = parseJson(text);
  if (!isJsonObject(value)) throw moduleFileError('not an object');
  const image = value.get('image');
  const tag = isJsonObject(image) ? image.get('tag') : undefined;
  const platforms = isJsonObject(tag) ? tag.get('platforms') : undefined;
  const repository = isJsonObject(image) ? image.get('repository') : undefined;
  const version = isJsonObject(tag) ? tag.get('version') : undefined;
  const command = readCommand(toPlain(value.get('process') ?? null));
  return {
    repository: typeof repository === 'string' ? repository : '',
    version: typeof version === 'string' ? version : '0.0.0',
    platforms: isJsonObject(platforms) ? [...platforms.keys()] : [],
    ...(command === undefined ? {} : { process: { command } }),
  };
}

function readCommand(process: unknown): readonly string[] | undefined {
  if (process === null) return undefined;
  const command: unknown = typeof process === 'object' && 'command' in process ? process.command : undefined;
  const isCommand = Array.isArray(command) && command.length > 0 && command.every((part) => typeof part === 'string');
  if (!isCommand) throw moduleFileError('process.command is not a list of texts');
  return command;
}

/** The names of the folders in a folder, sorted; none when it does not exist. */
export async function listFolders(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}
