import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createSasToken } from '../src/hub/sas.ts';
import type { EdgeRuntime } from '../src/index.ts';
import { cleanUp, moduleKey, next, openModule, rawClient, startRuntime, temporaryFolder } from './harness.ts';

afterEach(cleanUp);

type Call = (
  target: string,
  body: object,
  headers?: Record<string, string>,
) => Promise<{ status: number; body: unknown }>;

async function hubWithCaller(): Promise<{ runtime: EdgeRuntime; key: string; call: Call }> {
  const stateDir = await temporaryFolder();
  const runtime = await startRuntime({ stateDir });
  await runtime.moduleEnvironment('m');
  const key = moduleKey(stateDir, 'm');
  const ca = await readFile(runtime.caFile);
  const token = createSasToken(
    encodeURIComponent('vantage-hub.local/devices/vantage-edge/modules/m'),
    key,
    Math.floor(Date.now() / 1000) + 600,
  );
  const call: Call = (target, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const options = {
        ...{ host: '127.0.0.1', port: runtime.ports.api, ca, agent: false, method: 'POST' },
        path: `/twins/${target}/methods`,
        headers: { 'x-ms-edge-moduleId': 'vantage-edge/m', authorization: token, ...headers },
      };
      request(options, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as unknown });
        });
      })
        .on('error', reject)
        .end(JSON.stringify(body));
    });
  return { runtime, key, call };
}

const TARGET = 'vantage-edge/modules/t';

describe('a method from module to module', () => {
  test('is refused with the status and words of edgeHub', async () => {
    const { call, runtime } = await hubWithCaller();
    await runtime.moduleEnvironment('t');
    const good = { methodName: 'x', payload: 1 };
    const refused: [string, number, Parameters<Call>][] = [
      ['a bad caller header', 400, [TARGET, good, { 'x-ms-edge-moduleId': 'm' }]],
      ['no token', 401, [TARGET, good, { authorization: '' }]],
      ['the token of another', 401, [TARGET, good, { 'x-ms-edge-moduleId': 'vantage-edge/t' }]],
      ['another device', 401, ['other/modules/t', good]],
      ['a path that is not well encoded', 400, ['vantage-edge/modules/%ff', good]],
      ['no name', 400, [TARGET, { payload: 1 }]],
      ['a name of 101 characters', 400, [TARGET, { methodName: 'x'.repeat(101) }]],
      ['a payload over 128 KiB', 400, [TARGET, { methodName: 'x', payload: 'y'.repeat(131_072) }]],
      ['a response timeout of 4 s', 400, [TARGET, { ...good, responseTimeoutInSeconds: 4 }]],
      ['a response timeout of 301 s', 400, [TARGET, { ...good, responseTimeoutInSeconds: 301 }]],
      ['a connect timeout of 301 s', 400, [TARGET, { ...good, connectTimeoutInSeconds: 301 }]],
      ['a module that is away', 404, [TARGET, good]],
      ['a module that does not exist', 404, ['vantage-edge/modules/nobody', good]],
    ];
    const got: [string, number][] = [];
    for (const [what, , args] of refused) got.push([what, (await call(...args)).status]);
    expect(got).toEqual(refused.map(([what, status]) => [what, status]));
    expect(await call(TARGET, good)).toEqual({ status: 404, body: { message: 'Client vantage-edge/t not found' } });
  });

  test('waits for a target that does not exist yet, and takes the largest payload', async () => {
    const { call, runtime } = await hubWithCaller();
    const payload = 'y'.repeat(131_070);
    const answer = call(TARGET, { methodName: 'size', payload, connectTimeoutInSeconds: 20 });
    const target = await openModule(runtime, 't');
    target.onMethod('size', (incoming, response) => {
      void response!.send(207, { length: (incoming!.payload as string).length });
    });
    expect(await answer).toEqual({ status: 200, body: { status: 207, payload: { length: 131_070 } } });
  });
});

test('a method reaches a client only while it is subscribed', async () => {
  const { runtime, key } = await hubWithCaller();
  const client = await rawClient(runtime, key);
  await next(client, 'connect');
  const call = { methodName: 'x', responseTimeoutMs: 5000 };
  const offline = { code: 'EDGE_METHOD_TARGET_OFFLINE' };
  await expect(runtime.invokeMethod('m', call)).rejects.toMatchObject(offline);
  await client.subscribeAsync('$iothub/methods/POST/#');
  client.on('message', (topic) => {
    const [, rid] = /\$rid=(.*)$/.exec(topic)!;
    client.publish(`$iothub/methods/res/200/?$rid=${rid!}`, '{"ok":true}');
  });
  expect(await runtime.invokeMethod('m', call)).toEqual({ status: 200, payload: { ok: true } });
  await client.unsubscribeAsync('$iothub/methods/POST/#');
  await expect(runtime.invokeMethod('m', call)).rejects.toMatchObject(offline);
});

test('calls under way end when the hub stops', async () => {
  const { runtime } = await hubWithCaller();
  const call = runtime.invokeMethod('m', { methodName: 'x', connectTimeoutMs: 60_000 });
  const refused = expect(call).rejects.toMatchObject({ code: 'EDGE_NOT_RUNNING' });
  await runtime.stop();
  await refused;
});
