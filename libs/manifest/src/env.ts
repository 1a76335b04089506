import { parse } from 'dotenv';

/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Replaces `$NAME` and `${anything}` by the variable of that name. Unset ones stay as they are, empty ones vanish, and
 * what was put in is not expanded again (Python's `os.path.expandvars`, which iotedgedev applies to the raw text: a
 * variable called `upstream` would rewrite the routes).
 */
export function expandVariables(text: string, env: Environment): string {
  return expandWithOrigins(text, env).text;
}

export interface ExpandedText {
  readonly text: string;
  /** Where a place of the expanded text was in the text before; inside of what was put in, where the variable stood. */
  readonly originOf: (offset: number) => number;
}

/** {@link expandVariables}, and the way back. */
export function expandWithOrigins(text: string, env: Environment): ExpandedText {
  const pieces: { readonly start: number; readonly end: number; readonly origin: number; readonly after: number }[] =
    [];
  let grown = 0;
  const expanded = text.replace(
    /\$(?:([A-Za-z0-9_]+)|\{([^}]*)\})/g,
    (match, plain: string | undefined, braced: string | undefined, origin: number) => {
      const name = plain ?? braced ?? '';
      const value = Object.hasOwn(env, name) ? (env[name] ?? match) : match;
      const start = origin + grown;
      pieces.push({ start, end: start + value.length, origin, after: origin + match.length });
      grown += value.length - match.length;
      return value;
    },
  );
  const originOf = (offset: number): number => {
    const piece = pieces.findLast(({ start }) => start <= offset);
    if (!piece) return offset;
    return offset < piece.end ? piece.origin : piece.after + (offset - piece.end);
  };
  return { text: expanded, originOf };
}

/** What a template has that is no variable of the environment. */
const RESERVED = new Set(['upstream', 'edgeAgent', 'edgeHub', 'schema']);

/** Variables that a text names and the environment lacks, in order, each once; image placeholders are none. */
export function unsetVariables(text: string, env: Environment): string[] {
  const names = Array.from(
    text.matchAll(/\$(?:([A-Za-z0-9_]+)|\{([^}]*)\})/g),
    ([, plain, braced]) => plain ?? braced ?? '',
  );
  const unset = names.filter(
    (name) => !Object.hasOwn(env, name) && !RESERVED.has(name) && !/^MODULES\.|^MODULEDIR</.test(name),
  );
  return [...new Set(unset)];
}

/** Adds the variables of a `.env` text to an environment; variables that exist already keep their value. */
export function withDotEnv(text: string, env: Environment): Environment {
  return { ...parse(text), ...env };
}
