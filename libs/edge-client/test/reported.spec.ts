import { describe, expect, test } from '@jest/globals';
import type { TwinObject } from '@vantage/contracts';
import { nth, useHub } from './harness.ts';

const harness = useHub();

function collect(): TwinObject[] {
  const patches: TwinObject[] = [];
  harness.hub.on('reported', (patch) => patches.push(patch));
  return patches;
}

describe('reported properties', () => {
  test('are coalesced, and only what differs is sent', async () => {
    harness.hub.reported = { same: 1, old: true };
    const module = await harness.connect();
    const patches = collect();
    await Promise.all([
      module.report({ same: 1 }),
      module.report({ a: { x: 1 } }),
      module.report({ a: { y: [1] }, old: null }),
    ]);
    expect(patches).toEqual([{ a: { x: 1, y: [1] }, old: null }]);
    await module.report({ a: { x: 1 } });
    expect(patches).toHaveLength(1);
    expect(harness.hub.reported).toEqual({ same: 1, a: { x: 1, y: [1] } });
    expect(module.twin.reported).toEqual({ same: 1, a: { x: 1, y: [1] } });
  });

  test('wait for the first connection, in order', async () => {
    harness.hub.reported = { cams: { old: 1 } };
    const module = harness.start();
    void module.report({ cams: { a: 1 } });
    void module.report({ cams: null });
    await module.report({ cams: { b: 1 } });
    expect(harness.hub.reported).toEqual({ cams: { b: 1 } });
  });

  test('never carry secrets', async () => {
    const module = await harness.connect();
    await module.report({
      cam: { endpoint: 'rtsp://joe:secret@h/1', password: 'secret', error: 'GET https://x?sig=secret failed' },
    });
    expect(harness.hub.reported).toEqual({
      cam: { endpoint: 'rtsp://***@h/1', password: '***', error: 'GET https://x?sig=*** failed' },
    });
  });

  test('an empty 400 is a refusal, not a success; what comes after still works', async () => {
    const module = await harness.connect();
    harness.hub.faults.twinStatus.push(400);
    await expect(module.report({ bad: 1 })).rejects.toMatchObject({
      code: 'EDGE_REPORTED_REFUSED',
      message: expect.stringContaining('400'),
    });
    await module.report({ good: 1 });
    expect(harness.hub.reported).toEqual({ good: 1 });
    expect(module.twin.reported).toEqual({ good: 1 });
  });

  test.each([500, 429])('an empty %i is tried again', async (status) => {
    const module = await harness.connect();
    harness.hub.faults.twinStatus.push(status, status);
    await module.report({ a: 1 });
    expect(harness.hub.reported).toEqual({ a: 1 });
  });

  test('an answer that never comes is tried again', async () => {
    const module = await harness.connect({ requestTimeoutMs: 80 });
    harness.hub.faults.twinSilent = true;
    const reported = module.report({ a: 1 });
    await new Promise((resolve) => setTimeout(resolve, 120));
    harness.hub.faults.twinSilent = false;
    await reported;
    expect(harness.hub.reported).toEqual({ a: 1 });
  });

  test('a hub that lost its state gets all of it again', async () => {
    const module = await harness.connect();
    await module.report({ a: 1, b: { c: 2 } });
    await harness.hub.stop();
    harness.hub.reported = {};
    const again = nth(harness.hub, 'reported');
    await harness.hub.start();
    expect(await again).toEqual({ a: 1, b: { c: 2 } });
  });

  test('more than one patch can hold goes in pieces', async () => {
    const module = await harness.connect();
    const patches = collect();
    const sensors = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`cam${index}`, { note: 'x'.repeat(2000) }]),
    );
    await module.report({ sensors });
    expect(patches.length).toBeGreaterThan(2);
    for (const patch of patches) expect(Buffer.byteLength(JSON.stringify(patch))).toBeLessThanOrEqual(32_768);
    expect(harness.hub.reported).toEqual({ sensors });
  });

  test.each<[string, TwinObject, string]>([
    ['a name with a dot', { 'a.b': 1 }, 'a.b: the name contains "."'],
    ['NaN', { n: NaN }, 'n: is not a finite number'],
    ['a long text', { deep: { text: 'é'.repeat(2049) } }, 'deep.text: the text has 4098 bytes, at most 4096'],
    ['an array over the patch limit', { list: Array.from({ length: 10 }, () => 'x'.repeat(4000)) }, 'list: has 400'],
  ])('%s is refused with its path', async (_name, patch, message) => {
    const module = await harness.connect();
    await expect(module.report(patch)).rejects.toMatchObject({
      code: 'EDGE_REPORTED_INVALID',
      message: expect.stringContaining(message),
    });
    await module.report({ ok: 1 });
    expect(harness.hub.reported).toEqual({ ok: 1 });
  });
});
