import { fileURLToPath } from 'node:url';
import { preloads, pythonCandidates, pythonComplaint, userCodeEnvironment } from '@vantage/observability';
import { pythonMissing } from '../errors.ts';

/** A command line that runs a node's process. */
export interface Runtime {
  readonly command: string;
  readonly arguments: readonly string[];
}

/** Beyond the limit, so that the check of the host, which says why, comes first. */
const SLACK_MIB = 256;

/** @param own variables of the twin, which win */
export function nodeEnvironment(
  own: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const kept = userCodeEnvironment(env, ['FFMPEG_PATH', 'VANTAGE_SHARED_MEMORY']);
  return { ...kept, ORT_DISABLE_TELEMETRY: '1', PYTHONUNBUFFERED: '1', ...own };
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
      ...preloads(),
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
  for (const candidate of pythonCandidates({ variable: 'VANTAGE_PYTHON', first: 'system' }, env)) {
    const needs = { version: [3, 9], packages: ['grpc', 'google.protobuf', 'numpy'] } as const;
    const complaint = await pythonComplaint(candidate, needs, nodeEnvironment({}, env));
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
