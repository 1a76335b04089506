import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import type { ApiCamera } from '../src/index.ts';
import { Bench, SECRETS, twinOf } from './support/bench.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});
afterAll(() => bench?.stop());

test('session, cameras, live stream', async () => {
  const browser = await bench.open();
  const session = await browser.ask('/api/session');
  expect(session.json()).toEqual({
    user: 'local',
    csrf: browser.csrf,
    hub: { name: 'local', device: bench.runtime.deviceId },
    readOnly: false,
    canLogOut: false,
  });
  const cameras = (await browser.ask('/api/cameras')).json<ApiCamera[]>();
  expect(cameras.map(({ pipeline, sensor, state, fps }) => [pipeline, sensor, state, fps])).toEqual([
    ['People', 'street', 'running', 12.5],
    ['People', 'yard', 'running', null],
  ]);
  expect(cameras[0]).toMatchObject({
    provider: 'cpu',
    resolution: { width: 1280 },
    live: { mse: true, tile: [0, 0, 0.5, 1] },
    problems: [],
  });
  expect(cameras[1]?.problems[0]?.message).toContain('cannot open rtsp://');

  expect((await browser.ask('/api/live/People/street.jpg')).text).toBe('a picture');
  expect((await browser.ask('/api/live/People/no.jpg')).status).toBe(404);
  expect(cameras[1]?.live).not.toHaveProperty('tile');
  expect((await browser.ask('/api/live/People.jpg')).text).toBe('all of them');
  for (const way of ['People', 'no.jpg', '..%2fmetrics.jpg']) {
    expect((await browser.ask(`/api/live/${way}`)).status).toBe(404);
  }
  const socket = new WebSocket(`${bench.url.replace('http', 'ws')}/api/live/People/street`);
  const messages: unknown[] = [];
  await new Promise<void>((resolve) =>
    socket.on('message', (data: Buffer, isBinary) => {
      messages.push(isBinary ? [...data] : data.toString());
      if (messages.length === 2) resolve();
    }),
  );
  socket.close();
  expect(messages).toEqual(['{"type":"init"}', [1, 2, 3]]);
});

test('a camera that the configuration keeps out is shown with the reason; what an ai-pipeline said that is silent is not believed', async () => {
  const browser = await bench.open();
  const { sensors } = bench.desired;
  const wanted = [...sensors, { ...sensors[0]!, name: 'door/2' }];
  await bench.runtime.patchDesired('controllermodule', { azdaConfiguration: { components: { sensors: wanted } } });
  let cameras: ApiCamera[] = [];
  const until = async (isIt: () => boolean): Promise<void> => {
    do cameras = (await browser.ask('/api/cameras')).json<ApiCamera[]>();
    while (!isIt());
  };
  await until(() => cameras.length === 3);
  expect(cameras[2]).toMatchObject({ pipeline: '', sensor: 'door/2', state: 'refused', reason: expect.any(String) });
  expect(cameras[2]?.reason).not.toBe('');
  bench.answers = false;
  await until(() => cameras[0]?.state === 'unreachable');
  expect(cameras[0]).toMatchObject({ reason: 'the ai-pipeline does not answer', fps: null, recording: false });
  bench.answers = true;
  await until(() => cameras[0]?.state === 'running');
  await bench.runtime.patchDesired('controllermodule', { azdaConfiguration: { components: { sensors } } });
});

test('no secret in any answer', async () => {
  const browser = await bench.open();
  const { etag } = await twinOf(browser);
  const all = await Promise.all([
    browser.ask('/api/session'),
    browser.ask('/api/cameras'),
    browser.ask('/api/twin/controllermodule'),
    browser.ask('/api/twin/controllermodule/history'),
    browser.change('POST', '/api/twin/controllermodule/plan', { desired: {} }),
    browser.change('POST', '/api/twin/controllermodule', { desired: {}, etag }),
  ]);
  for (const { text } of all) for (const secret of SECRETS) expect(text).not.toContain(secret);
  expect(all[2]?.text).toContain('•••');
  expect((await browser.ask('/api/twin/%24edgeAgent')).status).toBe(400);
});

test('the page, and nothing beside it', async () => {
  const browser = await bench.open();
  expect((await browser.ask('/cameras')).text).toContain('<title>page');
  const asset = await browser.ask('/assets/a-1.js');
  expect(asset.headers['cache-control']).toContain('immutable');
  expect(asset.headers['content-security-policy']).toContain("default-src 'self'");
  for (const way of [
    '/../../secret.txt',
    '/..%2f..%2fsecret.txt',
    '/assets/..%2f..%2f..%2fsecret.txt',
    '/%2e%2e/%2e%2e/secret.txt',
  ]) {
    expect((await browser.ask(way)).text).not.toContain('nobody may read');
  }
  expect((await browser.ask('/%')).status).toBe(400);
  expect((await browser.ask('/api/nothing')).status).toBe(404);
});

test('a direct method of a module, and what it is when nobody is there', async () => {
  const { hub } = bench;
  expect(await hub.invokeMethod('ai-pipeline', 'why', { at: 1 })).toEqual({
    status: 200,
    payload: { asked: { at: 1 } },
  });
  expect((await hub.invokeMethod('ai-pipeline', 'unknown', {})).status).toBe(404);
  await expect(hub.invokeMethod('controllermodule', 'why', {})).rejects.toMatchObject({ code: 'MODULE_OFFLINE' });
});

test('a hub that is away is said, and found again when it is back', async () => {
  const elsewhere = path.join(bench.folder, 'elsewhere');
  const browser = await bench.open(await bench.startPlayer({ VANTAGE_STATE: elsewhere }));
  const answer = await browser.ask('/api/cameras');
  expect([answer.status, answer.json()['code']]).toEqual([503, 'RUNTIME_NOT_FOUND']);
  await bench.announce(elsewhere);
  expect((await browser.ask('/api/cameras')).status).toBe(200);
});
