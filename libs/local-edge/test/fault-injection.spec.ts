import { afterEach, describe, expect, test } from '@jest/globals';
import { Message } from 'azure-iot-device';
import { ROUTES, cleanUp, next, openModule, startRuntime } from './harness.ts';

afterEach(cleanUp);

/** The example of the README: a test of a module sets a fault, and knows when it is over. */
describe('faults as a test API', () => {
  test('what was sent while upstream was cut leaves for the cloud when it is over', async () => {
    const runtime = await startRuntime();
    await runtime.patchDesired('$edgeHub', ROUTES);
    const a = await openModule(runtime, 'a');
    const over = runtime.faults.injectFor({ kind: 'upstream' }, 300);
    const upstream = next(runtime, 'upstream');
    await a.sendOutputEvent('up', new Message('1'));
    expect(runtime.status()).toMatchObject({
      messages: { waiting: 1, upstreamSequence: 0 },
      faults: [{ fault: { kind: 'upstream' } }],
    });
    await over;
    expect(await upstream).toEqual([expect.objectContaining({ sequence: 1, body: Buffer.from('1') })]);
    expect(runtime.status().faults).toEqual([]);
  });

  test('a full disk: the sender is refused, nothing is lost, and it goes on when there is room', async () => {
    const runtime = await startRuntime();
    await runtime.patchDesired('$edgeHub', ROUTES);
    const a = await openModule(runtime, 'a');
    runtime.faults.set({ kind: 'disk' });
    await expect(runtime.patchDesired('a', { x: 1 })).rejects.toMatchObject({ code: 'EDGE_DISK_FULL' });
    expect(runtime.twin('a').desired).toEqual({});
    runtime.faults.clear('disk');
    await runtime.patchDesired('a', { x: 2 });
    expect(runtime.twin('a').desired).toEqual({ x: 2 });
    const upstream = next(runtime, 'upstream');
    await a.sendOutputEvent('up', new Message('after'));
    expect(await upstream).toEqual([expect.objectContaining({ body: Buffer.from('after') })]);
  });
});
