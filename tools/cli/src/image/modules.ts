import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { VantageError } from '@vantage/contracts';

export const REPOSITORY = path.resolve(import.meta.dirname, '../../../..');

/** A module of the repository, as its module.json describes it. */
export interface BuildableModule {
  /** Name of its folder. */
  readonly name: string;
  /** `vantage/ai-pipeline:0.1.0-amd64`, as the manifest names it. */
  readonly tag: string;
  /** Relative to the root of the repository. */
  readonly dockerfile: string;
}

interface ModuleJson {
  readonly image: {
    readonly repository: string;
    readonly tag: { readonly version: string; readonly platforms: Readonly<Record<string, string>> };
  };
}

/** The platform of this machine in the words of module.json. */
export function hostPlatform(): string {
  return process.arch === 'arm64' ? 'arm64v8' : 'amd64';
}

/**
 * The modules to build: all that have a Dockerfile for the platform, or the named ones.
 * @throws VantageError IMAGE_MODULE_UNKNOWN
 */
export async function findModules(
  root: string,
  platform: string,
  names: readonly string[],
): Promise<BuildableModule[]> {
  const folder = path.join(root, 'modules');
  const found: BuildableModule[] = [];
  const platforms = new Set<string>();
  for (const name of (await readdir(folder)).sort()) {
    const json = JSON.parse(await readFile(path.join(folder, name, 'module.json'), 'utf8')) as ModuleJson;
    for (const one of Object.keys(json.image.tag.platforms)) platforms.add(one);
    const dockerfile = json.image.tag.platforms[platform];
    if (dockerfile === undefined) continue;
    const { repository, tag } = json.image;
    found.push({
      name,
      tag: `${repository.toLowerCase()}:${tag.version}-${platform}`,
      dockerfile: path.posix.join('modules', name, dockerfile),
    });
  }
  if (found.length === 0) {
    throw new VantageError(
      'IMAGE_MODULE_UNKNOWN',
      `no module has a Dockerfile for "${platform}"; there are some for ${[...platforms].sort().join(', ')}`,
    );
  }
  const unknown = names.find((name) => !found.some((one) => one.name === name));
  if (unknown !== undefined) {
    throw new VantageError(
      'IMAGE_MODULE_UNKNOWN',
      `no module "${unknown}" with a Dockerfile for ${platform}; there are ${found.map(({ name }) => name).join(', ')}`,
    );
  }
  return names.length === 0 ? found : found.filter(({ name }) => names.includes(name));
}
