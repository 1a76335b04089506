import { realpathSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Answer, Unusable } from './answer.ts';
import type { ParserOutputs, PrimaryParserConfig, PrimaryParserModule, SecondaryParserModule } from './parser-api.ts';

/** First frame of the protocol: what to load. */
export interface Setup {
  readonly file: string;
  readonly role: 'primary' | 'secondary';
  readonly labels: readonly string[];
  readonly imageSize: readonly [number, number];
  readonly networkSize: readonly [number, number];
  readonly memoryLimitMb: number;
}

export interface LoadedParser {
  /** `ParserInfo` as the protocol sends it. */
  readonly info: object;
  read(outputs: ParserOutputs): Promise<Answer>;
}

type ParserModule = Partial<PrimaryParserModule & SecondaryParserModule>;

/** Imports the file and checks that it has what the API asks for. */
export async function load(setup: Setup): Promise<LoadedParser> {
  const imported = (await import(pathToFileURL(setup.file).href)) as ParserModule & { default?: ParserModule };
  // A CommonJS file's exports, or one exported object, are its default export.
  const module: ParserModule = { ...imported.default, ...imported };
  const runtime = `Node ${process.versions.node}`;
  if (setup.role === 'secondary') {
    const { gieUniqueId, parseSgieModel } = module;
    if (typeof gieUniqueId !== 'number') throw new Unusable('it must export gieUniqueId, a number');
    if (typeof parseSgieModel !== 'function') throw new Unusable('it must export a function parseSgieModel');
    const name = module.name ?? path.basename(setup.file).split('.')[0];
    const read = async (outputs: ParserOutputs): Promise<Answer> => {
      const answer = new Answer();
      answer.putMessage(await parseSgieModel({}, outputs));
      return answer;
    };
    return { info: { name, labels: [], gieUniqueId, runtime }, read };
  }
  const { name, modelType } = module;
  if (typeof name !== 'string') throw new Unusable('it must export name, a string');
  if (modelType !== 0 && modelType !== 1) throw new Unusable('it must export modelType, 0 (detection) or 1 (custom)');
  const functionName = modelType === 0 ? 'parseDetModel' : 'parseCustomModel';
  if (typeof module[functionName] !== 'function') {
    throw new Unusable(`modelType is ${modelType}, so it must export a function ${functionName}`);
  }
  const labels = (module.labels ?? setup.labels).map(String);
  const { imageSize, networkSize } = setup;
  const config: PrimaryParserConfig = { imageSize, networkSize, labels, detTh: 0.5, mnsTh: 0.213, modelType, name };
  const read = (outputs: ParserOutputs): Promise<Answer> => readPrimary(module, config, outputs);
  return { info: { name, modelType: modelType === 0 ? 'detection' : 'custom', labels, runtime }, read };
}

async function readPrimary(
  module: Partial<PrimaryParserModule>,
  config: PrimaryParserConfig,
  outputs: ParserOutputs,
): Promise<Answer> {
  const answer = new Answer();
  if (config.modelType === 1) {
    const result: unknown = await module.parseCustomModel?.(config, outputs);
    if (!Array.isArray(result)) throw new Unusable('parseCustomModel must return [data, message]');
    const [data, message] = result as unknown[];
    if (message) answer.putMessage(message);
    if (data !== null && data !== undefined && module.addCustomToMeta !== undefined) {
      await answer.putFrame((frame) => module.addCustomToMeta?.(config, data, frame));
    }
    return answer;
  }
  const result: unknown = await module.parseDetModel?.(config, outputs);
  if (!Array.isArray(result) || result.length < 3) {
    throw new Unusable('parseDetModel must return [boxes, classIds, scores, message]');
  }
  const [boxes, classIds, scores, message] = result as unknown[];
  if (message) answer.putMessage(message);
  answer.putDetections(boxes, classIds, scores);
  return answer;
}

/** Modules are named by their address, CommonJS files by their path. */
const STACK_LINE = /(?:at (?:async )?(?<where>\S+) \(|at )(?:file:\/\/)?(?<file>\/.+?):(?<line>\d+)(?::\d+)?\)?$/;

/** One line of an error: what, and where in the parser's own files. */
export function describe(error: unknown, file: string): string {
  if (!(error instanceof Error)) return `it threw ${typeof error === 'string' ? error : typeof error}`;
  const what = error instanceof Unusable ? error.message : `${error.name}: ${error.message}`;
  const folder = `${realpathSync(path.dirname(file))}${path.sep}`;
  const place = (error.stack ?? '')
    .split('\n')
    .map((line) => STACK_LINE.exec(line)?.groups)
    .map((groups) => groups && { ...groups, file: decodeURI(groups['file'] ?? '') })
    .find((groups) => groups?.file.startsWith(folder));
  if (place === undefined) return what;
  const { where, line } = place as { readonly where?: string; readonly line?: string };
  const inside = where === undefined ? '' : ` in ${where}`;
  return `${what} (${place.file.slice(folder.length)} line ${line}${inside})`;
}
