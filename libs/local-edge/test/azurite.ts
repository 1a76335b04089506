import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { freePort } from '@vantage/observability';
import { after } from './harness.ts';

/** The account that every Azurite has. */
export const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** A real Azurite over https, with the certificate of `stateDir`'s runtime. Yields its connection string. */
export async function startAzurite(stateDir: string): Promise<string> {
  const certificates = join(stateDir, 'certs');
  const port = await freePort();
  const main = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js');
  const options = { '--blobHost': '127.0.0.1', '--blobPort': String(port) };
  const files = { '--cert': join(certificates, 'server.pem'), '--key': join(certificates, 'server.key.pem') };
  // azure-iot-device uploads with a header that Azurite knows only when it is loose.
  const flags = ['--loose', '--skipApiVersionCheck', '--disableTelemetry', '--inMemoryPersistence'];
  const azurite = spawn(process.execPath, [main, ...Object.entries({ ...options, ...files }).flat(), ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  after(async () => {
    if (azurite.exitCode !== null) return;
    azurite.kill('SIGKILL');
    await once(azurite, 'exit');
  });
  await new Promise<void>((resolve, reject) => {
    azurite.stdout.on('data', (chunk: Buffer) => {
      if (chunk.includes('successfully listen')) resolve();
    });
    azurite.once('exit', (code) => {
      reject(new Error(`Azurite ended with ${code}`));
    });
  });
  return `DefaultEndpointsProtocol=https;AccountName=${ACCOUNT};AccountKey=${KEY};BlobEndpoint=https://127.0.0.1:${port}/${ACCOUNT}`;
}
