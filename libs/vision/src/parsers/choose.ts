import { parserDoesNotFit, unknownParser } from '../errors.ts';
import { OUTPUT_PARSERS } from './registry.ts';
import { describeOutputs } from './shape.ts';
import type { NetworkInfo, OutputParser, ParserMatch, TensorInfo } from './types.ts';

export interface ParserRequest {
  /** Name or alias from `parser` or `parse-bbox-func-name`; case, dashes and underscores do not matter. */
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

interface Fitting {
  readonly parser: OutputParser;
  readonly match: ParserMatch;
}

/**
 * Chooses the parser of a model: by name where one is given (a family's name takes the best of the family), else by
 * the names and shapes of the outputs.
 *
 * @throws VantageError `PARSER_UNKNOWN` for a name that no parser has, listing those there are;
 *   `PARSER_DOES_NOT_FIT` when the outputs fit no parser, or not the one asked for, naming outputs and shapes
 */
export function chooseParser({ requested, outputs, net }: ParserRequest): ParserChoice {
  if (requested === undefined || requested === '') {
    const best = bestOf(OUTPUT_PARSERS, outputs, net);
    if (best !== undefined) return choice(best, `the model has ${best.match.reason}`);
    throw parserDoesNotFit(
      `no output parser fits the outputs of the model: ${describeOutputs(outputs)}; name one with ` +
        `parse-bbox-func-name or parser (${names().join(', ')}), or bring a parser of your own`,
      outputs.map(({ name }) => name),
    );
  }
  const owners = OUTPUT_PARSERS.filter((parser) => [parser.name, ...parser.aliases].some(sameName(requested)));
  const family = OUTPUT_PARSERS.filter((parser) => parser.standsInFor?.some(sameName(requested)));
  if (owners.length + family.length === 0) throw unknownParser(requested, names());
  const best = bestOf(owners, outputs, net) ?? bestOf(family, outputs, net);
  if (best !== undefined) return choice(best, `'${requested}' asks for it and the model has ${best.match.reason}`);
  const other = bestOf(OUTPUT_PARSERS, outputs, net);
  throw parserDoesNotFit(
    `the output parser '${requested}' cannot read the outputs of the model: ${describeOutputs(outputs)}` +
      (other ? `; '${other.parser.name}' would` : ''),
    outputs.map(({ name }) => name),
  );
}

/** Names of all parsers, for messages and help. */
function names(): string[] {
  return OUTPUT_PARSERS.map(({ name }) => name);
}

function sameName(requested: string): (name: string) => boolean {
  const plain = (name: string): string => name.toLowerCase().replace(/[-_ ]/g, '');
  const wanted = plain(requested);
  return (name) => plain(name) === wanted;
}

function bestOf(
  parsers: readonly OutputParser[],
  outputs: readonly TensorInfo[],
  net: NetworkInfo,
): Fitting | undefined {
  let best: Fitting | undefined;
  for (const parser of parsers) {
    const match = parser.match(outputs, net);
    if (match !== undefined && match.score > (best?.match.score ?? 0)) best = { parser, match };
  }
  return best;
}

function choice({ parser, match }: Fitting, why: string): ParserChoice {
  return { parser, reason: `${parser.name}: ${why}`, suppression: match.suppression ?? parser.network.suppression };
}
