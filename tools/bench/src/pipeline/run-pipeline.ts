import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';

/** What a process of its own is to run: cameras on films, one model, the whole ai-pipeline. */
export interface PipelineRun {
  /** A film for each camera. */
  readonly films: readonly string[];
  readonly pace: 'realtime' | 'asFastAsPossible';
  /** Cores that the model may use. */
  readonly cores: number;
  /** Length of the measurement; it starts when every camera has given its first results. */
  readonly forMs: number;
}

export interface PipelineFigures {
  readonly frames: number;
  readonly seconds: number;
  /** Of the process and its decoders. */
  readonly cpuMs: number;
  /** p95 of the time from a frame's capture to its insights, and mean time from one looked-at frame to the next. */
  readonly ageP95Ms: number;
  readonly intervalMs: number;
  readonly loopDelayP99Ms: number;
  /** Of the process and its decoders, once a second. */
  readonly residentBytes: readonly number[];
}

/** Runs a pipeline in its own process, so that CPU time, memory and cores are its own. */
export async function runPipeline(run: PipelineRun, pinnedTo?: readonly number[]): Promise<PipelineFigures> {
  const program = new URL('pipeline-process.ts', import.meta.url).pathname;
  return runJson([process.execPath, '--disable-warning=ExperimentalWarning', program, JSON.stringify(run)], pinnedTo);
}

/** The one JSON document that a program prints. */
export async function runJson<T>(command: readonly string[], pinnedTo?: readonly number[]): Promise<T> {
  const pinned = pinnedTo ? ['taskset', '-c', pinnedTo.join(','), ...command] : command;
  const [program = '', ...args] = pinned;
  const env = { ...process.env, ORT_DISABLE_TELEMETRY: '1' };
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  const closed = once(child, 'close');
  const output = await text(child.stdout);
  const [status] = (await closed) as [number | null];
  if (status !== 0) throw new Error(`${command.slice(0, 3).join(' ')} ended with status ${status}`);
  return JSON.parse(output) as T;
}
