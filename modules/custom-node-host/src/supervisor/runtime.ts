import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pythonMissing } from '../errors.ts';

/** A command line that runs a node's process. */
export interface Runtime {
  readonly command: string;
  readonly arguments: readonly string[];
}

/** Beyond the limit, so that the check of the host, which says why, comes first. */
const SLACK_MIB = 256;

/** What a process may see of the environment: how to find programs and packages, never a key or a token. */
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
  'FFMPEG_PATH',
  'VANTAGE_SHARED_MEMORY',
];

/** @param own variables of the twin, which win */
export function nodeEnvironment(
  own: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const kept = Object.fromEntries(PASSED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  return { ...kept, ORT_DISABLE_TELEMETRY: '1', PYTHONIOENCODING: 'utf-8', PYTHONUNBUFFERED: '1', ...own };
}

/** Node runs TypeScript as it is. The shell's limit counts private memory, also that outside of the heap. */
export function nodeRuntime(memoryMiB: number): Runtime {
  return {
    command: '/bin/sh',
    arguments: [
      '-c',
      `ulimit -c 0; ulimit -d ${(memoryMiB + SLACK_MIB) * 1024} 2>/dev/null; exec "$0" "$@"`,
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON',
      `--max-old-space-size=${memoryMiB}`,
      source('../child/main.ts'),
    ],
  };
}

/**
 * Python: `VANTAGE_PYTHON` and no other where it is set, else /usr/bin/python3, else the first `python3` of the PATH that
 * has grpcio, protobuf and numpy.
 *
 * @throws VantageError `HOSTED_NODE_PYTHON_MISSING` with what each candidate lacks and how to install it
 */
export async function pythonRuntime(env: NodeJS.ProcessEnv = process.env): Promise<Runtime> {
  const complaints: string[] = [];
  for (const candidate of pythonCandidates(env)) {
    const complaint = await complaintAbout(candidate, env);
    // -B: no compiled files in the node's folder.
    if (complaint === undefined) return { command: candidate, arguments: ['-B', source('../python/node_host.py')] };
    complaints.push(`${candidate}: ${complaint}`);
  }
  const found = complaints.length === 0 ? 'there is no python3 on the PATH' : complaints.join('; ');
  throw pythonMissing(
    `a Python node needs Python 3.9 or newer with grpcio, protobuf and numpy (${found}). Install them (apt-get install ` +
      'python3-grpcio python3-protobuf python3-numpy, or pip3 install grpcio protobuf numpy), or set VANTAGE_PYTHON ' +
      'to an interpreter that has them',
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
    'import sys; assert sys.version_info >= (3, 9), "it is Python %d.%d" % sys.version_info[:2]\n' +
    'import grpc, google.protobuf, numpy';
  try {
    await promisify(execFile)(python, ['-B', '-c', check], { env: nodeEnvironment({}, env), timeout: 30_000 });
    return undefined;
  } catch (error) {
    const { code, killed, stderr } = error as { code?: unknown; killed?: boolean; stderr?: string };
    if (code === 'ENOENT') return 'there is no such program';
    if (killed === true) return 'it did not answer within 30 s';
    const last = (stderr ?? '').trim().split('\n').at(-1) ?? '';
    return last === '' ? 'it does not run' : last.replace(/^\w+Error: /, '');
  }
}
