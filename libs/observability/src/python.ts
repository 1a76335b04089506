import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

export interface PythonWish {
  /** Environment variable that names the interpreter, and no other counts then. */
  readonly variable: string;
  /** Who comes first: the system's own, whose packages come from the distribution, or the one of the PATH. */
  readonly first: 'system' | 'path';
}

/** As many of the PATH as are worth trying. */
const FROM_PATH = 3;
const SYSTEM = '/usr/bin/python3';
const ANSWER_WITHIN_MS = 30_000;

/** Interpreters of Python on this machine, best first; none of them was tried. */
export function pythonCandidates({ variable, first }: PythonWish, env: NodeJS.ProcessEnv = process.env): string[] {
  const wished = env[variable];
  if (wished !== undefined && wished !== '') return [wished];
  const onPath = (env['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, 'python3'));
  const found = onPath.filter(isExecutable).slice(0, FROM_PATH);
  return [...new Set(first === 'system' ? [SYSTEM, ...found] : [...found, SYSTEM])].filter(isExecutable);
}

/**
 * Why an interpreter cannot be used, for people; undefined where it can.
 *
 * @param needs its least version and the packages that it has to have
 * @param env what it runs with
 */
export async function pythonComplaint(
  python: string,
  needs: { readonly version: readonly [major: number, minor: number]; readonly packages: readonly string[] },
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const [major, minor] = needs.version;
  const check = [
    `import sys; assert sys.version_info >= (${major}, ${minor}), "it is Python %d.%d" % sys.version_info[:2]`,
    `import ${needs.packages.join(', ')}`,
  ];
  try {
    // -B: no compiled files anywhere.
    await promisify(execFile)(python, ['-B', '-c', check.join('\n')], { env, timeout: ANSWER_WITHIN_MS });
    return undefined;
  } catch (error) {
    const { code, killed, stderr } = error as { code?: unknown; killed?: boolean; stderr?: string };
    if (code === 'ENOENT') return 'there is no such program';
    if (killed === true) return `it did not answer within ${ANSWER_WITHIN_MS / 1000} s`;
    const last = (stderr ?? '').trim().split('\n').at(-1) ?? '';
    return last === '' ? 'it does not run' : last.replace(/^\w+Error: /, '');
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
