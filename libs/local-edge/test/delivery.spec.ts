import { afterEach, describe, expect, test } from '@jest/globals';
import { Message } from 'azure-iot-device';
import { silentLogger } from '@vantage/observability';
import type { HubMessage } from '../src/hub/message.ts';
import { MessageJournal } from '../src/state/message-journal.ts';
import {
  ROUTES,
  cleanUp,
  moduleKey,
  next,
  openModule,
  rawClient,
  startRuntime,
  temporaryFolder,
  updateReported,
} from './harness.ts';

afterEach(cleanUp);

const TO_M = {
  ...ROUTES,
  routes: {
    low: 'FROM /messages/modules/a/outputs/low INTO BrokeredEndpoint("/modules/m/inputs/low")',
    high: {
      route: 'FROM /messages/modules/a/outputs/high INTO BrokeredEndpoint("/modules/m/inputs/high")',
      priority: 0,
    },
    brief: {
      route: 'FROM /messages/modules/a/outputs/brief INTO BrokeredEndpoint("/modules/m/inputs/brief")',
      priority: 1,
      timeToLiveSecs: 1,
    },
    warm: `FROM /messages/modules/a/outputs/t WHERE as_number(temp) > 50 INTO BrokeredEndpoint("/modules/m/inputs/t")`,
  },
};

describe('delivery', () => {
  test('goes by priority, in order, one at a time until the PUBACK, and without what is too old', async () => {
    const stateDir = await temporaryFolder();
    const runtime = await startRuntime({ stateDir });
    await runtime.patchDesired('$edgeHub', TO_M);
    await runtime.moduleEnvironment('m');
    const a = await openModule(runtime, 'a');
    await a.sendOutputEvent('brief', new Message('too old'));
    const sentAt = Date.now();
    for (const text of ['l1', 'l2']) await a.sendOutputEvent('low', new Message(text));
    for (const text of ['h1', 'h2']) await a.sendOutputEvent('high', new Message(text));
    for (const temp of ['50', '51', 'hot']) {
      const message = new Message(`t${temp}`);
      message.properties.add('temp', temp);
      await a.sendOutputEvent('t', message);
    }
    // The only wait of this suite that is not for an event: a time to live is a whole second at least.
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 1010 - (Date.now() - sentAt))));

    const m = await rawClient(runtime, await moduleKey(stateDir, 'm'));
    await next(m, 'connect');
    const seen: string[] = [];
    let done5 = (): void => undefined;
    const all = new Promise<void>((resolve) => {
      done5 = resolve;
    });
    let unacknowledged = 0;
    let most = 0;
    m.handleMessage = (packet, done) => {
      unacknowledged += 1;
      most = Math.max(most, unacknowledged);
      setImmediate(() => {
        unacknowledged -= 1;
        seen.push(String(packet.payload));
        done();
        if (seen.length === 5) done5();
      });
    };
    m.subscribe('devices/vantage-edge/modules/m/inputs/#', { qos: 1 });
    await all;
    expect(seen).toEqual(['h1', 'h2', 'l1', 'l2', 't51']);
    expect(most).toBe(1);
  });

  test('brings what was not acknowledged once more after a reconnect', async () => {
    const stateDir = await temporaryFolder();
    const runtime = await startRuntime({ stateDir });
    await runtime.patchDesired('$edgeHub', TO_M);
    await runtime.moduleEnvironment('m');
    const key = await moduleKey(stateDir, 'm');
    const a = await openModule(runtime, 'a');
    const filter = 'devices/vantage-edge/modules/m/inputs/#';
    const first = await rawClient(runtime, key);
    await next(first, 'connect');
    const received = new Promise<void>((resolve) => {
      first.handleMessage = () => {
        resolve();
      };
    });
    first.subscribe(filter, { qos: 1 });
    await a.sendOutputEvent('high', new Message('once more'));
    await received;
    first.end(true);

    const second = await rawClient(runtime, key);
    const again = next(second, 'message');
    await next(second, 'connect');
    second.subscribe(filter, { qos: 1 });
    expect(String((await again)[1])).toBe('once more');
  });

  test('refuses more than the store may hold, and keeps what it accepted', async () => {
    const stateDir = await temporaryFolder();
    const journal = new MessageJournal(stateDir, 1500, silentLogger);
    await journal.open();
    await journal.put(message('x'.repeat(800)), delivery('d/m/in'));
    await expect(journal.put(message('x'.repeat(800)), delivery('d/m/in'))).rejects.toMatchObject({
      code: 'EDGE_STORE_FULL',
    });
    await journal.close();
    const again = new MessageJournal(stateDir, 1500, silentLogger);
    expect(await again.open()).toHaveLength(1);
    await again.close();
  });
});

describe('twin changes', () => {
  test('reach a module whose route asks for them, with the reporter on the wire', async () => {
    const runtime = await startRuntime();
    await runtime.patchDesired('$edgeHub', {
      ...ROUTES,
      routes: { twins: 'FROM /twinChangeNotifications/* INTO BrokeredEndpoint("/modules/b/inputs/twins")' },
    });
    const b = await openModule(runtime, 'b');
    const input = next(b, 'inputMessage');
    const twin = await (await openModule(runtime, 'a')).getTwin();
    await updateReported(twin, { fps: 3 });
    const [name, message] = (await input) as [string, Message];
    expect(name).toBe('twins');
    expect(JSON.parse((message.getData() as Buffer).toString())).toEqual({
      properties: { reported: { fps: 3, $version: 2 } },
    });
    expect(message.properties.propertyList).toContainEqual({ key: '$.cmid', value: 'a' });
  });
});

describe('the journal', () => {
  test('gives back what was not settled, in order, also after it was written anew', async () => {
    const stateDir = await temporaryFolder();
    const journal = new MessageJournal(stateDir, 1e9, silentLogger);
    await journal.open();
    const body = 'x'.repeat(100_000);
    const stored = await Promise.all(
      Array.from({ length: 120 }, (_, index) => journal.put(message(`${index} ${body}`), delivery('d/m/a', 'd/m/b'))),
    );
    expect(stored.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 120 }, (_, index) => index + 1));
    for (const { sequence } of stored.slice(0, 118)) {
      journal.settle(sequence, 'd/m/a');
      journal.settle(sequence, 'd/m/b');
    }
    journal.settle(120, 'd/m/a');
    await journal.put(message('last'), delivery('d/m/a'));
    await journal.close();
    const again = new MessageJournal(stateDir, 1e9, silentLogger);
    const waiting = await again.open();
    expect(
      waiting.map(({ sequence, message: { body: text }, deliveries }) => [
        sequence,
        text.toString().split(' ')[0],
        deliveries.map(({ endpoint }) => endpoint).join(),
      ]),
    ).toEqual([
      [119, '118', 'd/m/a,d/m/b'],
      [120, '119', 'd/m/b'],
      [121, 'last', 'd/m/a'],
    ]);
    await again.close();
  });
});

function message(text: string): HubMessage {
  return {
    id: 'i',
    deviceId: 'd',
    moduleId: 's',
    output: 'o',
    enqueuedTimeUtc: '2026-01-01T00:00:00Z',
    properties: {},
    system: {},
    body: Buffer.from(text),
    twinChange: false,
  };
}

function delivery(...endpoints: string[]): { endpoint: string; priority: number; expiresAtMs: null }[] {
  return endpoints.map((endpoint) => ({ endpoint, priority: 1, expiresAtMs: null }));
}
