import { afterEach, describe, expect, test } from '@jest/globals';
import { silentLogger } from '@vantage/observability';
import { Faults } from '../src/index.ts';
import type { HubMessage } from '../src/hub/message.ts';
import { WaitingLanes } from '../src/hub/waiting-lanes.ts';
import { StateDatabase } from '../src/state/database.ts';
import type { Delivery, Waiting } from '../src/state/message-rows.ts';
import { MessageStore } from '../src/state/message-store.ts';
import { after, cleanUp, temporaryFolder } from './harness.ts';

afterEach(cleanUp);

function open(stateDir: string, limitBytes = 1e9, faults = new Faults()): { store: MessageStore; close: () => void } {
  const database = StateDatabase.open(stateDir, silentLogger, () => faults.isDiskFull);
  const close = (): void => {
    database.close();
  };
  const store = new MessageStore(database, () => limitBytes, silentLogger);
  after(async () => {
    await store.close();
    database.close();
  });
  return { store, close };
}

const message = (text: string): HubMessage => ({
  id: 'i',
  deviceId: 'd',
  moduleId: 's',
  output: 'o',
  enqueuedTimeUtc: '2026-01-01T00:00:00Z',
  origin: 'internal',
  properties: { p: 'ö' },
  system: { ct: 'text/plain' },
  body: Buffer.from(text),
  twinChange: false,
});

const to = (input: string, priority = 1, expiresAtMs: number | null = null): Delivery => ({
  target: 'd/m',
  endpoint: `d/m/${input}`,
  priority,
  expiresAtMs,
});

const texts = (items: readonly Waiting[]): string[] => items.map(({ message: { body } }) => body.toString());

describe('the message store', () => {
  test('gives back after a restart what was not settled: each copy, in order, with all that belongs to it', async () => {
    const stateDir = await temporaryFolder();
    const first = open(stateDir);
    const copies = (
      await Promise.all(['1', '2', '3', '4'].map((text) => first.store.put(message(text), [to('a'), to('b')])))
    ).flat();
    first.store.settle(copies.slice(0, 3));
    first.store.settle(copies.slice(6, 7));
    await first.store.close();
    first.close();

    const { store } = open(stateDir);
    expect(store.queues()).toEqual([{ target: 'd/m', priority: 1 }]);
    const { items, more } = store.page('d/m', 1, 0);
    expect(items.map(({ endpoint, message: { body } }) => `${body.toString()} ${endpoint}`)).toEqual([
      '2 d/m/b',
      '3 d/m/a',
      '3 d/m/b',
      '4 d/m/b',
    ]);
    expect(more).toBe(false);
    expect(items[0]?.message).toEqual(message('2'));
    expect(store.lengths()).toEqual([
      { endpoint: 'd/m/a', priority: 1, waiting: 1 },
      { endpoint: 'd/m/b', priority: 1, waiting: 3 },
    ]);
  });

  test('refuses at its limit, drops nothing, and takes again when something left', async () => {
    const { store } = open(await temporaryFolder(), 1500);
    const [copy] = await store.put(message('x'.repeat(800)), [to('in')]);
    await expect(store.put(message('y'.repeat(800)), [to('in')])).rejects.toMatchObject({
      code: 'EDGE_STORE_FULL',
      details: { limitBytes: 1500 },
    });
    expect(texts(store.page('d/m', 1, 0).items)).toEqual(['x'.repeat(800)]);
    store.settle([copy!]);
    await store.close();
    expect(store.sizeBytes).toBe(0);
    await store.put(message('y'.repeat(800)), [to('in')]);
  });

  test('on a full disk refuses what is new, and removes what was delivered once there is room', async () => {
    const stateDir = await temporaryFolder();
    const faults = new Faults();
    const { store, close } = open(stateDir, 1e9, faults);
    const [copy] = await store.put(message('1'), [to('in')]);
    faults.set({ kind: 'disk' });
    await expect(store.put(message('2'), [to('in')])).rejects.toMatchObject({ code: 'EDGE_DISK_FULL' });
    store.settle([copy!]);
    // What is settled must not come up again, though it stands in the database still.
    expect(store.page('d/m', 1, 0).items).toEqual([]);
    faults.clear();
    await store.close();
    close();
    expect(open(stateDir).store.page('d/m', 1, 0).items).toEqual([]);
  });

  test('a message whose last copies move goes with them, once', async () => {
    const stateDir = await temporaryFolder();
    const { store } = open(stateDir);
    const copies = await store.put(message('1'), [to('a'), to('b')]);
    await expect(
      store.move(copies, () => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(store.page('d/m', 1, 0).items).toHaveLength(2);
    await store.move(copies, () => undefined);
    expect(store.sizeBytes).toBe(0);
    expect(store.lengths()).toEqual([]);
  });

  test('counts what is settled as gone at once, and a shared message with its last copy', async () => {
    const { store } = open(await temporaryFolder());
    const [alone] = await store.put(message('1'), [to('a')]);
    const one = store.sizeBytes;
    const [first, second] = await store.put(message('2'), [to('a'), to('b')]);
    expect(store.sizeBytes).toBe(2 * one);
    store.settle([alone!]);
    expect(store.sizeBytes).toBe(one);
    store.settle([first!]);
    expect(store.sizeBytes).toBe(one);
    store.settle([second!]);
    expect(store.sizeBytes).toBe(0);
    await store.close();
    expect(store.sizeBytes).toBe(0);
  });

  test('removes only what is settled, also out of the middle', async () => {
    const stateDir = await temporaryFolder();
    const { store, close } = open(stateDir);
    const copies = (
      await Promise.all(Array.from({ length: 10 }, (_, at) => store.put(message(String(at)), [to('a')])))
    ).flat();
    store.settle(copies.filter((_, at) => ![2, 5, 9].includes(at)).toReversed());
    await store.close();
    close();
    expect(texts(open(stateDir).store.page('d/m', 1, 0).items)).toEqual(['2', '5', '9']);
  });

  test('says what is too old, but not what is settled already', async () => {
    const { store } = open(await temporaryFolder());
    const [old] = await store.put(message('old'), [to('in', 1, 1000)]);
    await store.put(message('older'), [to('in', 1, 900)]);
    await store.put(message('young'), [to('in', 1, 2001)]);
    await store.put(message('for ever'), [to('in', 1)]);
    expect(store.expired(2000, 10).map(({ expiresAtMs }) => expiresAtMs)).toEqual([900, 1000]);
    expect(store.expired(2000, 1)).toHaveLength(1);
    store.settle([old!]);
    expect(store.expired(2000, 10).map(({ expiresAtMs }) => expiresAtMs)).toEqual([900]);
  });

  test('forgets a target and leaves the others', async () => {
    const { store } = open(await temporaryFolder());
    await store.put(message('1'), [to('a'), { ...to('a', 5), target: 'd/n', endpoint: 'd/n/a' }]);
    await store.forget('d/m');
    expect(store.lengths()).toEqual([{ endpoint: 'd/n/a', priority: 5, waiting: 1 }]);
    expect(store.sizeBytes).toBeGreaterThan(0);
  });
});

describe('lanes', () => {
  test('hold a page in memory, however many wait, and lose or double nothing', async () => {
    const { store } = open(await temporaryFolder());
    const lanes = new WaitingLanes(store, 'd/m');
    const seen: number[] = [];
    const put = async (from: number, count: number): Promise<void> => {
      const numbers = Array.from({ length: count }, (_, index) => from + index);
      for (const copies of await Promise.all(numbers.map((n) => store.put(message(String(n)), [to('in')])))) {
        for (const copy of copies) lanes.add(copy);
      }
    };
    const take = (count: number): void => {
      for (let n = 0; n < count; n += 1) {
        const item = lanes.take();
        if (item === undefined) return;
        seen.push(Number(item.message.body.toString()));
        store.settle([item]);
      }
    };
    await put(0, 3000);
    take(2500);
    await put(3000, 50);
    take(400);
    await put(3050, 10);
    take(1000);
    expect(seen).toEqual(Array.from({ length: 3060 }, (_, index) => index));
    expect(store.lengths()).toEqual([]);
  });

  test('give the most urgent first, batches of one priority, and what was put back again', async () => {
    const { store } = open(await temporaryFolder());
    const lanes = new WaitingLanes(store, 'd/m');
    for (const [text, priority] of [
      ['a', 5],
      ['b', 0],
      ['c', 5],
      ['d', 0],
      ['e', 0],
    ] as const) {
      for (const copy of await store.put(message(text), [to('in', priority)])) lanes.add(copy);
    }
    const batch = lanes.takeBatch(2);
    expect(texts(batch)).toEqual(['b', 'd']);
    lanes.putBack(...batch);
    expect(texts(lanes.takeBatch(10))).toEqual(['b', 'd', 'e']);
    expect(texts(lanes.takeBatch(10))).toEqual(['a', 'c']);
    expect(lanes.take()).toBeUndefined();
  });

  test('go on with what the last run left', async () => {
    const stateDir = await temporaryFolder();
    const first = open(stateDir);
    for (const text of ['1', '2']) await first.store.put(message(text), [to('in')]);
    first.close();
    const { store } = open(stateDir);
    const lanes = new WaitingLanes(store, 'd/m');
    for (const { priority } of store.queues()) lanes.resume(priority);
    for (const copy of await store.put(message('3'), [to('in')])) lanes.add(copy);
    expect(texts(lanes.takeBatch(10))).toEqual(['1', '2', '3']);
  });
});
