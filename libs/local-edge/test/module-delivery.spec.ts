import { afterEach, expect, test } from '@jest/globals';
import { silentLogger } from '@vantage/observability';
import { Faults } from '../src/index.ts';
import type { Connection } from '../src/hub/connections.ts';
import type { HubMessage } from '../src/hub/message.ts';
import { MessageCounts } from '../src/hub/message-counts.ts';
import { ModuleDelivery } from '../src/hub/module-delivery.ts';
import { StateDatabase } from '../src/state/database.ts';
import { MessageStore } from '../src/state/message-store.ts';
import { after, cleanUp, temporaryFolder } from './harness.ts';

afterEach(cleanUp);

const message = (text: string): HubMessage => ({
  id: text,
  deviceId: 'd',
  moduleId: 's',
  output: 'o',
  enqueuedTimeUtc: '2026-01-01T00:00:00Z',
  origin: 'internal',
  properties: {},
  system: {},
  body: Buffer.from(text),
  twinChange: false,
});

/** A module that is there and writes down what comes over its wire; its tokens count up from 1. */
async function wire(window: number): Promise<{
  readonly sent: string[];
  readonly delivery: ModuleDelivery;
  readonly counts: MessageCounts;
  readonly put: (text: string, priority?: number) => Promise<void>;
}> {
  const database = StateDatabase.open(await temporaryFolder(), silentLogger);
  const store = new MessageStore(database, () => 1e9, silentLogger);
  const counts = new MessageCounts(store);
  const sent: string[] = [];
  const connection = { name: 'd/m', deviceId: 'd', moduleId: 'm', ready: new Set(['inputs']) } as unknown as Connection;
  const delivery = new ModuleDelivery({
    store,
    counts,
    connections: {
      get: () => connection,
      send: (_name, _topic, payload) => sent.push(String(payload)),
    },
    faults: new Faults(),
    logger: silentLogger,
    ackTimeoutMs: 30_000,
    window,
  });
  after(async () => {
    delivery.stop();
    await store.close();
    database.close();
  });
  return {
    sent,
    delivery,
    counts,
    put: async (text, priority = 1) => {
      const delivered = { target: 'd/m', endpoint: 'd/m/in', priority, expiresAtMs: null };
      for (const copy of await store.put(message(text), [delivered])) delivery.enqueue(copy);
    },
  };
}

test('one message is on the wire until it is acknowledged; a module that goes on so gets one more each time', async () => {
  const { sent, delivery, put } = await wire(3);
  for (const text of ['1', '2', '3', '4', '5', '6', '7', '8']) await put(text);
  expect(sent).toEqual(['1']);
  delivery.acknowledged('d/m', 1);
  expect(sent).toEqual(['1', '2', '3']);
  delivery.acknowledged('d/m', 1);
  delivery.acknowledged('d/m', 999);
  expect(sent).toEqual(['1', '2', '3']);
  delivery.acknowledged('d/m', 2);
  expect(sent).toEqual(['1', '2', '3', '4', '5']);
  delivery.acknowledged('d/m', 3);
  expect(sent).toEqual(['1', '2', '3', '4', '5', '6']);
});

test('a window of one is what edgeHub has', async () => {
  const { sent, delivery, put } = await wire(1);
  for (const text of ['1', '2', '3']) await put(text);
  delivery.acknowledged('d/m', 1);
  expect(sent).toEqual(['1', '2']);
});

test('an urgent message waits for no more than the window', async () => {
  const { sent, delivery, put } = await wire(2);
  for (const text of ['1', '2', '3', '4', '5']) await put(text);
  delivery.acknowledged('d/m', 1);
  await put('urgent', 0);
  delivery.acknowledged('d/m', 2);
  expect(sent).toEqual(['1', '2', '3', 'urgent']);
});

test('what was not acknowledged comes once more on the next connection, in order and before the rest', async () => {
  const { sent, delivery, counts, put } = await wire(3);
  for (const text of ['1', '2', '3', '4', '5']) await put(text);
  for (const token of [1, 3]) delivery.acknowledged('d/m', token);
  expect(sent.splice(0)).toEqual(['1', '2', '3', '4', '5']);
  delivery.disconnected('d/m');
  delivery.ready('d/m');
  for (const token of [1, 2, 3]) delivery.acknowledged('d/m', token);
  expect(sent).toEqual(['2', '4', '5']);
  expect(counts.totals()).toMatchObject({ delivered: 5, waiting: 0 });
});
