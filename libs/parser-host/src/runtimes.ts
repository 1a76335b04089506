import { fileURLToPath } from 'node:url';
import { preloads, pythonCandidates, pythonComplaint, userCodeEnvironment } from '@vantage/observability';
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

export function parserEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  // One thread for linear algebra: a parser has small matrices, and the cores belong to inference.
  return { ...userCodeEnvironment(env), OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
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
        ...preloads(),
        '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON',
        `--max-old-space-size=${memoryLimitMb}`,
        source('js/main.ts'),
      ],
    };
  }
  const complaints: string[] = [];
  for (const candidate of pythonCandidates({ variable: 'VANTAGE_PYTHON', first: 'system' }, env)) {
    const needs = { version: [3, 8], packages: ['numpy'] } as const;
    const complaint = await pythonComplaint(candidate, needs, parserEnvironment(env));
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
