import { parse } from 'dotenv';

/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Replaces `$NAME` and `${anything}` by the variable of that name. Unset ones stay as they are, empty ones vanish, and
 * what was put in is not expanded again (Python's `os.path.expandvars`, which iotedgedev applies to the raw text: a
 * variable called `upstream` would rewrite the routes).
 */
export function expandVariables(text: string, env: Environment): string {
  return text.replace(
    /\$(?:([A-Za-z0-9_]+)|\{([^}]*)\})/g,
    (match, plain: string | undefined, braced: string | undefined) => {
      const name = plain ?? braced ?? '';
      return Object.hasOwn(env, name) ? (env[name] ?? match) : match;
    },
  );
}

/** Adds the variables of a `.env` text to an environment; variables that exist already keep their value. */
export function withDotEnv(text: string, env: Environment): Environment {
  return { ...parse(text), ...env };
}
