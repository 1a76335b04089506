/** How to find programs and packages, never a key or a token. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'LD_LIBRARY_PATH',
  'PYTHONPATH',
  'PYTHONHOME',
  'VIRTUAL_ENV',
  'CUDA_VISIBLE_DEVICES',
];

/**
 * What a process that runs somebody's code (a parser, a custom node) may see of the environment.
 *
 * @param more names of variables that it needs as well
 */
export function userCodeEnvironment(env: NodeJS.ProcessEnv, more: readonly string[] = []): NodeJS.ProcessEnv {
  const names = [...PASSED_ON, ...more].filter((name) => env[name] !== undefined);
  return { ...Object.fromEntries(names.map((name) => [name, env[name]])), PYTHONIOENCODING: 'utf-8' };
}

/** What this Node was told to load before everything else (`--import=`); one that does not get its environment loads it too. */
export function preloads(): string[] {
  const flags = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(' ')];
  return [...new Set(flags.filter((flag) => flag.startsWith('--import=')))];
}
