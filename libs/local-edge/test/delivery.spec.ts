import { afterEach, describe, expect, test } from '@jest/globals';
import { Message } from 'azure-iot-device';
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
