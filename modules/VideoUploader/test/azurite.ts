import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { freePort } from '@vantage/observability';

const KEY = Buffer.alloc(64, 7).toString('base64');

/** A real Azurite in memory, that a test can start late and kill. */
export class TestAzurite {
  readonly port: number;
  #child: ChildProcess | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async reserve(): Promise<TestAzurite> {
    return new TestAzurite(await freePort());
  }

  connectionString(key = KEY): string {
    return `DefaultEndpointsProtocol=http;AccountName=cam;AccountKey=${key};BlobEndpoint=http://127.0.0.1:${this.port}/cam;`;
  }

  async start(): Promise<void> {
    const main = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js');
    const options = ['--blobHost', '127.0.0.1', '--blobPort', String(this.port), '--inMemoryPersistence'];
    const child = spawn(process.execPath, [main, ...options, '--skipApiVersionCheck', '--disableTelemetry'], {
      env: { ...process.env, AZURITE_ACCOUNTS: `cam:${KEY}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        if (chunk.includes('successfully listen')) resolve();
      });
      child.once('exit', (code) => reject(new Error(`Azurite ended with ${code}`)));
    });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
