import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, isObject, messageOf, parseJson } from '@vantage/contracts';
import { Backoff, freePort, isPortFree, type Logger } from '@vantage/observability';

/** The container of clips, here as in IoT Hub's settings of a solution. */
export const CLIP_CONTAINER = 'clips';
const ACCOUNT = 'vantage';
const STOP_TIMEOUT_MS = 5000;

interface Kept {
  readonly accountKey: string;
  readonly port: number;
}

/**
 * A storage account on this machine: Azurite's blob service on loopback, as a child process that is started again when
 * it ends. Its blobs, its key and its port are kept in `<state>/storage`.
 */
export class LocalStorage {
  /** Connection string of the account; plain http on loopback. */
  readonly connectionString: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #accountKey: string;
  readonly #logger: Logger;
  readonly #abort = new AbortController();
  #child: ChildProcess | undefined;
  #running: Promise<void> | undefined;

  private constructor(folder: string, kept: Kept, logger: Logger) {
    this.#folder = folder;
    this.#port = kept.port;
    this.#accountKey = kept.accountKey;
    this.#logger = logger;
    this.connectionString = `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${kept.accountKey};BlobEndpoint=http://127.0.0.1:${kept.port}/${ACCOUNT};`;
  }

  /**
   * Starts it; whoever asks before it listens is refused for that moment. The connection string is also written to
   * `<state>/storage/connection`, readable by this user only, for tools beside the runtime.
   */
  static async start(stateDir: string, logger: Logger): Promise<LocalStorage> {
    const folder = path.join(stateDir, 'storage');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = path.join(folder, 'account.json');
    const before = await readKept(file);
    const kept = {
      accountKey: before?.accountKey ?? randomBytes(64).toString('base64'),
      port: before !== undefined && (await isPortFree(before.port)) ? before.port : await freePort(),
    };
    await writeWhole(file, JSON.stringify(kept));
    const storage = new LocalStorage(folder, kept, logger);
    await writeWhole(path.join(folder, 'connection'), storage.connectionString);
    storage.#running = storage.#keepRunning();
    return storage;
  }

  /** The process that stands for the account now; undefined between two. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    const child = this.#child;
    child?.kill('SIGTERM');
    const late = setTimeout(() => child?.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#running;
    clearTimeout(late);
  }

  async #keepRunning(): Promise<void> {
    const backoff = new Backoff({ baseMs: 200, capMs: 10_000, resetAfterMs: 10_000 });
    do {
      try {
        const child = this.#spawn();
        this.#child = child;
        backoff.healthy();
        const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
        if (this.#abort.signal.aborted) return;
        this.#logger.warn('the local storage ended; it is started again', { code, signal });
      } catch (error) {
        this.#logger.error(`the local storage does not start: ${messageOf(error)}`, { code: codeOf(error) });
      } finally {
        this.#child = undefined;
      }
    } while (await backoff.wait(this.#abort.signal));
  }

  #spawn(): ChildProcess {
    const options = [
      ...[
        '--blobHost',
        '127.0.0.1',
        '--blobPort',
        String(this.#port),
        '--location',
        path.join(this.#folder, 'azurite'),
      ],
      // Loose: azure-iot-device uploads with a header that Azurite otherwise refuses.
      ...['--silent', '--disableTelemetry', '--skipApiVersionCheck', '--loose', '--disableProductStyleUrl'],
    ];
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', path.join(import.meta.dirname, 'azurite.ts'), ...options],
      {
        env: { ...process.env, AZURITE_ACCOUNTS: `${ACCOUNT}:${this.#accountKey}` },
        stdio: ['pipe', 'ignore', 'pipe'],
        // A Ctrl-C in the terminal reaches the runtime alone, and the modules end before their storage.
        detached: true,
      },
    );
    child.stdin.on('error', () => undefined);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#logger.debug(`local storage: ${text.trim()}`);
    });
    return child;
  }
}

async function readKept(file: string): Promise<Kept | undefined> {
  try {
    const kept = parseJson(await readFile(file, 'utf8'));
    if (!isObject(kept)) return undefined;
    const { accountKey, port } = kept;
    return typeof accountKey === 'string' && typeof port === 'number' ? { accountKey, port } : undefined;
  } catch {
    return undefined;
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
