import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { VantageError, codeOf, messageOf } from '@vantage/contracts';
import {
  inferSpecOfServer,
  parseLabels,
  readConfig,
  type InferConfig,
  type InferServerConfig,
  type InferSpec,
  type Runnable,
} from '@vantage/deepstream';
import type { ModelSpec, RemoteModel } from '@vantage/inference';
import { checkOnnxFile } from '@vantage/model-store';
import type { Logger } from '@vantage/observability';

/** A configuration file may not be larger than this: it is read by people. */
const MAX_CONFIG_BYTES = 1024 * 1024;

type ModelConfig = InferConfig | InferServerConfig;

/** Reads an nvinfer or nvinferserver configuration and what it names. Paths in it are relative to its folder. */
export async function readModelConfig(configFile: string, logger: Logger): Promise<ModelSpec> {
  const name = path.basename(configFile);
  const config = readConfig(await readConfigText(configFile), name);
  if (config.kind !== 'nvinfer' && config.kind !== 'nvinferserver') {
    throw new VantageError(
      'MODEL_CONFIG_UNSUPPORTED',
      `${name} is no configuration of a model (${config.kind}); write an nvinfer file with onnx-file=, or an nvinferserver one`,
    );
  }
  const folder = path.dirname(configFile);
  const { runnable } = config;
  const found = await findModel(runnable, folder);
  refuseBroken(config, name, found === undefined ? undefined : runnable.sentence);
  for (const { key, line, message } of config.problems) {
    logger.warn(`${line > 0 ? `${name}:${line}` : name} ${message}`, { key });
  }
  for (const { key, line, reason } of config.properties) {
    if (reason !== undefined) logger.debug(`${name}:${line} ${key} is not used here: ${reason}`);
  }
  if (!found) throw new VantageError('MODEL_FILE_MISSING', `${name}: ${runnable.sentence}`);
  if (runnable.how === 'needs-conversion') {
    logger.warn(
      `${name}: ${path.basename(found.onnxFile)} runs in place of ${runnable.file}, which ONNX Runtime cannot run`,
    );
  }
  const infer = config.kind === 'nvinfer' ? config.spec : inferSpecOfServer(config.spec);
  if (found.remote === undefined) await checkOnnxFile(found.onnxFile);
  const { meanFile } = infer;
  return {
    name,
    onnxFile: found.onnxFile,
    infer,
    ...(await readLabels(infer, folder, logger)),
    ...(meanFile === undefined ? {} : { meanFile: path.resolve(folder, meanFile) }),
    ...(found.remote ? { backend: { remote: found.remote } } : {}),
  };
}

interface FoundModel {
  /** Absolute; empty for a model on a server. */
  readonly onnxFile: string;
  readonly remote?: RemoteModel;
}

/** Undefined where there is nothing that ONNX Runtime could run. */
async function findModel(runnable: Runnable, folder: string): Promise<FoundModel | undefined> {
  switch (runnable.how) {
    case 'onnx':
      return { onnxFile: path.resolve(folder, runnable.file) };
    case 'remote': {
      const { url, model, version } = runnable;
      return { onnxFile: '', remote: { url, model, ...(version === undefined ? {} : { version }) } };
    }
    case 'needs-conversion':
    case 'triton-repository':
      for (const candidate of runnable.onnxCandidates) {
        const onnxFile = await existing(path.resolve(folder, candidate));
        if (onnxFile !== undefined) return { onnxFile };
      }
      return undefined;
    case 'no-model':
      return undefined;
  }
}

/** A file, with `<n>` for the folder of the highest number. */
async function existing(file: string): Promise<string | undefined> {
  const [before, after] = file.split(`${path.sep}<n>${path.sep}`);
  if (before === undefined || after === undefined) {
    return (await stat(file).catch(() => undefined))?.isFile() === true ? file : undefined;
  }
  const names = await readdir(before).catch(() => []);
  const versions = names.filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(b) - Number(a));
  for (const version of versions) {
    const found = await existing(path.join(before, version, after));
    if (found !== undefined) return found;
  }
  return undefined;
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
      `the model configuration ${file} ${reason}; check primaryModelConfigPath, secondaryModelConfigPaths (and unsecureZipUrl)`,
      { cause: error },
    );
  }
}

/** @param solved the sentence about a model that was found all the same */
function refuseBroken(config: ModelConfig, name: string, solved: string | undefined): void {
  const errors = config.problems.filter(({ severity, message }) => severity === 'error' && message !== solved);
  if (errors.length === 0) return;
  // Line 0 is what is missing: it has no place.
  const text = errors.slice(0, 5).map(({ line, message }) => (line > 0 ? `line ${line}: ${message}` : message));
  throw new VantageError('MODEL_CONFIG_INVALID', `${name} cannot be used: ${text.join('; ')}`, {
    details: { errors: errors.length },
  });
}

async function readLabels(
  { labelFile, fileName, classCount }: InferSpec,
  folder: string,
  logger: Logger,
): Promise<Pick<ModelSpec, 'labels' | 'labelRows'>> {
  if (labelFile === undefined) return { labels: [] };
  const file = path.resolve(folder, labelFile);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new VantageError('LABEL_FILE_MISSING', `${fileName} names the label file ${file}, which does not exist`, {
      cause: error,
    });
  }
  const { labels, rows, problems } = parseLabels(text, path.basename(file), classCount);
  for (const problem of problems) logger.warn(problem.message, { config: fileName });
  return { labels, ...(rows.some((row) => row.length > 1) ? { labelRows: rows } : {}) };
}
