import type { NetworkInfo, ParserMatch, TensorInfo } from './types.ts';

interface Matcher {
  readonly name: string;
  match(outputs: readonly TensorInfo[], net: NetworkInfo): ParserMatch | undefined;
}

const SIZES = [224, 256, 300, 320, 416, 480, 512, 544, 608, 640, 800, 960, 1024, 1280] as const;
const MOST = 4;

/**
 * Parsers that would read the outputs if one thing were different (the size of the input, the number of classes, an
 * output left out), each with that thing. Best first, at most four: what a person looks at first when nothing fits.
 */
export function nearestParsers(
  parsers: readonly Matcher[],
  outputs: readonly TensorInfo[],
  net: NetworkInfo,
): readonly string[] {
  const found = new Map<string, { text: string; score: number }>();
  const attempt = (seen: readonly TensorInfo[], as: NetworkInfo, condition: string): void => {
    for (const parser of parsers) {
      const match = parser.match(seen, as);
      if (match === undefined || match.score < 0.3 || match.score <= (found.get(parser.name)?.score ?? 0)) continue;
      found.set(parser.name, { text: `${parser.name} (${condition})`, score: match.score });
    }
  };
  attempt(outputs, { width: net.width, height: net.height }, 'with other classes');
  for (const size of SIZES) {
    if (size === net.width && size === net.height) continue;
    attempt(outputs, { ...net, width: size, height: size }, `with an input of ${size} x ${size}`);
  }
  if (outputs.length > 1 && outputs.length <= 12) {
    for (const [index, output] of outputs.entries()) {
      attempt([output], net, `of output ${output.name} alone`);
      if (outputs.length > 2) attempt(outputs.toSpliced(index, 1), net, `without output ${output.name}`);
    }
  }
  return [...found.values()]
    .sort((a, b) => b.score - a.score)
    .slice(0, MOST)
    .map(({ text }) => text);
}
