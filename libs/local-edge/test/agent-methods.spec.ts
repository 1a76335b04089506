import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { silentLogger } from '@vantage/observability';
import { AgentMethods } from '../src/agent/agent-methods.ts';
import { LogFile, logSizes } from '../src/agent/logs/log-file.ts';
import { parseLogLine, parseMoment } from '../src/agent/logs/log-query.ts';
import { after, cleanUp, temporaryFolder } from './harness.ts';

afterEach(cleanUp);

const LINES = [
  '<6> 2026-01-31 12:00:00.000 +01:00 [cam] starts',
  '<3> 2026-01-31 12:00:01.000 +01:00 [cam] broken',
  'plain',
];
const VERSION = { schemaVersion: '1.0' };

async function methods(): Promise<AgentMethods> {
  const folder = await temporaryFolder();
  const logs = new Map<string, LogFile>();
  for (const id of ['cam', 'other']) {
    const log = new LogFile(join(folder, `${id}.log`), silentLogger);
    for (const [index, line] of LINES.entries()) log.write(line, index === 2 ? 'stderr' : 'stdout');
    after(() => log.close());
    logs.set(id, log);
  }
  const made = new AgentMethods({
    agent: { restart: (id) => Promise.resolve(logs.has(id)) },
    source: { hubHostName: 'hub.local', deviceId: 'edge', logs: () => logs },
    reported: () => ({ schemaVersion: '1.1.0' }),
    now: () => Date.parse('2026-02-01T10:20:30Z'),
  });
  after(() => made.stop());
  return made;
}

/** A fake of Azure Blob storage: takes what is put, in order. Refuses when `status` says so. */
async function fakeBlobStore(
  status = 201,
): Promise<{ url: string; puts: { path: string; type: unknown; body: Buffer }[] }> {
  const puts: { path: string; type: unknown; body: Buffer }[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      puts.push({ path: request.url ?? '', type: request.headers['x-ms-blob-type'], body });
      response.writeHead(status).end(status === 201 ? '' : '<Error><Code>AuthenticationFailed</Code></Error>');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/logs?sig=secret`, puts };
}

async function finished(agent: AgentMethods, answer: unknown): Promise<unknown> {
  const { correlationId } = answer as { correlationId: string };
  for (;;) {
    const { payload } = await agent.call('GetTaskStatus', { ...VERSION, correlationId });
    if ((payload as { status: string }).status !== 'Running') return payload;
    await new Promise(setImmediate);
  }
}

describe('GetModuleLogs', () => {
  const ask = async (request: object): Promise<unknown> =>
    (await (await methods()).call('getmodulelogs', { ...VERSION, ...request })).payload;

  test('gives the lines as they are, of all modules that the expression names', async () => {
    expect(await ask({ items: [{ id: '^CAM' }] })).toEqual([{ id: 'cam', payload: `${LINES.join('\n')}\n` }]);
    expect(await ask({ items: [{ id: '.*', filter: { tail: 1 } }] })).toEqual([
      { id: 'cam', payload: 'plain\n' },
      { id: 'other', payload: 'plain\n' },
    ]);
  });

  test.each<[string, object, string[]]>([
    ['severity', { loglevel: 3 }, ['[cam] broken']],
    ['text', { regex: 'start' }, ['[cam] starts']],
    ['time ago: all lines came before', { until: '1d' }, []],
    ['severity and tail', { loglevel: 6, tail: 2 }, ['[cam] broken', 'plain']],
  ])('filters by %s', async (_what, filter, texts) => {
    const [{ payload }] = (await ask({ items: [{ id: 'cam', filter }], contentType: 'json' })) as [{ payload: string }];
    expect((JSON.parse(payload) as { text: string }[]).map(({ text }) => text)).toEqual(texts);
  });

  test('packs', async () => {
    const request = { items: { id: 'cam' }, encoding: 'gzip', contentType: 'json' };
    const [{ payloadBytes }] = (await ask(request)) as [{ payloadBytes: string }];
    expect(JSON.parse(gunzipSync(Buffer.from(payloadBytes, 'base64')).toString())).toEqual([
      {
        iothub: 'hub.local',
        device: 'edge',
        id: 'cam',
        stream: 'stdout',
        loglevel: 6,
        text: '[cam] starts',
        timestamp: '2026-01-31T12:00:00.000+01:00',
      },
      {
        iothub: 'hub.local',
        device: 'edge',
        id: 'cam',
        stream: 'stdout',
        loglevel: 3,
        text: '[cam] broken',
        timestamp: '2026-01-31T12:00:01.000+01:00',
      },
      {
        iothub: 'hub.local',
        device: 'edge',
        id: 'cam',
        stream: 'stderr',
        loglevel: 6,
        text: 'plain',
        timestamp: expect.stringMatching(/Z$/),
      },
    ]);
  });
});

test.each<[string, object, number, RegExp]>([
  ['Nonsense', {}, 400, /unknown method "nonsense"/],
  ['GetModuleLogs', {}, 400, /schemaVersion/],
  ['GetModuleLogs', { ...VERSION }, 400, /items/],
  ['GetModuleLogs', { ...VERSION, items: [{ id: '(' }] }, 400, /no regular expression/],
  ['GetModuleLogs', { ...VERSION, items: [{ id: 'a', filter: { since: 'soon' } }] }, 400, /since/],
  ['UploadModuleLogs', { ...VERSION, items: [{ id: 'a' }] }, 400, /sasUrl/],
  ['RestartModule', { ...VERSION, id: 'nobody' }, 500, /there is no module "nobody"/],
])('%s %j is answered with a reason', async (name, payload, status, message) => {
  const answer = await (await methods()).call(name, payload);
  expect(answer).toEqual({ status, payload: { message: expect.stringMatching(message) } });
});

describe('uploads', () => {
  test('put the logs of each module as a block blob', async () => {
    const store = await fakeBlobStore();
    const agent = await methods();
    const request = { ...VERSION, sasUrl: store.url, items: [{ id: 'cam' }], encoding: 'gzip' };
    const { status, payload } = await agent.call('UploadModuleLogs', request);
    expect({ status, payload }).toMatchObject({ status: 200, payload: { status: 'Running' } });
    expect(await finished(agent, payload)).toMatchObject({ status: 'Completed' });
    const [put] = store.puts;
    expect(put).toMatchObject({
      path: '/logs/hub.local/edge/cam-2026-02-01--10-20-30.log.gz?sig=secret',
      type: 'BlockBlob',
    });
    expect(gunzipSync(put!.body).toString()).toBe(`${LINES.join('\n')}\n`);
  });

  test('put a support bundle, and tell why they fail without the credential', async () => {
    const agent = await methods();
    const store = await fakeBlobStore();
    const good = await agent.call('UploadSupportBundle', { ...VERSION, sasUrl: store.url });
    expect(await finished(agent, good.payload)).toMatchObject({ status: 'Completed' });
    expect(store.puts[0]!.body.subarray(0, 2).toString()).toBe('PK');
    const refusing = await fakeBlobStore(403);
    const bad = await agent.call('UploadSupportBundle', { ...VERSION, sasUrl: refusing.url });
    const answer = (await finished(agent, bad.payload)) as { status: string; message: string };
    expect(answer).toMatchObject({ status: 'Failed', message: expect.stringContaining('403 AuthenticationFailed') });
    expect(answer.message).not.toContain('secret');
    expect((await agent.call('GetTaskStatus', { ...VERSION, correlationId: 'x' })).payload).toMatchObject({
      status: 'Unknown',
    });
  });
});

test.each<[unknown, string]>([
  ['90m', '2026-02-01T08:50:30.000Z'],
  ['2 days 3 hours', '2026-01-30T07:20:30.000Z'],
  ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000Z'],
  [1_767_225_600, '2026-01-01T00:00:00.000Z'],
])('the moment %j', (text, iso) => {
  expect(new Date(parseMoment(text, 'since', Date.parse('2026-02-01T10:20:30Z'))).toISOString()).toBe(iso);
});

test('a line without level or time is information, at the time it came', () => {
  const of = { iothub: 'h', device: 'd', id: 'm' };
  expect(parseLogLine({ stream: 'stdout', timeMs: 0, line: 'x' }, of)).toMatchObject({
    loglevel: 6,
    text: 'x',
    timestamp: '1970-01-01T00:00:00.000Z',
  });
});

test('a log keeps to the sizes that LogConfig asks for', async () => {
  const folder = await temporaryFolder();
  const log = new LogFile(join(folder, 'a.log'), silentLogger);
  after(() => log.close());
  log.resize(logSizes({ HostConfig: { LogConfig: { Config: { 'max-size': '1k', 'max-file': '3' } } } }));
  for (let index = 0; index < 100; index += 1) {
    log.write(`line ${index} ${'x'.repeat(90)}`);
    await log.flush();
  }
  const kept: string[] = [];
  for await (const { line } of log.entries()) kept.push(line.split(' ')[1]!);
  expect(kept.at(-1)).toBe('99');
  expect(kept.length).toBeLessThanOrEqual(30);
  expect(kept).toEqual([...kept].sort((a, b) => Number(a) - Number(b)));
});
