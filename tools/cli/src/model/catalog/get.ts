import { copyFile, mkdir, readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { VantageError, codeOf, messageOf } from '@vantage/contracts';
import { fetchFile } from '@vantage/model-store';
import { untilSignal } from '../../until-signal.ts';
import { findModel, readCatalog, type CatalogModel } from './catalog.ts';
import { ProgressLine } from './progress-line.ts';

export interface GetOptions {
  readonly name: string;
  readonly out?: string;
  readonly catalog?: string;
  readonly json: boolean;
}

/**
 * Downloads a model of the catalog into a folder: its files, each with the digest that the catalog says, and its
 * configuration. What is there already is not asked for; a configuration that was changed stays.
 *
 * @returns the text for stdout
 */
export async function getModel({ name, out, catalog: catalogFile, json }: GetOptions): Promise<string> {
  const catalog = await readCatalog(catalogFile);
  const model = findModel(catalog, name);
  const folder = path.resolve(out ?? path.join('.vantage', 'models', model.name));
  const own = path.join(path.dirname(catalog.file), model.name);
  const signal = untilSignal();
  try {
    await makeFolder(folder);
    for (const file of model.files) await download(model, file, folder, signal.signal);
    const kept = await copyConfiguration(own, folder);
    const files = (await readdir(folder)).filter((each) => !each.endsWith('.part')).sort();
    if (json) return `${JSON.stringify({ name: model.name, folder, files, licence: model.licence, kept })}\n`;
    return nextSteps(model, path.relative(process.cwd(), folder) || '.', kept);
  } finally {
    signal.release();
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new VantageError('MODEL_OUTPUT_FAILED', `the folder ${folder} cannot be made: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function download(
  model: CatalogModel,
  file: CatalogModel['files'][number],
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const progress = new ProgressLine(`${model.name}/${file.path}`, process.stderr);
  try {
    const done = await fetchFile({
      ...file,
      file: path.join(folder, file.path),
      signal,
      onBytes: (doneBytes, totalBytes) => progress.show(doneBytes, totalBytes),
      onRetry: (reason) => progress.note(`${reason}; trying again`),
    });
    progress.end(done === 'was-there' ? 'is there already' : 'is there, sha256 verified');
  } catch (error) {
    progress.end('');
    if (signal.aborted) {
      throw new VantageError('MODEL_GET_STOPPED', `stopped; the same command goes on where ${file.path} stopped`);
    }
    throw error;
  }
}

/** @returns names of files that somebody has changed: they stay as they are */
async function copyConfiguration(own: string, folder: string): Promise<string[]> {
  const names = await readdir(own).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  const kept: string[] = [];
  for (const name of names.sort()) {
    const target = path.join(folder, name);
    const there = await readFile(target).catch(() => undefined);
    if (there === undefined) await copyFile(path.join(own, name), target);
    else if (!there.equals(await readFile(path.join(own, name)))) kept.push(name);
  }
  return kept;
}

function nextSteps(model: CatalogModel, folder: string, kept: readonly string[]): string {
  const lines = [
    `${folder}: ${model.title} (${model.licence})`,
    ...kept.map((name) => `${name} was changed by somebody and stays as it is`),
    '',
  ];
  if (model.role === 'secondary') {
    lines.push(
      `a secondary model: it looks at the objects of another one, such as ${model.after ?? 'a detector'}`,
      `  vantage infer --config <folder of ${model.after ?? 'a detector'}> --secondary ${folder} picture.jpg`,
    );
  } else {
    lines.push(
      'try it        ' + `vantage infer --config ${folder} picture.jpg --draw seen.png`,
      'what it costs ' + `vantage model check ${folder}`,
      ...(model.task === 'detection' ? ['run it        ' + `vantage up --model ${folder}`] : []),
    );
  }
  return `${lines.join('\n')}\n`;
}
