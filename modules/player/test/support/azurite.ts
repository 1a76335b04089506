import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { freePort } from '@vantage/observability';

export interface Azurite {
  /** Connection string with the account's key. */
  readonly access: string;
  /** Idempotent; its blobs stay in the folder. */
  stop(): Promise<void>;
}

/** A real storage account: Azurite's blob service on loopback. */
export async function startAzurite(folder: string): Promise<Azurite> {
  const port = await freePort();
  const main = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js');
  const where = ['--blobHost', '127.0.0.1', '--blobPort', String(port), '--location', folder];
  const key = Buffer.alloc(64, 7).toString('base64');
  const child = spawn(process.execPath, [main, ...where, '--skipApiVersionCheck', '--disableTelemetry', '--silent'], {
    env: { ...process.env, NODE_OPTIONS: '', AZURITE_ACCOUNTS: `vantage:${key}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  await once(child.stdout, 'data');
  return {
    access: `DefaultEndpointsProtocol=http;AccountName=vantage;AccountKey=${key};BlobEndpoint=http://127.0.0.1:${port}/vantage;`,
    stop: async () => {
      child.kill();
      await closed;
    },
  };
}
