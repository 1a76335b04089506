import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import type { DesiredChange } from '../src/index.ts';
import { desiredWhere, statusWhere, useHub } from './harness.ts';

const harness = useHub();

describe('desired properties', () => {
  test('are there at start, whole, without $version, frozen', async () => {
    harness.hub.desired = { zones: [1, 2, 3], deep: { a: { b: 1 } } };
    const module = harness.start();
    const calls: unknown[] = [];
    const first = new Promise<DesiredChange>((resolve) =>
      module.onDesired((desired, change) => {
        calls.push(desired);
        resolve(change);
      }),
    );
    expect(await first).toEqual({ version: 1 });
    expect(calls).toEqual([{ zones: [1, 2, 3], deep: { a: { b: 1 } } }]);
    expect(module.twin).toMatchObject({ desired: { zones: [1, 2, 3] }, desiredVersion: 1, reported: {} });
    expect(Object.isFrozen((module.twin.desired['deep'] as { a: object }).a)).toBe(true);
  });

  test('a handler registered later is told too', async () => {
    harness.hub.desired = { a: 1 };
    const module = await harness.connect();
    expect(await desiredWhere(module, () => true)).toEqual({ a: 1 });
  });

  test('patches: arrays replace, null deletes (the SDK cache does neither)', async () => {
    harness.hub.desired = { zones: [1, 2, 3], gone: { x: 1 }, keep: { x: 1, y: 2 } };
    const module = await harness.connect();
    await desiredWhere(module, () => true);
    const seen: DesiredChange[] = [];
    const changed = new Promise<void>((resolve) =>
      module.onDesired((_desired, change) => void (seen.push(change) === 2 && resolve())),
    );
    await desiredWhere(module, () => true);
    await harness.hub.patchDesired({ zones: [9], gone: null, keep: { x: null, z: { n: null, m: 1 } } });
    await changed;
    expect(module.twin.desired).toEqual({ zones: [9], keep: { y: 2, z: { m: 1 } } });
    expect(seen[1]).toEqual({ version: 2, patch: { zones: [9], gone: null, keep: { x: null, z: { n: null, m: 1 } } } });
    const empty = desiredWhere(module, (desired) => (desired['zones'] as unknown[]).length === 0);
    await harness.hub.patchDesired({ zones: [] });
    await empty;
  });

  test('a missed patch is noticed by its version, and the twin read again', async () => {
    const module = await harness.connect();
    await harness.hub.patchDesired({ missed: true }, false);
    const both = desiredWhere(module, (desired) => 'seen' in desired);
    await harness.hub.patchDesired({ seen: true });
    expect(await both).toEqual({ missed: true, seen: true });
    expect(module.twin.desiredVersion).toBe(3);
  });

  test('a repeated patch changes nothing; versions that start over are followed', async () => {
    harness.hub.version = 7;
    const module = await harness.connect();
    const first = desiredWhere(module, (desired) => desired['n'] === 1);
    await harness.hub.patchDesired({ n: 1 });
    await first;
    await harness.hub.publish('$iothub/twin/PATCH/properties/desired/?$version=8', '{"n":99,"$version":8}');
    harness.hub.version = 1;
    harness.hub.desired = {};
    const anew = desiredWhere(module, (desired) => desired['n'] === 2);
    await harness.hub.patchDesired({ n: 2 });
    expect(await anew).toEqual({ n: 2 });
    expect(module.twin.desiredVersion).toBe(2);
  });

  test('a slow handler sees the newest state, not every one, and never two at once', async () => {
    const module = await harness.connect();
    const states: unknown[] = [];
    let running = 0;
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const last = new Promise<void>((resolve) =>
      module.onDesired(async (desired) => {
        running += 1;
        expect(running).toBe(1);
        states.push(desired['n']);
        if (states.length === 1) await held;
        running -= 1;
        if (desired['n'] === 3) resolve();
      }),
    );
    const arrived = desiredWhere(module, (desired) => desired['n'] === 3);
    for (const n of [1, 2, 3]) await harness.hub.patchDesired({ n });
    await arrived;
    release();
    await last;
    expect(states).toEqual([undefined, 3]);
  });

  test('a handler that throws is logged and asked again', async () => {
    const module = await harness.connect();
    module.onDesired(() => {
      throw new Error('rtsp://a:secret@h is bad');
    });
    const next = desiredWhere(module, (desired) => 'n' in desired);
    await harness.hub.patchDesired({ n: 1 });
    await next;
    const errors = harness.lines.filter((line) =>
      line.includes('applying desired properties failed: rtsp://***@h is bad'),
    );
    expect(errors).toHaveLength(2);
  });
});

describe('a twin that misbehaves', () => {
  test('an empty 404 does not end the process: it is an error, and tried again', async () => {
    harness.hub.faults.twinStatus.push(404, 500);
    const module = await harness.connect();
    expect(module.status.state).toBe('connected');
    expect(harness.lines.some((line) => line.includes('twin request failed with status 404'))).toBe(true);
    expect(harness.lines.some((line) => line.includes('twin request failed with status 500'))).toBe(true);
  });

  test.each(['', '{"desired":', 'null', '[]'])('an answer %p of status 200 does not end the process', async (body) => {
    harness.hub.faults.twinBody.push(body);
    const module = await harness.connect({ requestTimeoutMs: 150 });
    expect(module.status.state).toBe('connected');
  });

  test('a patch that is not JSON is logged and passed over', async () => {
    const module = await harness.connect();
    await harness.hub.patchDesired({ a: 1 }, '{"a":');
    const both = desiredWhere(module, (desired) => 'b' in desired);
    await harness.hub.patchDesired({ b: 1 });
    expect(await both).toEqual({ a: 1, b: 1 });
    expect(harness.lines.some((line) => line.includes('EDGE_MESSAGE_UNREADABLE'))).toBe(true);
  });

  test('deaf to requests: the watchdog makes a new client', async () => {
    const module = await harness.connect({ twinCheckMs: 30, requestTimeoutMs: 100 });
    await harness.hub.forget('$iothub/twin/res/#');
    const status = await statusWhere(module, ({ state }) => state === 'reconnecting');
    expect(status.reason).toMatch(/the twin is deaf/);
    await statusWhere(module, ({ state }) => state === 'connected');
    const fresh = desiredWhere(module, (desired) => 'n' in desired);
    await harness.hub.patchDesired({ n: 1 });
    await fresh;
  });

  test('deaf to changes: the watchdog finds the change and makes a new client', async () => {
    const module = await harness.connect({ twinCheckMs: 30 });
    await harness.hub.forget('$iothub/twin/PATCH/properties/desired/#');
    const found = desiredWhere(module, (desired) => desired['n'] === 1);
    await harness.hub.patchDesired({ n: 1 });
    await found;
    await statusWhere(module, ({ state }) => state === 'reconnecting');
    await statusWhere(module, ({ state }) => state === 'connected');
    const announced = desiredWhere(module, (desired) => desired['n'] === 2);
    await harness.hub.patchDesired({ n: 2 });
    await announced;
  });

  test('a hub that never answers the twin is left and tried again', async () => {
    harness.hub.faults.twinSilent = true;
    const module = harness.start({ requestTimeoutMs: 80 });
    await statusWhere(module, ({ attempts }) => attempts >= 2);
    expect(module.status.reason).toContain('the twin was not answered within 80 ms');
    harness.hub.faults.twinSilent = false;
    await once(harness.hub, 'get');
    await module.ready();
  });
});
