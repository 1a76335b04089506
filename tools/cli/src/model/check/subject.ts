import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { VantageError, messageOf } from '@vantage/contracts';
import { readConfig, type AnyConfig } from '@vantage/deepstream';
import { ModelStore } from '@vantage/model-store';
import type { Logger } from '@vantage/observability';
import { foreignModel } from './foreign-model.ts';

/** What a user brings: a model, or a folder or zip around it. */
export interface Subject {
  readonly kind: 'onnx' | 'config' | 'folder' | 'zip';
  /** As the user wrote it. */
  readonly given: string;
  /** Absolute. */
  readonly folder: string;
  /** Relative to the folder, sorted. */
  readonly files: readonly string[];
  readonly onnx: readonly string[];
  /** Model configurations, nvinfer and nvinferserver. */
  readonly configs: readonly ModelConfigFile[];
  /** Models in other formats, parsers and other files that somebody may expect something of, with a sentence each. */
  readonly foreign: readonly { readonly file: string; readonly sentence: string }[];
}

export interface ModelConfigFile {
  /** Relative to the subject's folder. */
  readonly file: string;
  readonly config: Extract<AnyConfig, { kind: 'nvinfer' | 'nvinferserver' }>;
}

const MAX_CONFIG_BYTES = 1024 * 1024;
const MAX_CONFIGS = 200;
const MAX_FILES = 10_000;

/**
 * Looks into what a user names.
 *
 * @throws VantageError `MODEL_SUBJECT_MISSING`, `MODEL_NEEDS_CONVERSION` for a model that ONNX Runtime cannot run, the
 *   codes of the model store for a zip
 */
export async function openSubject(given: string, cacheFolder: string, logger: Logger): Promise<Subject> {
  const place = path.resolve(given);
  const info = await stat(place).catch(() => undefined);
  if (!info) throw new VantageError('MODEL_SUBJECT_MISSING', `${given} does not exist`);
  if (info.isDirectory()) return folderSubject(given, 'folder', place);
  const name = path.basename(place);
  if (/\.zip$/i.test(name)) {
    const found = await new ModelStore({ root: cacheFolder, logger }).fetch({ url: place });
    return folderSubject(given, 'zip', found.folder);
  }
  const folder = path.dirname(place);
  const sentence = foreignModel(name);
  if (sentence !== undefined) throw new VantageError('MODEL_NEEDS_CONVERSION', `${given}: ${sentence}`);
  const config = await modelConfig(folder, name);
  const single = { given, folder, foreign: [], files: [name] };
  if (config) return { ...single, kind: 'config', onnx: [], configs: [config] };
  return { ...single, kind: 'onnx', onnx: [name], configs: [] };
}

async function folderSubject(given: string, kind: Subject['kind'], folder: string): Promise<Subject> {
  let files: string[];
  try {
    files = (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
      .sort();
  } catch (error) {
    throw new VantageError('MODEL_SUBJECT_MISSING', `${given} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  if (files.length > MAX_FILES) {
    throw new VantageError(
      'MODEL_SUBJECT_MISSING',
      `${given} holds ${files.length} files: name the folder of the model`,
    );
  }
  const texts = files.filter((file) => /\.(txt|ini|cfg|ya?ml|pbtxt|conf|config)$/i.test(file)).slice(0, MAX_CONFIGS);
  const configs = (await Promise.all(texts.map((file) => modelConfig(folder, file)))).filter(
    (one) => one !== undefined,
  );
  const foreign = files.flatMap((file) => {
    const sentence = foreignModel(file);
    return sentence === undefined ? [] : [{ file, sentence }];
  });
  return { kind, given, folder, files, onnx: files.filter((file) => /\.onnx$/i.test(file)), configs, foreign };
}

/** Undefined when the file is no model configuration, whatever its name is. */
async function modelConfig(folder: string, file: string): Promise<ModelConfigFile | undefined> {
  const place = path.join(folder, file);
  const info = await stat(place).catch(() => undefined);
  if (!info || info.size > MAX_CONFIG_BYTES || /\.onnx$/i.test(file)) return undefined;
  const config = readConfig(await readFile(place, 'utf8'), file);
  return config.kind === 'nvinfer' || config.kind === 'nvinferserver' ? { file, config } : undefined;
}
