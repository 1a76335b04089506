import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { codeOf } from '@vantage/contracts';
import { EdgeModule } from '@vantage/edge-client';
import { findHub, writeConnection, type Hub } from '@vantage/hub';
import { EdgeRuntime } from '@vantage/local-edge';
import { silentLogger } from '@vantage/observability';
import { WebSocket, WebSocketServer } from 'ws';
import {
  Player,
  readSettings,
  type ApiCamera,
  type ApiTwin,
  type ApiTwinPast,
  type ApiTwinPlan,
} from '../src/index.ts';
import { Browser } from './browser.ts';

const SECRETS = ['c4mera-pass', 'url-pass', 'sas-signature'];
const DESIRED = {
  azdaConfiguration: {
    platform: 'DeepStream',
    components: {
      sensors: [
        { name: 'street', kind: { type: 'vision', subtype: 'RTSP' }, endpoint: 'rtsp://10.0.0.7/one' },
        { name: 'yard', kind: { type: 'vision', subtype: 'RTSP' }, endpoint: 'rtsp://root:url-pass@10.0.0.8/two' },
      ],
      deepStream: {
        enable: true,
        pipelineConfigs: [
          { id: 'People', unsecureZipUrl: 'https://a.blob/m.zip?sig=sas-signature', primaryModelConfigPath: 'm.txt' },
        ],
        streams: [
          { name: 'street', uname: 'admin', password: 'c4mera-pass', configId: 'People' },
          { name: 'yard', uname: '', password: '', configId: 'People' },
        ],
      },
    },
  },
};

const folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-player-'));
const stateDir = path.join(folder, 'state');
const env = {
  VANTAGE_HOME: path.join(folder, 'home'),
  VANTAGE_STATE: stateDir,
  PLAYER_PORT: '0',
  PLAYER_CACHE: path.join(folder, 'cache'),
};
let runtime: EdgeRuntime;
let pipeline: EdgeModule;
let upstream: http.Server;
let hub: Hub;
let player: Player;
let url: string;
const stops: (() => Promise<unknown>)[] = [];

async function startPlayer(more: NodeJS.ProcessEnv = {}): Promise<string> {
  const all = { ...env, ...more };
  const web = path.join(folder, 'web');
  const one = new Player({ settings: readSettings(all), logger: silentLogger, env: all, web });
  stops.push(() => one.stop());
  player = one;
  return one.start();
}

beforeAll(async () => {
  await mkdir(path.join(folder, 'web/dist/assets'), { recursive: true });
  await writeFile(path.join(folder, 'web/dist/index.html'), '<title>page</title>');
  await writeFile(path.join(folder, 'web/dist/assets/a-1.js'), '1');
  await writeFile(path.join(folder, 'secret.txt'), 'nobody may read this');
  // What the ai-pipeline serves beside its metrics, as far as the Player passes it on.
  upstream = http.createServer((request, response) => {
    if (request.url === '/live') response.end(JSON.stringify([{ pipeline: 'People', sensor: 'street', mse: true }]));
    else if (request.url === '/live/People/street.jpg') response.end('a picture');
    else response.writeHead(404).end();
  });
  new WebSocketServer({ server: upstream, path: '/live/People/street' }).on('connection', (socket) => {
    socket.send('{"type":"init"}');
    socket.send(Buffer.from([1, 2, 3]));
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));

  runtime = new EdgeRuntime({ stateDir });
  await runtime.start();
  await runtime.moduleEnvironment('controllermodule');
  await runtime.patchDesired('controllermodule', DESIRED);
  await writeConnection(stateDir, {
    pid: process.pid,
    deviceId: runtime.deviceId,
    apiPort: runtime.ports.api,
    serviceConnectionString: runtime.serviceConnectionString,
    caFile: runtime.caFile,
  });
  hub = await findHub({ state: stateDir });
  pipeline = new EdgeModule({ logger: silentLogger, env: await runtime.moduleEnvironment('ai-pipeline') });
  pipeline.onMethod('why', (payload) => ({ status: 200, payload: { asked: payload } }));
  pipeline.start();
  await pipeline.ready();
  await pipeline.report({
    http: { port: (upstream.address() as AddressInfo).port },
    pipelines: {
      People: {
        state: 'running',
        recording: false,
        model: { provider: 'cpu' },
        problems: [{ sensor: 'yard', message: 'cannot open rtsp://root:url-pass@10.0.0.8/two' }],
        cameras: { street: { state: 'running', framesPerSecond: 12.5, width: 1280, height: 720 } },
      },
    },
  });
  url = await startPlayer();
  await player.pageBuilt();
});

afterAll(async () => {
  for (const stop of stops) await stop();

  await pipeline?.close();

  await runtime?.stop();

  upstream?.closeAllConnections();
  upstream?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(base = url): Promise<Browser> {
  const browser = new Browser(base);
  await browser.ask('/api/session');
  return browser;
}

const twinOf = async (browser: Browser, module = 'controllermodule'): Promise<ApiTwin> =>
  (await browser.ask(`/api/twin/${module}`)).json<ApiTwin>();

describe('what is shown', () => {
  test('session, cameras, live stream', async () => {
    const browser = await open();
    const session = await browser.ask('/api/session');
    expect(session.json()).toEqual({
      user: 'local',
      csrf: browser.csrf,
      hub: { name: 'local', device: runtime.deviceId },
      readOnly: false,
      canLogOut: false,
    });
    const cameras = (await browser.ask('/api/cameras')).json<ApiCamera[]>();
    expect(cameras.map(({ pipeline: id, sensor, state, fps }) => [id, sensor, state, fps])).toEqual([
      ['People', 'street', 'running', 12.5],
      ['People', 'yard', 'running', null],
    ]);
    expect(cameras[0]).toMatchObject({
      provider: 'cpu',
      resolution: { width: 1280 },
      live: { mse: true },
      problems: [],
    });
    expect(cameras[1]?.problems[0]?.message).toContain('cannot open rtsp://');

    expect((await browser.ask('/api/live/People/street.jpg')).text).toBe('a picture');
    expect((await browser.ask('/api/live/People/no.jpg')).status).toBe(404);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/live/People/street`);
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

  test('no secret in any answer', async () => {
    const browser = await open();
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
    const browser = await open();
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
    expect(await hub.invokeMethod('ai-pipeline', 'why', { at: 1 })).toEqual({
      status: 200,
      payload: { asked: { at: 1 } },
    });
    expect((await hub.invokeMethod('ai-pipeline', 'unknown', {})).status).toBe(404);
    await expect(hub.invokeMethod('controllermodule', 'why', {})).rejects.toMatchObject({ code: 'MODULE_OFFLINE' });
  });
});

describe('change', () => {
  test('plan, apply, conflict of two sessions, history, roll back', async () => {
    const [one, two] = [await open(), await open()];
    const before = await twinOf(one);
    const desired = structuredClone(before.desired) as typeof DESIRED;
    desired.azdaConfiguration.components.deepStream.streams[1]!.uname = 'guest';
    const plan = (await one.change('POST', '/api/twin/controllermodule/plan', { desired })).json<ApiTwinPlan>();
    expect(plan.effects.map(({ how, node }) => [how, node])).toEqual([['restart', 'People/camera yard']]);
    expect(plan.etag).toBe(before.etag);

    const applied = await one.change('POST', '/api/twin/controllermodule', { desired, etag: before.etag });
    expect(applied.status).toBe(200);
    const late = await two.change('POST', '/api/twin/controllermodule', {
      patch: { azdaConfiguration: { components: { logLevel: 'debug' } } },
      etag: before.etag,
    });
    expect([late.status, late.json()['code']]).toEqual([412, 'TWIN_CHANGED']);
    // What was masked is what it was.
    const { streams } = (runtime.twin('controllermodule').desired as unknown as typeof DESIRED).azdaConfiguration
      .components.deepStream;
    expect(streams).toEqual([
      { name: 'street', uname: 'admin', password: 'c4mera-pass', configId: 'People' },
      { name: 'yard', uname: 'guest', password: '', configId: 'People' },
    ]);

    const past = (await two.ask('/api/twin/controllermodule/history')).json<ApiTwinPast[]>();
    expect(past).toHaveLength(1);
    expect(past[0]?.desired).toEqual(before.desired);
    const { etag } = applied.json<{ etag: string }>();
    const back = await two.change('POST', '/api/twin/controllermodule/rollback', { steps: 1, etag });
    expect(back.status).toBe(200);
    expect((await twinOf(one)).desired).toEqual(before.desired);
  });

  test.each([
    ['a mask where nothing was', { azdaConfiguration: { components: { token: '•••' } } }, 'SECRET_UNKNOWN'],
    ['what the module refuses', { azdaConfiguration: { components: { sensors: 5 } } }, 'TWIN_REFUSED'],
    ['no object', [], 'REQUEST_INVALID'],
  ])('%s', async (_what, patch, code) => {
    const browser = await open();
    const { etag } = await twinOf(browser);
    const answer = await browser.change('POST', '/api/twin/controllermodule', { patch, etag });
    expect(answer.json()['code']).toBe(code);
    expect((await twinOf(browser)).etag).toBe(etag);
  });

  test('regions of one sensor; the others and their secrets stay', async () => {
    const browser = await open();
    const { etag } = await twinOf(browser);
    const regions = [
      {
        label: 'gate',
        color: '#00ff00',
        coordinates: [
          [0, 0],
          [1, 0],
          [1, 1],
        ],
      },
    ];
    const put = (list: unknown, tag = etag): ReturnType<Browser['change']> =>
      browser.change('PUT', '/api/regions/street', { regions: list, etag: tag });
    const bad = await put([
      {
        ...regions[0],
        coordinates: [
          [0, 0],
          [2, 0],
          [1, 1],
        ],
      },
    ]);
    expect(bad.json()).toMatchObject({ code: 'REGION_INVALID', issues: [{ path: 'regions[0].coordinates[1]' }] });
    expect(
      (
        await put([
          {
            ...regions[0],
            coordinates: [
              [0, 0],
              [1, 0],
            ],
          },
        ])
      ).status,
    ).toBe(422);
    expect((await put(regions, 'old')).status).toBe(412);
    expect((await put(regions)).status).toBe(200);
    const { sensors } = (runtime.twin('controllermodule').desired as unknown as typeof DESIRED).azdaConfiguration
      .components;
    expect(sensors).toEqual([
      { ...DESIRED.azdaConfiguration.components.sensors[0], regionsOfInterest: regions },
      DESIRED.azdaConfiguration.components.sensors[1],
    ]);
    expect((await browser.change('PUT', '/api/regions/nobody', { regions, etag })).json()['code']).toBe('TWIN_CHANGED');
  });
});

describe('who is let in', () => {
  test('no call of a stranger: CSRF, origin, DNS rebinding, sockets', async () => {
    const browser = await open();
    const path_ = '/api/twin/controllermodule/plan';
    const body = { patch: {} };
    const code = async (headers: Record<string, string>): Promise<unknown> =>
      (await browser.ask(path_, { method: 'POST', body, headers })).json()['code'];
    expect(await code({})).toBe('CSRF_REFUSED');
    expect(await code({ 'x-vantage-csrf': 'x'.repeat(43) })).toBe('CSRF_REFUSED');
    expect(await code({ 'x-vantage-csrf': browser.csrf, origin: 'http://evil.example' })).toBe('ORIGIN_REFUSED');
    expect(await code({ 'x-vantage-csrf': browser.csrf })).toBeUndefined();
    const rebound = await browser.ask('/api/cameras', { headers: { host: `evil.example:${new URL(url).port}` } });
    expect([rebound.status, rebound.json()['code']]).toEqual([421, 'HOST_REFUSED']);
    expect((await browser.ask('/', { headers: { host: 'evil.example' } })).status).toBe(421);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/live/People/street`, {
      origin: 'http://evil.example',
    });
    const status = await new Promise((resolve) =>
      socket
        .on('unexpected-response', (_request, response) => resolve(response.statusCode))
        .on('error', () => undefined),
    );
    expect(status).toBe(403);
  });

  test('with a token: only who has it, not too often, until the logout', async () => {
    const token = 'a-token-of-some-length';
    const base = await startPlayer({ PLAYER_TOKEN: token });
    const browser = new Browser(base);
    for (const way of ['/api/session', '/api/cameras', '/%61pi/cameras', '/api/live/People/street.jpg']) {
      expect((await browser.ask(way)).status).toBe(401);
    }
    const logIn = (text: string): ReturnType<Browser['ask']> =>
      browser.ask('/api/login', { method: 'POST', body: { token: text } });
    expect((await logIn('wrong')).status).toBe(401);
    const login = await logIn(token);
    expect(login.status).toBe(200);
    expect(login.headers['set-cookie']?.[0]).toMatch(/^vantage_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(login.text).not.toContain(token);
    expect((await browser.ask('/api/cameras')).status).toBe(200);
    const stolen = new Browser(base);
    stolen.cookies.set('vantage_session', browser.cookies.get('vantage_session')!);
    stolen.cookies.set('vantage_csrf', 'y'.repeat(43));
    expect((await stolen.change('POST', '/api/logout', {})).json()['code']).toBe('CSRF_REFUSED');
    const session = browser.cookies.get('vantage_session')!;
    expect((await browser.change('POST', '/api/logout', {})).status).toBe(204);
    browser.cookies.set('vantage_session', session);
    expect((await browser.ask('/api/cameras')).status).toBe(401);
    const statuses: number[] = [];
    for (let n = 0; n < 10; n += 1) statuses.push((await logIn('guess')).status);
    expect(statuses.at(-1)).toBe(429);
  });

  test('by the header of a proxy, and from nobody else', async () => {
    const headers = { 'x-user': 'ada', host: 'cameras.example' };
    const trusted = await startPlayer({ PLAYER_OIDC_HEADER: 'X-User', PLAYER_HOSTS: 'cameras.example' });
    expect((await new Browser(trusted).ask('/api/session', { headers })).json()['user']).toBe('ada');
    expect((await new Browser(trusted).ask('/api/session')).status).toBe(401);
    const other = await startPlayer({ PLAYER_OIDC_HEADER: 'X-User', PLAYER_PROXIES: '10.9.9.9' });
    expect((await new Browser(other).ask('/api/session', { headers: { 'x-user': 'ada' } })).status).toBe(401);
  });

  test('who only looks changes nothing', async () => {
    const browser = await open(await startPlayer({ PLAYER_READ_ONLY: '1' }));
    const { etag } = await twinOf(browser);
    expect((await browser.change('POST', '/api/twin/controllermodule', { patch: {}, etag })).json()['code']).toBe(
      'READ_ONLY',
    );
    expect((await browser.change('POST', '/api/twin/controllermodule/plan', { patch: {} })).status).toBe(200);
  });

  test.each([
    [{ PLAYER_HOST: '0.0.0.0' }, 'PLAYER_ACCESS_OPEN'],
    [{ PLAYER_HOSTS: 'cameras.example' }, 'PLAYER_ACCESS_OPEN'],
    [{ PLAYER_HOST: '0.0.0.0', PLAYER_TOKEN: 'short' }, 'PLAYER_SETTING_INVALID'],
    [{ PLAYER_PORT: '99999' }, 'PLAYER_SETTING_INVALID'],
    [{ PLAYER_PROXIES: 'gateway' }, 'PLAYER_SETTING_INVALID'],
  ])('%j does not start', (more, code) => {
    let thrown: unknown;
    try {
      readSettings(more);
    } catch (error) {
      thrown = error;
    }
    expect(codeOf(thrown)).toBe(code);
  });
});

test('a hub that is away is said, and found again when it is back', async () => {
  const browser = await open(await startPlayer({ VANTAGE_STATE: path.join(folder, 'elsewhere') }));
  const answer = await browser.ask('/api/cameras');
  expect([answer.status, answer.json()['code']]).toEqual([503, 'RUNTIME_NOT_FOUND']);
  await mkdir(path.join(folder, 'elsewhere'));
  await writeConnection(path.join(folder, 'elsewhere'), {
    pid: process.pid,
    deviceId: runtime.deviceId,
    apiPort: runtime.ports.api,
    serviceConnectionString: runtime.serviceConnectionString,
    caFile: runtime.caFile,
  });
  expect((await browser.ask('/api/cameras')).status).toBe(200);
});
