// The process that owns the soak's runtime, so that it can be killed too. Does what it is told over IPC, tells what it
// sees, and writes down what left for the cloud.
import path from 'node:path';
import { EdgeRuntime } from '@vantage/local-edge';
import { preloads } from '@vantage/observability';
import { Journal, readJournal } from './journal.ts';
import type { FromHub, ToHub } from './protocol.ts';

const [, , stateDir = '', folder = '', rate = '125'] = process.argv;
const journal = new Journal(folder, 'upstream');
const runtime = new EdgeRuntime({
  stateDir,
  resolveImage: () => ({
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', ...preloads(), path.join(import.meta.dirname, 'module.ts')],
    env: { SOAK_FOLDER: folder, SOAK_RATE: rate },
  }),
  restartTiming: { coolOffUnitMs: 200, maxCoolOffMs: 1000, maxRestartCount: 1_000_000 },
});
const tell = (message: FromHub): void => void process.send?.(message);
runtime.on('log', ({ id, line }) => {
  tell({ saw: 'log', line: `${id}: ${line}` });
});
await runtime.start();
// Before the modules are heard of: nothing leaves unseen.
const abort = new AbortController();
const following = follow(lastSequence());

process.on('message', (order: ToHub) => {
  carryOut(order).then(
    (result) => {
      process.send?.({ saw: 'done', id: order.id, result } satisfies FromHub, () => {
        if (order.order === 'stop') process.disconnect();
      });
    },
    (error: unknown) => {
      tell({ saw: 'failed', id: order.id, reason: String(error) });
    },
  );
});
process.on('disconnect', () => process.exit());
tell({ saw: 'ready' });

async function carryOut(order: ToHub): Promise<unknown> {
  switch (order.order) {
    case 'deploy':
      return runtime.applyDeployment(order.deployment);
    case 'fault':
      return void runtime.faults.set(order.fault, order.forMs);
    case 'clear':
      return runtime.faults.clear();
    case 'kill':
      return runtime.killModule(order.module);
    case 'restart-broker':
      return runtime.restartBroker();
    case 'expire-tokens':
      return runtime.expireTokens();
    case 'run':
      for (const module of order.modules) await runtime.patchDesired(module, { run: order.run });
      return undefined;
    case 'look':
      return {
        status: runtime.status(),
        memoryMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
        idle: order.modules.filter((module) => runtime.twin(module).reported['idle'] === true),
      };
    case 'stop':
      await runtime.stop();
      abort.abort();
      await following;
      return undefined;
  }
}

async function follow(since: number): Promise<void> {
  for await (const { sequence, body } of runtime.upstreamMessages({ since, signal: abort.signal })) {
    const text = body.toString();
    journal.got('$upstream', text.slice(0, text.indexOf(' ')), sequence);
  }
}

/** Where the process before this one was. */
function lastSequence(): number {
  return Number(readJournal(folder, 'upstream').at(-1)?.[3] ?? 0);
}
