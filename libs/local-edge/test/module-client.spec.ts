import { afterEach, describe, expect, test } from '@jest/globals';
import { Message } from 'azure-iot-device';
import { Agent } from 'node:https';
import { readFile } from 'node:fs/promises';
import type { UpstreamMessage } from '../src/index.ts';
import { ROUTES, after, cleanUp, next, openModule, startRuntime, updateReported } from './harness.ts';

afterEach(cleanUp);

describe('the unmodified ModuleClient', () => {
  test('reads its twin, reports, and hears of desired changes', async () => {
    const runtime = await startRuntime();
    const client = await openModule(runtime, 'a');
    await runtime.patchDesired('a', { cameras: { c1: { url: 'rtsp://x' } } });
    const twin = await client.getTwin();
    expect(twin.properties.desired).toEqual({ cameras: { c1: { url: 'rtsp://x' } }, $version: 2 });

    await updateReported(twin, { state: { fps: 12.5 }, gone: 1 });
    await updateReported(twin, { gone: null });
    expect(runtime.twin('a')).toMatchObject({ reported: { state: { fps: 12.5 } }, reportedVersion: 3 });
    expect(runtime.twin('a').reported).not.toHaveProperty('gone');

    // The SDK emits its cache once when a listener is added, then each patch.
    const seen: unknown[] = [];
    const changed = new Promise<void>((resolve) => {
      twin.on('properties.desired', (patch: { $version: number }) => {
        seen.push(JSON.parse(JSON.stringify(patch)));
        if (patch.$version === 3) resolve();
      });
    });
    await runtime.patchDesired('a', { cameras: { c1: null }, list: [1, 2] });
    await changed;
    expect(seen.at(-1)).toEqual({ cameras: { c1: null }, list: [1, 2], $version: 3 });
  });

  test('is told why a report is refused, and goes on', async () => {
    const runtime = await startRuntime();
    const twin = await (await openModule(runtime, 'a')).getTwin();
    await expect(updateReported(twin, { 'a.b': 1 })).rejects.toThrow(
      "Property name a.b contains invalid character '.'",
    );
    await updateReported(twin, { fine: true });
    expect(runtime.twin('a').reported).toEqual({ fine: true });
  });

  test('sends from output to input with properties, and upstream', async () => {
    const runtime = await startRuntime();
    await runtime.patchDesired('$edgeHub', ROUTES);
    const a = await openModule(runtime, 'a');
    const b = await openModule(runtime, 'b');
    const input = next(b, 'inputMessage');
    // Adding the listener subscribes to inputs; the message waits in the hub until that is done.
    const message = new Message(JSON.stringify({ t: 1 }));
    message.properties.add('place', 'é / & = %');
    message.properties.add('empty', '');
    message.contentType = 'application/json';
    message.contentEncoding = 'utf-8';
    message.messageId = 'm-1';
    message.correlationId = 'c-1';
    await a.sendOutputEvent('out', message);
    const [name, received] = (await input) as [string, Message];
    expect(name).toBe('in');
    expect((received.getData() as Buffer).toString()).toBe('{"t":1}');
    expect(received).toMatchObject({ messageId: 'm-1', correlationId: 'c-1', contentType: 'application/json' });
    expect(Object.fromEntries(received.properties.propertyList.map(({ key, value }) => [key, value]))).toEqual({
      place: 'é / & = %',
      empty: '',
      '$.cdid': runtime.deviceId,
      '$.cmid': 'a',
    });

    const upstream = next(runtime, 'upstream');
    await a.sendOutputEvent('up', new Message('hello'));
    const [sent] = (await upstream) as [UpstreamMessage];
    expect(sent).toMatchObject({ sequence: 1, moduleId: 'a', output: 'up', systemProperties: { outputName: 'up' } });
    expect(sent.body.toString()).toBe('hello');
  });

  test('answers methods of the hub', async () => {
    const runtime = await startRuntime();
    const client = await openModule(runtime, 'a');
    client.onMethod('add', (request, response) => {
      const { x, y } = request!.payload as { x: number; y: number };
      void response!.send(201, { sum: x + y });
    });
    const result = await runtime.invokeMethod('a', {
      methodName: 'add',
      payload: { x: 2, y: 3 },
      connectTimeoutMs: 5000,
    });
    expect(result).toEqual({ status: 201, payload: { sum: 5 } });
    await expect(runtime.invokeMethod('a', { methodName: 'no', responseTimeoutMs: 50 })).rejects.toMatchObject({
      code: 'EDGE_METHOD_TIMEOUT',
    });
    await expect(runtime.invokeMethod('$edgeHub', { methodName: 'x' })).rejects.toMatchObject({
      code: 'EDGE_METHOD_TARGET_OFFLINE',
    });
  });

  test('calls a method of another module', async () => {
    const runtime = await startRuntime();
    const caller = await openModule(runtime, 'a');
    const target = await openModule(runtime, 'b');
    target.onMethod('echo', (request, response) => {
      void response!.send(200, { got: request!.payload as unknown });
    });
    const ca = await readFile(runtime.caFile, 'utf8');
    const agent = new Agent({ host: '127.0.0.1', port: runtime.ports.api, ca });
    after(() => {
      agent.destroy();
    });
    await caller.setOptions({ ca, http: { agent } });
    const call = { methodName: 'echo', payload: { q: 1 }, responseTimeoutInSeconds: 5, connectTimeoutInSeconds: 5 };
    expect(await caller.invokeMethod(runtime.deviceId, 'b', call)).toEqual({ status: 200, payload: { got: { q: 1 } } });
    await expect(
      caller.invokeMethod(runtime.deviceId, 'nobody', { ...call, connectTimeoutInSeconds: 0 }),
    ).rejects.toThrow('Not found');
  });
});
