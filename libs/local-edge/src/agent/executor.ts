import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { codeOf } from '@vantage/contracts';
import { deploymentInvalid } from '../errors.ts';

/** A command that stands for an image on this machine. */
export interface ModuleCommand {
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** Added to the module's environment; the deployment's own variables win. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Says what to run for an image; undefined when the image is not known. */
export type ImageResolver = (
  image: string,
  moduleId: string,
  createOptions: Readonly<Record<string, unknown>>,
) => ModuleCommand | undefined | Promise<ModuleCommand | undefined>;

/** What an executor needs to start a module. */
export interface ModuleLaunch {
  readonly moduleId: string;
  readonly image: string;
  readonly createOptions: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string>>;
  /** Container path -> folder on this machine. */
  readonly volumes: Readonly<Record<string, string>>;
  /** A line of output, without its line feed. */
  readonly onLine: (stream: 'stdout' | 'stderr', line: string) => void;
}

export interface ModuleExit {
  /** Exit status; 128 + signal number is not used: a signal gives 137 for SIGKILL, 143 for SIGTERM, else 1. */
  readonly code: number;
}

/** A module that runs. */
export interface ModuleHandle {
  readonly pid: number;
  readonly exited: Promise<ModuleExit>;
  /** SIGTERM, then SIGKILL after the time given in milliseconds. Resolves when nothing of it is left. */
  stop(timeoutMs: number): Promise<void>;
  /** Ends it hard, as a crash would; what follows is up to its restart policy. Does not wait. */
  kill(): void;
}

/** Runs modules: as processes here, as containers elsewhere. */
export interface ModuleExecutor {
  start(launch: ModuleLaunch): Promise<ModuleHandle>;
}

/** Lines longer than this are cut into pieces, so that a module that never ends a line cannot fill the memory. */
const MAX_LINE_BYTES = 64 * 1024;

/** Of the runtime's own environment only these reach a module: a container would not see them either. */
const INHERITED =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ|TMPDIR|TEMP|TMP|SystemRoot|LD_LIBRARY_PATH|FFMPEG_PATH|FFPROBE_PATH|NODE_EXTRA_CA_CERTS|ORT_.*|VANTAGE_.*)$/;

/**
 * Runs modules as child processes.
 *
 * Each leads a process group of its own, so that what it started goes with it and a Ctrl+C in the terminal reaches the
 * runtime alone. Its standard input is a pipe that nobody writes to: it ends when the runtime is gone, however it
 * went. `VANTAGE_PARENT_STDIN=1` tells the module so, and that it should end then.
 */
export class ProcessExecutor implements ModuleExecutor {
  readonly #resolveImage: ImageResolver;

  constructor(resolveImage: ImageResolver) {
    this.#resolveImage = resolveImage;
  }

  async start(launch: ModuleLaunch): Promise<ModuleHandle> {
    const command = await this.#resolveImage(launch.image, launch.moduleId, launch.createOptions);
    if (command === undefined) throw deploymentInvalid(`no command is known for the image "${launch.image}"`);
    const child = spawn(command.command, [...(command.args ?? [])], {
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
      env: {
        ...inherited(process.env),
        ...command.env,
        ...launch.env,
        VANTAGE_VOLUMES: JSON.stringify(launch.volumes),
        VANTAGE_PARENT_STDIN: '1',
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const exited = new Promise<ModuleExit>((resolve) => {
      child.once('exit', (code, signal) => {
        killGroup(child, 'SIGKILL');
        resolve({ code: code ?? (signal === 'SIGKILL' ? 137 : signal === 'SIGTERM' ? 143 : 1) });
      });
    });
    await once(child, 'spawn');
    child.stdin.on('error', () => undefined);
    readLines(child.stdout, (line) => {
      launch.onLine('stdout', line);
    });
    readLines(child.stderr, (line) => {
      launch.onLine('stderr', line);
    });
    return {
      pid: child.pid ?? 0,
      exited,
      stop: (timeoutMs) => stop(child, exited, timeoutMs),
      kill: () => {
        killGroup(child, 'SIGKILL');
      },
    };
  }
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

async function stop(child: Child, exited: Promise<ModuleExit>, timeoutMs: number): Promise<void> {
  // Only the module itself gets SIGTERM: it decides in which order its own children end.
  child.kill('SIGTERM');
  const timer = setTimeout(() => {
    killGroup(child, 'SIGKILL');
  }, timeoutMs);
  await exited;
  clearTimeout(timer);
}

function killGroup(child: Child, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH' && codeOf(error) !== 'EPERM') throw error;
  }
}

function inherited(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([key, value]) => (value !== undefined && INHERITED.test(key) ? [[key, value]] : [])),
  );
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line.replace(/\r$/, ''));
    if (rest.length > MAX_LINE_BYTES) {
      onLine(rest);
      rest = '';
    }
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
  stream.on('error', () => undefined);
}
