import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '@vantage/contracts';
import { inferSpecOfServer, parseLabels, readConfig, type InferSpec } from '@vantage/deepstream';
import type { ModelSpec } from '@vantage/inference';
import { checkOnnxFile } from '@vantage/model-store';
import { settingsInvalid } from '../errors.ts';

const MAX_CONFIG_BYTES = 1024 * 1024;

/**
 * What a session needs to know about the model of an nvinfer or nvinferserver file. Paths in it are relative to its folder.
 *
 * @throws VantageError `HOSTED_NODE_SETTINGS_INVALID`, `MODEL_FILE_NOT_ONNX`
 */
export async function readModelSpec(configFile: string): Promise<ModelSpec> {
  const name = path.basename(configFile);
  const text = await readText(configFile);
  const config = readConfig(text, name);
  if (config.kind !== 'nvinfer' && config.kind !== 'nvinferserver') {
    throw settingsInvalid(`onnx: ${name} is no configuration of a model (${config.kind}); write an nvinfer file`);
  }
  const errors = config.problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) {
    const places = errors.slice(0, 5).map(({ line, message }) => (line > 0 ? `line ${line}: ${message}` : message));
    throw settingsInvalid(`onnx: ${name} cannot be used: ${places.join('; ')}`);
  }
  if (config.runnable.how !== 'onnx') throw settingsInvalid(`onnx: ${name}: ${config.runnable.sentence}`);
  const folder = path.dirname(configFile);
  const onnxFile = path.resolve(folder, config.runnable.file);
  await checkOnnxFile(onnxFile);
  const infer = config.kind === 'nvinfer' ? config.spec : inferSpecOfServer(config.spec);
  const { meanFile } = infer;
  return {
    name,
    onnxFile,
    infer,
    labels: await readLabels(infer, folder),
    ...(meanFile === undefined ? {} : { meanFile: path.resolve(folder, meanFile) }),
  };
}

async function readLabels({ labelFile, classCount }: InferSpec, folder: string): Promise<readonly string[]> {
  if (labelFile === undefined) return [];
  const text = await readText(path.resolve(folder, labelFile));
  return parseLabels(text, path.basename(labelFile), classCount).labels;
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MAX_CONFIG_BYTES) throw new Error(`it has ${size} bytes, that is no configuration`);
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw settingsInvalid(`onnx: ${file} cannot be read: ${messageOf(cause)}`, {}, cause);
  }
}
