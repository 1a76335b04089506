import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Message } from 'azure-iot-device';
import type mqtt from 'mqtt';
import { silentLogger, type Logger } from '@vantage/observability';
import type { EdgeRuntime, EdgeRuntimeOptions } from '../src/index.ts';
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
import { Inbox, rawModule, sendTo } from './raw-module.ts';

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
    both: 'FROM /messages/* WHERE $outputName = "both" INTO BrokeredEndpoint("/modules/m/inputs/both")',
    bothToo: 'FROM /messages/* WHERE $outputName = "both" INTO BrokeredEndpoint("/modules/n/inputs/both")',
    patient: 'FROM /messages/modules/c/outputs/high INTO BrokeredEndpoint("/modules/m/inputs/high")',
    warm: `FROM /messages/modules/a/outputs/t WHERE as_number(temp) > 50 INTO BrokeredEndpoint("/modules/m/inputs/t")`,
  },
};

describe('delivery', () => {
  test('goes by priority, in order, and without what is too old', async () => {
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

    const m = await rawClient(runtime, moduleKey(stateDir, 'm'));
    await next(m, 'connect');
    const seen: string[] = [];
    let done5 = (): void => undefined;
    const all = new Promise<void>((resolve) => {
      done5 = resolve;
    });
    m.handleMessage = (packet, done) => {
      seen.push(String(packet.payload));
      done();
      if (seen.length === 5) done5();
    };
    m.subscribe('devices/vantage-edge/modules/m/inputs/#', { qos: 1 });
    await all;
    expect(seen).toEqual(['h1', 'h2', 'l1', 'l2', 't51']);
  });

  test('brings what was not acknowledged once more after a reconnect', async () => {
    const stateDir = await temporaryFolder();
    const runtime = await startRuntime({ stateDir });
    await runtime.patchDesired('$edgeHub', TO_M);
    await runtime.moduleEnvironment('m');
    const key = moduleKey(stateDir, 'm');
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

describe('a module that does not acknowledge', () => {
  test('gets the same message again after a rest, before the next one', async () => {
    const { runtime, a, m } = await opened({ messageAckTimeoutMs: 100 });
    let first = true;
    const inbox = new Inbox(m, () => {
      if (!first) return;
      first = false;
      return new Promise(() => undefined);
    });
    for (const text of ['1', '2']) await sendTo(a, 'high', text);
    const started = performance.now();
    // mqtt.js hands over the next packet only when the one before is acknowledged: a second client takes its place.
    await retried(runtime, 1);
    expect(inbox.bodies.length).toBeLessThan(2);
    const again = new Inbox(await rawModule(runtime, runtime.stateDir, 'm'));
    expect(await again.distinct(2)).toEqual(['1', '2']);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(runtime.messageTotals()).toMatchObject({ retried: 1 });
  });

  test('is not asked in a hot loop, and may acknowledge late', async () => {
    const { runtime, a, m } = await opened({ messageAckTimeoutMs: 100 });
    let acknowledge: () => void = () => undefined;
    const inbox = new Inbox(m, (body) => {
      if (body === '2') return;
      return new Promise((resolve) => {
        acknowledge = resolve;
      });
    });
    for (const text of ['1', '2']) await sendTo(a, 'high', text);
    await inbox.count(1);
    await retried(runtime, 1);
    acknowledge();
    expect(await inbox.count(2)).toEqual(['1', '2']);
    expect(runtime.messageTotals().retried).toBe(1);
  });

  test('does not keep others waiting', async () => {
    const { runtime, a, m } = await opened({});
    const slow = new Inbox(m, () => new Promise(() => undefined));
    const n = new Inbox(await rawModule(runtime, runtime.stateDir, 'n'));
    const texts = Array.from({ length: 200 }, (_, index) => String(index));
    for (const text of texts) await sendTo(a, 'both', text);
    expect(await n.count(200)).toEqual(texts);
    expect(slow.bodies).toEqual(['0']);
    const lengths = runtime.messageTotals().endpoints.map(({ endpoint, waiting }) => [endpoint, waiting]);
    expect(lengths).toContainEqual(['vantage-edge/m/both', 200]);
  });
});

describe('the window of messages on the wire', () => {
  test('goes back in order when its oldest fails', async () => {
    const { runtime, a, m } = await opened({ messageAckTimeoutMs: 100 });
    const lost = new Inbox(m, () => new Promise(() => undefined));
    const texts = Array.from({ length: 40 }, (_, index) => String(index));
    for (const text of texts) await sendTo(a, index(text) % 2 === 0 ? 'low' : 'high', text);
    await retried(runtime, 1);
    expect(lost.bodies).toHaveLength(1);
    const inbox = new Inbox(await rawModule(runtime, runtime.stateDir, 'm'));
    const bodies = await inbox.distinct(40);
    for (const parity of [0, 1]) {
      const same = (text: string): boolean => index(text) % 2 === parity;
      expect(bodies.filter(same)).toEqual(texts.filter(same));
    }
  });

  test('a slow module has its time for each message', async () => {
    const { runtime, a, m } = await opened({ messageAckTimeoutMs: 400 });
    const inbox = new Inbox(m, () => new Promise((resolve) => setTimeout(resolve, 100)));
    const texts = Array.from({ length: 10 }, (_, index) => String(index));
    for (const text of texts) await sendTo(a, 'high', text);
    expect(await inbox.count(10)).toEqual(texts);
    expect(runtime.messageTotals().retried).toBe(0);
  });
});

const index = (text: string): number => Number(text);

describe('limits', () => {
  test('a message of 262,144 bytes with its properties passes, one more is refused', async () => {
    const { runtime, a, m } = await opened({});
    const inbox = new Inbox(m);
    // "on" and "high" count too.
    await sendTo(a, 'high', 'x'.repeat(262_144 - 6));
    expect((await inbox.count(1))[0]).toHaveLength(262_138);
    const closed = next(a, 'close');
    sendTo(a, 'high', 'x'.repeat(262_144 - 8), '&p=12').catch(() => undefined);
    await closed;
    expect(runtime.messageTotals()).toMatchObject({ refused: 1, received: 1 });
    expect(await runtime.metrics()).toContain(
      'edgehub_messages_dropped_total{reason="message_too_large",from="vantage-edge/a",from_route_output="high"} 1',
    );
  });

  test('the store limit of $edgeHub holds; what was acknowledged is delivered', async () => {
    const { runtime, a } = await opened({ storeLimitBytes: 1_000_000 });
    const { storeAndForwardConfiguration } = TO_M;
    await runtime.patchDesired('$edgeHub', {
      storeAndForwardConfiguration: { ...storeAndForwardConfiguration, storeLimits: { maxSizeBytes: 5000 } },
    });
    expect(runtime.messageTotals().storeLimitBytes).toBe(5000);
    const closed = next(a, 'close');
    const taken: string[] = [];
    for (const text of ['1', '2', '3', '4', '5']) {
      const sent = await Promise.race([sendTo(a, 'high', text.repeat(1000)).then(() => true), closed]);
      if (sent !== true) break;
      taken.push(text);
    }
    expect(taken).toEqual(['1', '2', '3', '4']);
    const inbox = new Inbox(await rawModule(runtime, runtime.stateDir, 'm'));
    expect((await inbox.count(taken.length)).map((body) => body[0])).toEqual(taken);
  });

  test('a full disk refuses senders, and the SDK sends again when there is room', async () => {
    const { runtime, m } = await opened({});
    const inbox = new Inbox(m);
    const client = await openModule(runtime, 'c');
    runtime.faults.set({ kind: 'disk' });
    const sending = client.sendOutputEvent('high', new Message('patient'));
    await refused(runtime, 1);
    expect(inbox.bodies).toEqual([]);
    runtime.faults.clear('disk');
    await sending;
    expect(await inbox.count(1)).toEqual(['patient']);
  });

  test('more than fits in memory waits, and arrives in order', async () => {
    const { a, m, runtime } = await opened({});
    const texts = Array.from({ length: 1000 }, (_, index) => String(index));
    await Promise.all(texts.map((text) => sendTo(a, 'high', text)));
    expect(runtime.messageTotals().waiting).toBe(1000);
    expect(await new Inbox(m).count(1000)).toEqual(texts);
  });
});

describe('what arrives', () => {
  test('names its sender, whatever the sender wrote, and not the output', async () => {
    const { a, m } = await opened({});
    const inbox = new Inbox(m);
    await sendTo(a, 'high', 'x', '&%24.cdid=forged&%24.cmid=forged&%24.mid=1&p=%C3%A9%20%26');
    await inbox.count(1);
    expect(inbox.topics[0]).toBe(
      'devices/vantage-edge/modules/m/inputs/high/p=%C3%A9%20%26&%24.mid=1&%24.cdid=vantage-edge&%24.cmid=a',
    );
  });
});

test('metrics are served on loopback under the names of edgeHub', async () => {
  const { runtime, a, m } = await opened({ metricsPort: 0 });
  const inbox = new Inbox(m);
  await sendTo(a, 'high', 'x');
  await inbox.count(1);
  await sendTo(a, 'nowhere', 'x');
  await sendTo(await rawModule(runtime, runtime.stateDir, 'c'), 'both', 'x');
  const response = await fetch(`http://127.0.0.1:${runtime.ports.metrics}/metrics`);
  expect(response.headers.get('content-type')).toContain('text/plain');
  const text = await response.text();
  for (const line of [
    'edgehub_messages_received_total{route_output="high",id="vantage-edge/a"} 1',
    'edgehub_messages_dropped_total{reason="no_route",from="vantage-edge/a",from_route_output="nowhere"} 1',
    'edgehub_queue_length{endpoint="vantage-edge/n/both",priority="2000000000"} 1',
  ]) {
    expect(text).toContain(line);
  }
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

type Opened = EdgeRuntime & { readonly stateDir: string };

/** A runtime with the routes of {@link TO_M}, and bare clients for the modules `a` and `m`. */
async function opened(
  options: Partial<EdgeRuntimeOptions>,
): Promise<{ runtime: Opened; a: mqtt.MqttClient; m: mqtt.MqttClient }> {
  const stateDir = await temporaryFolder();
  const runtime = Object.assign(await startRuntime({ ...options, stateDir, logger: watching }), { stateDir });
  await runtime.patchDesired('$edgeHub', TO_M);
  return { runtime, a: await rawModule(runtime, stateDir, 'a'), m: await rawModule(runtime, stateDir, 'm') };
}

/** Tells of each warning: what the hub counts, it warns of. */
const warnings = new EventEmitter();
const watching: Logger = {
  ...silentLogger,
  warn: () => {
    setImmediate(() => warnings.emit('warning'));
  },
  child: () => watching,
};

async function counted(runtime: EdgeRuntime, what: 'retried' | 'refused', count: number): Promise<void> {
  while (runtime.messageTotals()[what] < count) await next(warnings, 'warning');
}
const retried = (runtime: EdgeRuntime, count: number): Promise<void> => counted(runtime, 'retried', count);
const refused = (runtime: EdgeRuntime, count: number): Promise<void> => counted(runtime, 'refused', count);
