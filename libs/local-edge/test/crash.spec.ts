import { spawn, type ChildProcess } from 'node:child_process';
import { once, type EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { EdgeRuntime, UpstreamMessage } from '../src/index.ts';
import { ROUTES, after, cleanUp, startRuntime, temporaryFolder } from './harness.ts';
import { Inbox, rawModule, sendTo } from './raw-module.ts';

afterEach(cleanUp);

/** A runtime in another process, as far as clients need it. */
async function startProcess(stateDir: string): Promise<{ hub: EdgeRuntime; child: ChildProcess }> {
  const script = new URL('fixtures/hub-process.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, stateDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  after(() => {
    child.kill('SIGKILL');
  });
  const lines: EventEmitter = createInterface({ input: child.stdout });
  const [first] = (await once(lines, 'line')) as [string];
  await once(lines, 'line');
  const hub = { ...(JSON.parse(first) as object), moduleEnvironment: () => Promise.resolve({}) };
  return { hub: hub as unknown as EdgeRuntime, child };
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** Sends without end, several at once, until the hub is gone. Yields what was acknowledged. */
async function sendUntilKilled(stateDir: string, killAfter: number): Promise<number[]> {
  const { hub, child } = await startProcess(stateDir);
  const a = await rawModule(hub, stateDir, 'a');
  a.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => {
    a.on('close', () => {
      resolve();
    });
  });
  const acknowledged: number[] = [];
  let sent = 0;
  const send = (): void => {
    const number = sent;
    sent += 1;
    sendTo(a, 'out', String(number)).then(
      () => {
        acknowledged.push(number);
        if (acknowledged.length === killAfter) void kill(child);
        else if (acknowledged.length < killAfter) send();
      },
      () => undefined,
    );
  };
  for (let n = 0; n < 20; n += 1) send();
  await closed;
  return acknowledged;
}

async function upstream(runtime: EdgeRuntime, count: number): Promise<UpstreamMessage[]> {
  const seen: UpstreamMessage[] = [];
  for await (const message of runtime.upstreamMessages({ since: 0 })) {
    seen.push(message);
    if (seen.length >= count) break;
  }
  return seen;
}

describe('a hub that is killed', () => {
  test('between PUBACK and delivery loses no message, and brings them in order', async () => {
    const stateDir = await temporaryFolder();
    const acknowledged = await sendUntilKilled(stateDir, 400);
    expect(acknowledged.length).toBeGreaterThanOrEqual(400);
    const runtime = await startRuntime({ stateDir });
    const inbox = new Inbox(await rawModule(runtime, stateDir, 'm'));
    const waiting = runtime.messageTotals().endpoints.find(({ endpoint }) => endpoint.endsWith('/in'))?.waiting ?? 0;
    expect(waiting).toBeGreaterThanOrEqual(acknowledged.length);
    const received = (await inbox.count(waiting)).map(Number);
    expect(received).toEqual(Array.from({ length: waiting }, (_, index) => index));
    const arrived = await upstream(runtime, acknowledged.length);
    expect(arrived.map(({ body }) => Number(body.toString()))).toEqual(received.slice(0, arrived.length));
  });

  test('whose journal is torn at its end starts with what is before', async () => {
    const stateDir = await temporaryFolder();
    await sendUntilKilled(stateDir, 50);
    const wal = join(stateDir, 'edge.db-wal');
    await truncate(wal, (await stat(wal)).size - 100);
    const runtime = await startRuntime({ stateDir });
    const waiting = runtime.messageTotals().endpoints.find(({ endpoint }) => endpoint.endsWith('/in'))?.waiting ?? 0;
    expect(waiting).toBeGreaterThan(0);
    const inbox = new Inbox(await rawModule(runtime, stateDir, 'm'));
    expect((await inbox.count(waiting)).map(Number)).toEqual(Array.from({ length: waiting }, (_, index) => index));
    expect(existsSync(join(stateDir, 'edge.db.corrupt'))).toBe(false);
  });
});

test('a database that is damaged is set aside, and the hub works with a new one', async () => {
  const stateDir = await temporaryFolder();
  const first = await startRuntime({ stateDir });
  await first.patchDesired('$edgeHub', ROUTES);
  await first.stop();
  const path = join(stateDir, 'edge.db');
  const file = await open(path, 'r+');
  await file.write(Buffer.alloc(3 * 4096, 0x5a), 0, 3 * 4096, 4096);
  await file.close();
  const damaged = await readFile(path);
  const runtime = await startRuntime({ stateDir });
  expect(await readFile(`${path}.corrupt`)).toEqual(damaged);
  await runtime.patchDesired('$edgeHub', ROUTES);
  const b = new Inbox(await rawModule(runtime, stateDir, 'b'));
  await sendTo(await rawModule(runtime, stateDir, 'a'), 'out', 'works');
  expect(await b.count(1)).toEqual(['works']);
});

test('a database that is no database at all is set aside', async () => {
  const stateDir = await temporaryFolder();
  await writeFile(join(stateDir, 'edge.db'), 'half a thing');
  await startRuntime({ stateDir });
  expect(await readFile(join(stateDir, 'edge.db.corrupt'), 'utf8')).toBe('half a thing');
});
