import { parentPort, workerData } from 'node:worker_threads';
import { CustomNodeClient } from '../../src/index.ts';
import { IDS, numberedFrame } from './frames.ts';

const { port } = workerData as { readonly port: number };
const client = new CustomNodeClient({
  endpoint: `127.0.0.1:${port}`,
  ids: IDS,
  onStatus: ({ state }) => {
    if (state === 'ready') void ask();
  },
});
client.start();

async function ask(): Promise<void> {
  const result = await client.process(numberedFrame(64, 48));
  parentPort?.postMessage(result.ok ? result.insights?.objects.map(({ label }) => label) : [result.message]);
  await client.stop();
}
