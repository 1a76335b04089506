import { parserDoesNotFit, unknownParser } from '../errors.ts';
import { TASK_PARSERS } from '../tasks/registry.ts';
import type { TaskParser } from '../tasks/types.ts';
import { nearestParsers } from './nearest.ts';
import { OUTPUT_PARSERS } from './registry.ts';
import { describeOutputs, plainName } from './shape.ts';
import type { NetworkInfo, OutputParser, ParserMatch, TensorInfo } from './types.ts';

export interface ParserRequest {
  /** Name or alias from `parser` or a `parse-...-func-name`; case, dashes and underscores do not matter. */
  readonly requested?: string | undefined;
  readonly outputs: readonly TensorInfo[];
  readonly net: NetworkInfo;
}

export interface ParserChoice {
  readonly parser: OutputParser;
  /** A sentence for reports: which parser and why. */
  readonly reason: string;
  /** What to do with overlapping boxes when the config does not say. */
  readonly suppression: 'nms' | 'none';
}

/** nvinfer's `network-type`. */
export type NetworkKind = 'detector' | 'classifier' | 'segmentation' | 'instance-segmentation' | 'other';

export interface OutputRequest extends ParserRequest {
  /** What the configuration says the model is; undefined leaves it to the outputs. */
  readonly networkType?: NetworkKind | undefined;
}

/** How the outputs of a model of any kind are read. */
export type OutputChoice =
  | ({ readonly task: 'detection' } & ParserChoice)
  | { readonly task: TaskParser['task']; readonly parser: TaskParser; readonly reason: string };

interface Fitting<P> {
  readonly parser: P;
  readonly match: ParserMatch;
}

type AnyParser = OutputParser | TaskParser;

/** Names that every parser answers to, for validation and help: parsers, their aliases, DeepStream's functions. */
export const PARSER_NAMES: readonly string[] = [
  ...OUTPUT_PARSERS.flatMap(({ name, aliases, standsInFor }) => [name, ...aliases, ...(standsInFor ?? [])]),
  ...TASK_PARSERS.flatMap(({ name, aliases }) => [name, ...aliases]),
];

/**
 * Chooses the parser of a detector: by name where one is given (a family's name takes the best of the family), else by
 * the names and shapes of the outputs.
 *
 * @throws VantageError `PARSER_UNKNOWN` for a name that no parser has, listing those there are;
 *   `PARSER_DOES_NOT_FIT` when the outputs fit no parser, or not the one asked for, naming outputs, shapes and the
 *   nearest parsers
 */
export function chooseParser({ requested, outputs, net }: ParserRequest): ParserChoice {
  return detectionChoice(pick(OUTPUT_PARSERS, requested, outputs, net));
}

/**
 * Chooses how to read a model of any kind. A name decides alone; without one, `networkType` says which parsers are
 * looked at, and the best match among them wins. `other` without a name gives the outputs as they are, as nvinfer.
 *
 * @throws VantageError as {@link chooseParser}
 */
export function chooseOutputs({ requested, outputs, net, networkType }: OutputRequest): OutputChoice {
  const parsers = requested ? [...OUTPUT_PARSERS, ...TASK_PARSERS] : parsersFor(networkType);
  const picked = pick<AnyParser>(parsers, requested, outputs, net);
  if (!('task' in picked.fitting.parser)) {
    return { task: 'detection', ...detectionChoice(picked as Picked<OutputParser>) };
  }
  const { parser } = picked.fitting;
  return { task: parser.task, parser: bound(parser, picked.requested), reason: `${parser.name}: ${picked.why}` };
}

function parsersFor(networkType: NetworkKind | undefined): readonly AnyParser[] {
  const tasks = (...wanted: TaskParser['task'][]): TaskParser[] =>
    TASK_PARSERS.filter(({ task }) => wanted.includes(task));
  switch (networkType) {
    case 'detector':
    case 'instance-segmentation':
      return OUTPUT_PARSERS;
    case 'classifier':
      return tasks('classification', 'text');
    case 'segmentation':
      return tasks('segmentation');
    case 'other':
      return tasks('tensors');
    case undefined:
      return [...OUTPUT_PARSERS, ...TASK_PARSERS];
  }
}

interface Picked<P> {
  readonly fitting: Fitting<P>;
  readonly why: string;
  readonly requested: string | undefined;
}

function pick<P extends AnyParser>(
  parsers: readonly P[],
  requested: string | undefined,
  outputs: readonly TensorInfo[],
  net: NetworkInfo,
): Picked<P> {
  const shapes = describeOutputs(outputs);
  const names = outputs.map(({ name }) => name);
  if (requested === undefined || requested === '') {
    const fitting = bestOf(parsers, outputs, net);
    if (fitting !== undefined) return { fitting, why: `the model has ${fitting.match.reason}`, requested: undefined };
    throw parserDoesNotFit(
      `no output parser fits the outputs of the model: ${shapes}; ${nearest(parsers, outputs, net)}name one with ` +
        `parse-bbox-func-name or parser (${namesOf(parsers).join(', ')}), or bring a parser of your own`,
      names,
    );
  }
  const asked = { ...net, requested };
  const owners = parsers.filter((parser) => [parser.name, ...parser.aliases].some(sameName(requested)));
  const family = parsers.filter((parser) => 'standsInFor' in parser && parser.standsInFor?.some(sameName(requested)));
  if (owners.length + family.length === 0) throw unknownParser(requested, namesOf(parsers));
  const fitting = bestOf(owners, outputs, asked) ?? bestOf(family, outputs, asked);
  if (fitting !== undefined) {
    return { fitting, why: `'${requested}' asks for it and the model has ${fitting.match.reason}`, requested };
  }
  const other = bestOf(parsers, outputs, net);
  throw parserDoesNotFit(
    `the output parser '${requested}' cannot read the outputs of the model: ${shapes}` +
      (other ? `; '${other.parser.name}' would` : `; ${nearest(parsers, outputs, net)}`.replace(/; $/, '')),
    names,
  );
}

function nearest(parsers: readonly AnyParser[], outputs: readonly TensorInfo[], net: NetworkInfo): string {
  const near = nearestParsers(parsers, outputs, net);
  return near.length === 0 ? '' : `nearest: ${near.join(', ')}; `;
}

function detectionChoice({ fitting: { parser, match }, why, requested }: Picked<OutputParser>): ParserChoice {
  return {
    parser: bound(parser, requested),
    reason: `${parser.name}: ${why}`,
    suppression: match.suppression ?? parser.network.suppression,
  };
}

/** Remembers the name that was asked for: some layouts differ by nothing else. */
function bound<P extends AnyParser>(parser: P, requested: string | undefined): P {
  if (requested === undefined) return parser;
  const asked = (net: NetworkInfo): NetworkInfo => ({ ...net, requested });
  if ('task' in parser) {
    const own: TaskParser = parser;
    return { ...parser, create: (outputs, net, options) => own.create(outputs, asked(net), options) };
  }
  const own: OutputParser = parser;
  return {
    ...parser,
    create: (outputs: readonly TensorInfo[], net: NetworkInfo) => own.create(outputs, asked(net)),
    ...(own.createMasks === undefined
      ? {}
      : {
          createMasks: (outputs: readonly TensorInfo[], net: NetworkInfo) => own.createMasks?.(outputs, asked(net)),
        }),
  };
}

/** Names of parsers, for messages and help. */
function namesOf(parsers: readonly AnyParser[]): string[] {
  return parsers.map(({ name }) => name);
}

function sameName(requested: string): (name: string) => boolean {
  const wanted = plainName(requested);
  return (name) => plainName(name) === wanted;
}

function bestOf<P extends AnyParser>(
  parsers: readonly P[],
  outputs: readonly TensorInfo[],
  net: NetworkInfo,
): Fitting<P> | undefined {
  let best: Fitting<P> | undefined;
  for (const parser of parsers) {
    const match = parser.match(outputs, net);
    if (match !== undefined && match.score > (best?.match.score ?? 0)) best = { parser, match };
  }
  return best;
}
