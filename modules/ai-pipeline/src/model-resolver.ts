import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { VantageError, codeOf, messageOf } from '@vantage/contracts';
import { detectConfigKind, parseInferConfig, parseLabels, type InferConfig } from '@vantage/deepstream';
import type { ModelSpec } from '@vantage/inference';
import { checkOnnxFile, type ModelStore } from '@vantage/model-store';
import type { Logger } from '@vantage/observability';
import type { ModelNode } from '@vantage/skill';

export interface ModelResolverOptions {
  readonly store: ModelStore;
  /** Folder that relative paths of a twin without a zip start from. */
  readonly localRoot: string;
  readonly logger: Logger;
}

/** A configuration file may not be larger than this: it is read by people. */
const MAX_CONFIG_BYTES = 1024 * 1024;

/**
 * From what a twin says about a model to everything a session needs: the package is fetched, the configuration read,
 * the ONNX file and the labels found beside it. Every error names the file and says what to do.
 */
export async function resolveModel(
  node: ModelNode,
  { store, localRoot, logger }: ModelResolverOptions,
  signal?: AbortSignal,
): Promise<ModelSpec> {
  let configFile: string;
  if (node.package) {
    const fetched = await store.fetch({ ...node.package, ...(signal ? { signal } : {}) });
    configFile = store.resolve(fetched, node.configFile);
  } else configFile = path.resolve(localRoot, node.configFile);
  return {
    ...(await readModelConfig(configFile, logger)),
    ...(node.parser === undefined ? {} : { parser: node.parser }),
  };
}

/** Reads an nvinfer configuration and what it names. Paths in it are relative to its folder. */
export async function readModelConfig(configFile: string, logger: Logger): Promise<ModelSpec> {
  const name = path.basename(configFile);
  const text = await readConfigText(configFile);
  const kind = detectConfigKind(text);
  if (kind !== 'nvinfer-ini') {
    throw new VantageError(
      'MODEL_CONFIG_UNSUPPORTED',
      `${name} is written as ${kind}, which this version does not read; write an nvinfer INI file with onnx-file=`,
    );
  }
  const config = parseInferConfig(text, name);
  refuseBroken(config, name);
  for (const { key, line, message } of config.problems) {
    logger.warn(`${line > 0 ? `${name}:${line}` : name} ${message}`, { key });
  }
  for (const { key, line, why } of config.notUsed) logger.debug(`${name}:${line} ${key} is not used here: ${why}`);

  const { onnxFile, labelFile } = config.spec;
  if (onnxFile === undefined) {
    throw new VantageError('MODEL_FILE_MISSING', `${name} names no model: add onnx-file=<file>.onnx to [property]`);
  }
  const folder = path.dirname(configFile);
  const modelPath = path.resolve(folder, onnxFile);
  await checkOnnxFile(modelPath);
  const labels = labelFile === undefined ? [] : await readLabels(path.resolve(folder, labelFile), config, logger);
  return { name, onnxFile: modelPath, infer: config.spec, labels };
}

async function readConfigText(file: string): Promise<string> {
  try {
    const bytes = await readFile(file);
    if (bytes.length > MAX_CONFIG_BYTES) {
      throw new VantageError(
        'MODEL_CONFIG_INVALID',
        `${file} has ${bytes.length} bytes: that is no configuration file`,
      );
    }
    return bytes.toString('utf8');
  } catch (error) {
    if (VantageError.is(error)) throw error;
    const reason = codeOf(error) === 'ENOENT' ? 'does not exist' : messageOf(error);
    throw new VantageError(
      'MODEL_CONFIG_MISSING',
      `the model configuration ${file} ${reason}; check primaryModelConfigPath (and unsecureZipUrl)`,
      { cause: error },
    );
  }
}

function refuseBroken(config: InferConfig, name: string): void {
  const errors = config.problems.filter((problem) => problem.severity === 'error');
  if (errors.length === 0) return;
  // Line 0 is what is missing: it has no place.
  const text = errors.slice(0, 5).map(({ line, message }) => (line > 0 ? `line ${line}: ${message}` : message));
  throw new VantageError('MODEL_CONFIG_INVALID', `${name} cannot be used: ${text.join('; ')}`, {
    details: { errors: errors.length },
  });
}

async function readLabels(file: string, { spec }: InferConfig, logger: Logger): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new VantageError(
      'LABEL_FILE_MISSING',
      `${spec.fileName} names the label file ${file}, which does not exist`,
      { cause: error },
    );
  }
  const { labels, problems } = parseLabels(text, path.basename(file), spec.classCount);
  for (const problem of problems) logger.warn(problem.message, { config: spec.fileName });
  return labels;
}
