import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { closeLater } from './nodes.ts';

const REPOSITORY = path.resolve(import.meta.dirname, '../../../..');
const PEERS = path.resolve(import.meta.dirname, '../peers');

/** Fake detection as the public sample does it: `Server started, listening on <port>`, `processing ...` per frame. */
export const FAKE_DETECTION = path.join(REPOSITORY, 'sdk/python/examples/fake_detection.py');
export const REFERENCE_CLIENT = path.join(PEERS, 'reference_client.py');

/** A Python that has grpcio, or undefined. */
export const python = [process.env['VANTAGE_PYTHON'] ?? '/usr/bin/python3', 'python3'].find(
  (command) => spawnSync(command, ['-c', 'import grpc, google.protobuf']).status === 0,
);
export const PYTHON_MISSING = 'no Python with grpcio and protobuf (apt-get install python3-grpcio python3-protobuf)';

/** A Python process, its output line by line. */
export interface PythonProcess {
  readonly port: number;
  readonly lines: string[];
  /** Resolves once so many lines are `text`. */
  seen(text: string, count: number): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPython(script: string, ...options: string[]): Promise<PythonProcess> {
  const child = spawn(python ?? 'python3', [script, ...options], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: path.join(REPOSITORY, 'sdk/python') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const events = new EventTarget();
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    events.dispatchEvent(new Event('line'));
  });
  const exited = once(child, 'exit');
  void exited.then(() => events.dispatchEvent(new Event('line')));
  const wait = async (test: () => boolean): Promise<void> => {
    while (!test()) {
      if (child.exitCode !== null) throw new Error(`${path.basename(script)} ended: ${lines.join('\n')}`);
      await once(events, 'line');
    }
  };
  const kill = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  };
  const process_ = closeLater({
    port: 0,
    lines,
    seen: (text: string, count: number) => wait(() => lines.filter((line) => line === text).length >= count),
    kill,
    stop: kill,
  });
  const announced = /^Server started, listening on (\d+)$/;
  await wait(() => lines.some((line) => announced.test(line)));
  const port = Number(lines.map((line) => announced.exec(line)?.[1]).find((text) => text !== undefined));
  return Object.assign(process_, { port });
}

/** Runs a script to its end and gives what it printed. */
export async function runPython(script: string, ...options: string[]): Promise<string> {
  const child = spawn(python ?? 'python3', [script, ...options], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: path.join(REPOSITORY, 'sdk/python') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${path.basename(script)} ended with ${code}: ${errors}`);
  return output;
}
