import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { codeOf, messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { deploymentInvalid } from '../errors.ts';
import type { StateDatabase } from '../state/database.ts';
import { bindsOf } from './create-options.ts';
import type { ModuleExecutor, ModuleExit, ModuleHandle, ModuleLaunch } from './executor.ts';
import { withoutEffect } from './ignored-options.ts';
import { readLines } from './lines.ts';
import { OrphanGuard } from './orphans.ts';

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

export interface ProcessExecutorOptions {
  readonly stateDir: string;
  readonly database: StateDatabase;
  readonly resolveImage: ImageResolver;
  /** Host names of the modules' network -> where they really listen. */
  readonly hosts: Readonly<Record<string, string>>;
  readonly logger: Logger;
}

/** Of the runtime's own environment only these reach a module: a container would not see them either. */
const INHERITED =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ|TMPDIR|TEMP|TMP|SystemRoot|LD_LIBRARY_PATH|FFMPEG_PATH|FFPROBE_PATH|NODE_EXTRA_CA_CERTS|ORT_.*|VANTAGE_.*)$/;

/**
 * What of createOptions means something for a process; the log's bounds are kept by the log itself, and ports need no
 * publishing: a process listens on the machine's.
 */
const HONOURED = [
  'Env',
  'Labels',
  'ExposedPorts',
  'HostConfig.Binds',
  'HostConfig.LogConfig',
  'HostConfig.PortBindings',
];

/**
 * Runs modules as child processes.
 *
 * Each leads a process group of its own, so that what it started goes with it and a Ctrl+C in the terminal reaches the
 * runtime alone. Its standard input is a pipe that nobody writes to: it ends when the runtime is gone, however it
 * went. `VANTAGE_PARENT_STDIN=1` tells the module so, and that it should end then.
 */
export class ProcessExecutor implements ModuleExecutor {
  readonly #options: ProcessExecutorOptions;
  readonly #orphans: OrphanGuard;

  constructor(options: ProcessExecutorOptions) {
    this.#options = options;
    this.#orphans = new OrphanGuard(options.database, options.logger);
  }

  async open(): Promise<void> {
    await this.#orphans.reap();
  }

  async start(launch: ModuleLaunch): Promise<ModuleHandle> {
    const { moduleId, image, createOptions } = launch;
    const command = await this.#options.resolveImage(image, moduleId, createOptions);
    if (command === undefined) throw deploymentInvalid(`no command is known for the image "${image}"`);
    const child = spawn(command.command, [...(command.args ?? [])], {
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
      env: {
        ...inherited(process.env),
        ...command.env,
        ...launch.env,
        VANTAGE_HOSTS: JSON.stringify(this.#options.hosts),
        VANTAGE_VOLUMES: JSON.stringify(await this.#volumes(launch)),
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
    const pid = child.pid ?? 0;
    this.#note(this.#orphans.started(moduleId, pid));
    void exited.then(() => {
      this.#note(this.#orphans.ended(pid));
    });
    return {
      pid,
      imageHash: hashOf(command),
      ignored: withoutEffect(createOptions, HONOURED, bindsOf(createOptions)),
      exited,
      stop: (timeoutMs) => stop(child, exited, timeoutMs),
      kill: () => {
        killGroup(child, 'SIGKILL');
      },
    };
  }

  forget(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Named volumes are folders of the state folder, shared by all modules that name them, as Docker has it. */
  async #volumes({ createOptions }: ModuleLaunch): Promise<Record<string, string>> {
    const volumes: [string, string][] = [];
    for (const { source, target } of bindsOf(createOptions)) {
      const folder = source.startsWith('/') ? source : join(this.#options.stateDir, 'volumes', source);
      await mkdir(folder, { recursive: true });
      volumes.push([target, folder]);
    }
    return Object.fromEntries(volumes);
  }

  #note(noted: Promise<void>): void {
    noted.catch((error: unknown) => {
      this.#options.logger.warn('the list of processes cannot be written', { error: messageOf(error) });
    });
  }
}

/** There is no image, so what stands for it is hashed: another command is another "image". */
function hashOf({ command, args, cwd }: ModuleCommand): string {
  return `sha256:${createHash('sha256')
    .update(JSON.stringify([command, args, cwd]))
    .digest('hex')}`;
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
