import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Message } from 'azure-iot-device';
import type { ClientState, EdgeRuntime } from '../src/index.ts';
import { ROUTES, cleanUp, closeQuietly, next, openModule, startRuntime, temporaryFolder } from './harness.ts';

afterEach(cleanUp);

function connected(runtime: EdgeRuntime, moduleId: string): Promise<void> {
  if (runtime.clientState(moduleId)?.status === 'Connected') return Promise.resolve();
  return new Promise((resolve) => {
    runtime.on('client', (name: string, state: ClientState) => {
      if (name === `${runtime.deviceId}/${moduleId}` && state.status === 'Connected') resolve();
    });
  });
}

describe('a restart of the runtime in the middle', () => {
  test('clients come back, twins and ports are kept, and what waited for an absent module arrives', async () => {
    const stateDir = await temporaryFolder();
    const first = await startRuntime({ stateDir });
    const { mqtt } = first.ports;
    await first.patchDesired('$edgeHub', ROUTES);
    const a = await openModule(first, 'a');
    // A client that only reads its twin never reconnects by itself (SDK): one that has methods does.
    a.onMethod('any', () => undefined);
    const twin = await a.getTwin();
    const desired: { x?: number; $version: number }[] = [];
    twin.on('properties.desired', (patch: { x?: number; $version: number }) => desired.push({ ...patch }));
    const b = await openModule(first, 'b');
    const zero = next(b, 'inputMessage');
    await a.sendOutputEvent('out', new Message('0'));
    await zero;
    await closeQuietly(b);
    for (const n of [1, 2, 3]) await a.sendOutputEvent('out', new Message(String(n)));

    await first.stop();
    const second = await startRuntime({ stateDir });
    expect(second.ports.mqtt).toBe(mqtt);
    await connected(second, 'a');

    // The SDK does not subscribe to twin topics again: the hub's own sessions keep the twin alive.
    const heard = new Promise<void>((resolve) => {
      twin.on('properties.desired', (patch: { x?: number }) => {
        if (patch.x === 7) resolve();
      });
    });
    await second.patchDesired('a', { x: 7 });
    await heard;
    expect(desired.at(-1)).toEqual({ x: 7, $version: 2 });

    const later = await openModule(second, 'b');
    const received: string[] = [];
    await new Promise<void>((resolve) => {
      later.on('inputMessage', (_input: string, message: Message) => {
        received.push((message.getData() as Buffer).toString());
        if (received.length === 4) resolve();
      });
      a.sendOutputEvent('out', new Message('4')).catch(() => undefined);
    });
    expect(received).toEqual(['1', '2', '3', '4']);
  });

  test('upstream messages go on counting', async () => {
    const stateDir = await temporaryFolder();
    for (const sequence of [1, 2]) {
      const runtime = await startRuntime({ stateDir });
      await runtime.patchDesired('$edgeHub', ROUTES);
      const a = await openModule(runtime, 'a');
      const upstream = next(runtime, 'upstream');
      await a.sendOutputEvent('up', new Message('x'));
      expect(await upstream).toEqual([expect.objectContaining({ sequence })]);
      await closeQuietly(a);
      await runtime.stop();
    }
    const later = await startRuntime({ stateDir });
    const kept: number[] = [];
    for await (const { sequence } of later.exportUpstream()) kept.push(sequence);
    expect(kept).toEqual([1, 2]);
  });
});

describe('a damaged state folder', () => {
  test.each(['edge.db', 'processes.json', 'certs/server.pem'])('an empty %s does not stop the start', async (file) => {
    const stateDir = await temporaryFolder();
    await (await startRuntime({ stateDir })).stop();
    await writeFile(join(stateDir, file), '');
    const runtime = await startRuntime({ stateDir });
    expect((await openModule(runtime, 'a')).constructor.name).toBe('ModuleClient');
  });

  test.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, 5000)],
    ['emptied', () => Buffer.alloc(0)],
    ['overwritten', () => Buffer.from('this is no database')],
  ])('a database that was %s is set aside, and no version goes back', async (_how, damage) => {
    const stateDir = await temporaryFolder();
    const first = await startRuntime({ stateDir });
    await first.moduleEnvironment('a');
    await first.patchDesired('a', { x: 1 });
    await first.stop();
    const path = join(stateDir, 'edge.db');
    const damaged = damage(await readFile(path));
    await writeFile(path, damaged);
    const second = await startRuntime({ stateDir });
    await second.moduleEnvironment('a');
    expect(second.twin('a')).toMatchObject({ desired: {}, reported: {} });
    expect(second.twin('a').desiredVersion).toBeGreaterThan(1_700_000_000);
    expect(await readFile(`${path}.corrupt`)).toEqual(damaged);
  });

  test('one twin that cannot be read is emptied, and its versions do not go back', async () => {
    const stateDir = await temporaryFolder();
    const first = await startRuntime({ stateDir });
    await first.moduleEnvironment('a');
    await first.patchDesired('a', { x: 1 });
    await first.stop();
    const database = new DatabaseSync(join(stateDir, 'edge.db'));
    database.exec(`UPDATE twins SET document = substr(document, 1, 40) WHERE name = 'vantage-edge/a'`);
    database.close();
    const second = await startRuntime({ stateDir });
    expect(second.twin('a').desired).toEqual({});
    expect(second.twin('a').desiredVersion).toBeGreaterThan(1_700_000_000);
  });
});

describe('the state folder', () => {
  test('belongs to one runtime at a time', async () => {
    const stateDir = await temporaryFolder();
    const first = await startRuntime({ stateDir });
    await expect(startRuntime({ stateDir })).rejects.toMatchObject({
      code: 'EDGE_STATE_IN_USE',
      details: { pid: process.pid },
    });
    await first.stop();
    await startRuntime({ stateDir });
  });

  test('of another living process is refused with its pid; of a dead one it is taken over', async () => {
    const stateDir = await temporaryFolder();
    await (await startRuntime({ stateDir })).stop();
    const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
    await writeFile(join(stateDir, 'lock'), JSON.stringify({ pid: process.ppid, bootId }));
    await expect(startRuntime({ stateDir })).rejects.toMatchObject({ details: { pid: process.ppid } });
    await writeFile(join(stateDir, 'lock'), JSON.stringify({ pid: 2 ** 22 + 1, bootId }));
    await startRuntime({ stateDir });
  });

  test('two runtimes live side by side on one machine', async () => {
    const [one, two] = [await startRuntime(), await startRuntime()];
    expect(one.ports.mqtt).not.toBe(two.ports.mqtt);
    expect(one.ports.api).not.toBe(two.ports.api);
    const [a, b] = [await openModule(one, 'a'), await openModule(two, 'a')];
    await one.patchDesired('a', { who: 'one' });
    await two.patchDesired('a', { who: 'two' });
    expect((await a.getTwin()).properties.desired).toMatchObject({ who: 'one' });
    expect((await b.getTwin()).properties.desired).toMatchObject({ who: 'two' });
  });

  test('a port that is taken is named', async () => {
    const one = await startRuntime();
    await expect(startRuntime({ mqttPort: one.ports.mqtt })).rejects.toMatchObject({
      code: 'EDGE_PORT_IN_USE',
      details: { port: one.ports.mqtt },
    });
  });
});
