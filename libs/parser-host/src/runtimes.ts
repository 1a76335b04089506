import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pythonMissing } from './errors.ts';
import type { ParserSpec } from './types.ts';

/** A command line that runs a parser process. */
export interface Runtime {
  readonly command: string;
  readonly arguments: readonly string[];
  /** Signal that makes the process say where it is; without one a byte on its standard input does. */
  readonly whereSignal?: NodeJS.Signals;
}

/** Private memory of a Node without a program, with room for its threads. */
const NODE_ITSELF_MB = 128;

/** What a parser process may see of the environment: how to find programs and packages, never a key or a token. */
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

export function parserEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.fromEntries(PASSED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  // One thread for linear algebra: a parser has small matrices, and the cores belong to inference.
  return { ...kept, PYTHONIOENCODING: 'utf-8', OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
}

/**
 * The interpreter for a parser. Python: `VANTAGE_PYTHON` and no other where it is set, else /usr/bin/python3, else the
 * first `python3` of the PATH; it needs numpy. JavaScript: the Node that runs this.
 *
 * @throws VantageError `PARSER_PYTHON_MISSING` with what each candidate lacks and how to install it
 */
export async function findRuntime(
  kind: ParserSpec['kind'],
  memoryLimitMb: number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Runtime> {
  if (kind === 'js') {
    // The heap's limit does not count typed arrays; the one of the shell does (Linux counts private memory).
    return {
      command: '/bin/sh',
      arguments: [
        '-c',
        `ulimit -d ${(memoryLimitMb + NODE_ITSELF_MB) * 1024} 2>/dev/null; exec "$0" "$@"`,
        process.execPath,
        '--disable-warning=ExperimentalWarning',
        '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON',
        `--max-old-space-size=${memoryLimitMb}`,
        source('js/main.ts'),
      ],
    };
  }
  const complaints: string[] = [];
  for (const candidate of pythonCandidates(env)) {
    const complaint = await complaintAbout(candidate, env);
    if (complaint === undefined) {
      // -B: no compiled files in the parser's folder.
      const program = source('python/vantage_parser.py');
      return { command: candidate, arguments: ['-B', program], whereSignal: 'SIGUSR1' };
    }
    complaints.push(`${candidate}: ${complaint}`);
  }
  const found = complaints.length === 0 ? 'there is no python3 on the PATH' : complaints.join('; ');
  throw pythonMissing(
    `a Python parser needs Python 3.8 or newer with numpy (${found}). Install it (apt-get install python3-numpy, or ` +
      'pip3 install numpy), or set VANTAGE_PYTHON to an interpreter that has it',
  );
}

function source(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function pythonCandidates(env: NodeJS.ProcessEnv): string[] {
  const wished = env['VANTAGE_PYTHON'];
  if (wished !== undefined && wished !== '') return [wished];
  const onPath = (env['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, 'python3'));
  return [...new Set(['/usr/bin/python3', ...onPath.filter(isExecutable).slice(0, 3)])].filter(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function complaintAbout(python: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const check =
    'import sys; assert sys.version_info >= (3, 8), "it is Python %d.%d" % sys.version_info[:2]; import numpy';
  try {
    await promisify(execFile)(python, ['-B', '-c', check], { env: parserEnvironment(env), timeout: 30_000 });
    return undefined;
  } catch (error) {
    const { code, killed, stderr } = error as { code?: unknown; killed?: boolean; stderr?: string };
    if (code === 'ENOENT') return 'there is no such program';
    if (killed === true) return 'it did not answer within 30 s';
    const last = (stderr ?? '').trim().split('\n').at(-1) ?? '';
    return last === '' ? 'it does not run' : last.replace(/^\w+Error: /, '');
  }
}
