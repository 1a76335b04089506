import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ResolvedSource } from '../source/resolve-source.ts';
import type { NodeDefinition } from '../twin/definition.ts';
import { NodeProcess, type ProcessEvents } from './node-process.ts';
import { nodeEnvironment, nodeRuntime, pythonRuntime } from './runtime.ts';

const START_DEADLINE_MS = 60_000;
/** What calls under way get beyond their deadline when their process is told to end. */
const DRAIN_SLACK_MS = 500;
const BUILTIN_FOLDER = path.dirname(fileURLToPath(new URL('../builtin/names.ts', import.meta.url)));

/** After so many calls in a row that failed there are none for a while. */
export const CIRCUIT = { failures: 10, pauseMs: 5000 } as const;

export interface StartPlace {
  readonly host: string;
  readonly port: number;
  /** Folder that relative paths of built-in nodes start from. */
  readonly root: string;
}

/**
 * Starts a process that serves the node.
 *
 * @throws VantageError `HOSTED_NODE_LOAD_FAILED`, `HOSTED_NODE_PYTHON_MISSING` and others that say why not
 */
export async function startProcess(
  definition: NodeDefinition,
  resolved: ResolvedSource,
  { host, port, root }: StartPlace,
  events: ProcessEvents,
  signal: AbortSignal,
): Promise<NodeProcess> {
  const { name, settings, deadlineMs, memoryMiB, maxInFlight, env, token, tls } = definition;
  const { entry, builtin, folder, language } = resolved;
  const setup = {
    name,
    entry,
    builtin,
    folder: builtin ? BUILTIN_FOLDER : folder,
    root,
    settings,
    host,
    port,
    deadlineMs,
    drainMs: deadlineMs + DRAIN_SLACK_MS,
    memoryMiB,
    maxInFlight,
    circuit: CIRCUIT,
    ...(token === undefined ? {} : { token }),
    ...(tls === undefined ? {} : { tls }),
  };
  const runtime = language === 'python' ? await pythonRuntime() : nodeRuntime(memoryMiB);
  return NodeProcess.start(
    { runtime, cwd: folder, env: nodeEnvironment(env), setup, startDeadlineMs: START_DEADLINE_MS, events },
    signal,
  );
}
