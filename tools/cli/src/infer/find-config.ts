import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { VantageError } from '@vantage/contracts';
import { ModelStore } from '@vantage/model-store';
import type { Logger } from '@vantage/observability';

/** A zip keeps its address; its configuration is found relative to its root. */
export interface FoundConfig {
  /** On this machine, absolute. */
  readonly file: string;
  readonly zip?: { readonly path: string; readonly config: string };
}

/** The nvinfer configuration behind what a user names: the file itself, or the only one in a folder or zip. */
export async function findConfig(named: string, cacheFolder: string, logger: Logger): Promise<FoundConfig> {
  const given = path.resolve(named);
  const info = await stat(given).catch(() => undefined);
  if (!info) throw new VantageError('MODEL_CONFIG_MISSING', `${named} does not exist`);
  const isZip = !info.isDirectory() && /\.zip$/i.test(given);
  if (!info.isDirectory() && !isZip) return { file: given };
  const folder = info.isDirectory()
    ? given
    : (await new ModelStore({ root: cacheFolder, logger }).fetch({ url: given })).folder;
  const configs = await configsIn(folder);
  const [file] = configs;
  if (configs.length === 1 && file !== undefined) {
    return { file, ...(isZip ? { zip: { path: given, config: path.relative(folder, file) } } : {}) };
  }
  const found = configs.map((file) => path.relative(folder, file)).join(', ');
  throw new VantageError(
    'MODEL_CONFIG_AMBIGUOUS',
    configs.length === 0
      ? `${named} holds no nvinfer configuration (a .txt file with a [property] section)`
      : `${named} holds several configurations (${found}); name one of them with --config`,
  );
}

async function configsIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\.(txt|ini|cfg)$/i.test(name)).sort();
  const texts = await Promise.all(names.slice(0, 200).map((name) => readFile(path.join(folder, name), 'utf8')));
  return names.filter((_, at) => /^\s*\[property\]/m.test(texts[at] ?? '')).map((name) => path.join(folder, name));
}
