import { readFile, stat } from 'node:fs/promises';
import { VantageError, codeOf, messageOf } from '@vantage/contracts';
import { readConfig, type AnyConfig } from '@vantage/deepstream';
import { configAsJson } from './json.ts';
import { configAsTable } from './table.ts';

/** A file larger than this is no configuration; it is not even read into memory. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface Explanation {
  readonly text: string;
  /** No error in the file. */
  readonly usable: boolean;
}

/**
 * Explains a configuration file.
 *
 * @param file as the user wrote it: every line of the answer names it so
 * @throws VantageError where there is nothing to explain: no such file, a folder, megabytes of something
 */
export async function explainFile(file: string, { json }: { readonly json: boolean }): Promise<Explanation> {
  const config = readConfig(await readText(file), file);
  return {
    text: json ? configAsJson(config) : configAsTable(config),
    usable: !config.problems.some(({ severity }) => severity === 'error'),
  };
}

async function readText(file: string): Promise<string> {
  try {
    const info = await stat(file);
    if (info.isDirectory()) {
      throw new VantageError('MODEL_CONFIG_MISSING', `${file} is a folder; name a file in it`);
    }
    if (info.size > MAX_BYTES) {
      throw new VantageError('MODEL_CONFIG_INVALID', `${file} has ${info.size} bytes: that is no configuration file`);
    }
    return await readFile(file, 'utf8');
  } catch (error) {
    if (VantageError.is(error)) throw error;
    const reason = codeOf(error) === 'ENOENT' ? 'does not exist' : messageOf(error);
    throw new VantageError('MODEL_CONFIG_MISSING', `${file} ${reason}`, { cause: error });
  }
}

/** What the file is, in words. */
export function describeKind(config: AnyConfig): string {
  const format = { ini: 'INI', yaml: 'YAML', 'protobuf-text': 'protobuf text', text: 'plain text' }[config.format];
  const names = {
    nvinfer: 'a model configuration of nvinfer',
    nvinferserver: 'a model configuration of nvinferserver',
    tracker: 'a tracker configuration',
    'low-level-tracker': 'the settings of a low-level tracker',
    dewarper: 'a dewarper configuration',
    nvdsanalytics: 'zones and lines of nvdsanalytics',
    other: config.kind === 'other' ? `recognised as ${config.what}` : '',
  };
  return `${names[config.kind]} (${format})`;
}
