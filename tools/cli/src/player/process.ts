import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { isObject } from '@vantage/contracts';
import { Backoff } from '@vantage/observability';
import { NODE_FLAGS } from '../node-flags.ts';
import type { UpEvent } from '../up/events.ts';
import { REPOSITORY } from '../up/deployment.ts';

const MAIN = path.join(REPOSITORY, 'modules/player/src/main.ts');
const STOP_TIMEOUT_MS = 8000;

export interface PlayerProcessOptions {
  readonly stateDir: string;
  readonly logFolder: string;
  readonly clipFolder: string;
  /** 0: a free one. */
  readonly port: number;
  readonly ffmpegPath: string;
  readonly storage?: { readonly connectionString: string; readonly container: string };
  /** The ai-pipeline reads the files of this machine. */
  readonly sharesFiles: boolean;
}

/** The Player as a child process, started again when it ends by itself; its log is `player.log` beside the modules'. */
export class PlayerProcess {
  readonly #options: PlayerProcessOptions;
  readonly #tell: (event: UpEvent) => void;
  readonly #abort = new AbortController();
  #port: number;
  #child: ChildProcess | undefined;
  #running: Promise<void> | undefined;

  constructor(options: PlayerProcessOptions, tell: (event: UpEvent) => void) {
    this.#options = options;
    this.#tell = tell;
    this.#port = options.port;
  }

  start(): void {
    this.#running ??= this.#keepRunning();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#abort.abort();
    const child = this.#child;
    child?.stdin?.end();
    const kill = setTimeout(() => child?.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#running;
    clearTimeout(kill);
  }

  async #keepRunning(): Promise<void> {
    const backoff = new Backoff();
    do {
      const child = this.#spawn();
      this.#child = child;
      let hasListened = false;
      child.on('message', (message) => {
        if (!isObject(message) || typeof message['url'] !== 'string') return;
        if (!hasListened) this.#tell({ event: 'player', url: message['url'] });
        hasListened = true;
        // A browser finds it again where it was.
        this.#port = Number(new URL(message['url']).port);
        backoff.healthy();
      });
      const [status] = (await once(child, 'close')) as [number | null];
      if (this.#abort.signal.aborted) return;
      const log = path.join(this.#options.logFolder, 'player.log');
      this.#tell({ event: 'error', module: 'player', message: `ended with status ${status ?? 'none'}; see ${log}` });
      // What it is told does not change: it would end the same way again.
      if (!hasListened) return;
    } while (await backoff.wait(this.#abort.signal));
  }

  #spawn(): ChildProcess {
    const { stateDir, logFolder, clipFolder, ffmpegPath, storage, sharesFiles } = this.#options;
    const child = spawn(process.execPath, [...NODE_FLAGS, MAIN], {
      stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C is for the runtime, which ends the Player in its turn.
      detached: true,
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        // Of an IoT Hub, which this is not.
        IOTHUB_CONNECTION_STRING: undefined,
        VANTAGE_DEVICE: undefined,
        VANTAGE_STATE: stateDir,
        VANTAGE_PARENT_STDIN: '1',
        VANTAGE_METRICS_PORT: 'off',
        FFMPEG_PATH: ffmpegPath,
        PLAYER_PORT: String(this.#port),
        PLAYER_RECORDINGS: clipFolder,
        PLAYER_CACHE: path.join(stateDir, 'volumes', 'player'),
        PLAYER_SHARES_FILES: sharesFiles ? '1' : '0',
        ...(storage === undefined
          ? {}
          : { PLAYER_STORAGE: storage.connectionString, PLAYER_CONTAINER: storage.container }),
      },
    });
    const log = createWriteStream(path.join(logFolder, 'player.log'), { flags: 'a', mode: 0o600 });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    child.on('close', () => log.end());
    child.on('error', () => undefined);
    child.stdin?.on('error', () => undefined);
    return child;
  }
}
