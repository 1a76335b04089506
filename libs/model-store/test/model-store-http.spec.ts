import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createLogger } from '@vantage/observability';
import { ModelStore, type FetchProgress, type ModelStoreLimits } from '../src/index.ts';
import { startServer, type TestServer } from './server.ts';
import { makeZip } from './zips.ts';

let folder: string;
let server: TestServer;
let zip: Buffer;
let log: string;
const logger = createLogger({ module: 'test', destination: { write: (line) => void (log += line) } });
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const storeWith = (limits: Partial<ModelStoreLimits> = {}): ModelStore =>
  new ModelStore({ root: path.join(folder, 'cache'), logger, limits: { retryBaseMs: 5, ...limits } });
const send = (response: ServerResponse, bytes: Buffer, headers: Record<string, string> = {}): void =>
  void response
    .writeHead(200, { 'content-type': 'application/zip', 'content-length': bytes.length, ...headers })
    .end(bytes);

beforeEach(async () => {
  log = '';
  folder = await mkdtemp(path.join(tmpdir(), 'vantage-store-'));
  const noise = Buffer.from(Array.from({ length: 60_000 }, (_, i) => (i * i * 31) >> 5));
  zip = await readFile(
    await makeZip(path.join(folder, 'a.zip'), { 'people/config.txt': '[property]\n', 'people/model.onnx': noise }),
  );
  server = await startServer((_, response) => send(response, zip));
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});
const leftOver = (): Promise<string[]> => readdir(path.join(folder, 'cache', 'tmp')).catch(() => []);

describe('a download', () => {
  test('streams, reports its progress, unpacks', async () => {
    const progress: FetchProgress[] = [];
    const found = await storeWith().fetch({ url: `${server.url}/a.zip`, onProgress: (step) => progress.push(step) });
    expect(found).toMatchObject({ contents: ['config.txt', 'model.onnx'], sha256: sha256(zip), fromCache: false });
    expect(progress.filter(({ phase }) => phase === 'download').at(-1)).toEqual({
      phase: 'download',
      doneBytes: zip.length,
      totalBytes: zip.length,
    });
    expect(progress.at(-1)).toEqual({ phase: 'unpack', doneBytes: 60_011, totalBytes: 60_011 });
    expect(await leftOver()).toEqual([]);
  });

  test('of a package whose sha256 is known and cached asks nobody', async () => {
    await storeWith().fetch({ url: `${server.url}/a.zip` });
    const again = await storeWith().fetch({ url: 'http://127.0.0.1:1/elsewhere.zip', sha256: sha256(zip) });
    expect(again.fromCache).toBe(true);
    expect(server.seen).toHaveLength(1);
  });

  test('asks only whether it changed, when the server can tell', async () => {
    server.answer = (request, response) =>
      request.headers['if-none-match'] === '"v1"'
        ? void response.writeHead(304).end()
        : send(response, zip, { etag: '"v1"' });
    const first = await storeWith().fetch({ url: `${server.url}/a.zip` });
    expect(await storeWith().fetch({ url: `${server.url}/a.zip` })).toEqual({ ...first, fromCache: true });
    expect(server.seen.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"v1"']);
  });

  test('gives the new package when it changed', async () => {
    const first = await storeWith().fetch({ url: `${server.url}/a.zip` });
    zip = await readFile(await makeZip(path.join(folder, 'b.zip'), { 'other.txt': 'new' }));
    const second = await storeWith().fetch({ url: `${server.url}/a.zip` });
    expect(second).toMatchObject({ contents: ['other.txt'], fromCache: false });
    expect(second.folder).not.toBe(first.folder);
    expect(await readFile(path.join(first.folder, 'config.txt'), 'utf8')).toBe('[property]\n');
  });

  test('gives the last package when the server is gone, and says so', async () => {
    const url = `${server.url}/a.zip?sv=1&sig=first%2Bsecret`;
    const first = await storeWith().fetch({ url });
    await server.stop();
    const again = await storeWith({ tries: 2 }).fetch({ url: `${server.url}/a.zip?sv=1&sig=second%2Bsecret` });
    expect(again).toEqual({ ...first, fromCache: true });
    expect(log).toContain('using the package it gave last time');
    expect(log).not.toContain('secret');
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['503', (response) => response.writeHead(503).end()],
    ['429', (response) => response.writeHead(429).end()],
    ['a closed connection', (response) => response.destroy()],
    [
      'a connection that breaks half way',
      (response) =>
        response.writeHead(200, { 'content-length': zip.length }).write(zip.subarray(0, 900), () => response.destroy()),
    ],
    [
      'a chunked answer that breaks',
      (response) => response.writeHead(200).write(zip.subarray(0, 900), () => response.destroy()),
    ],
    ['silence before the answer', () => undefined],
    [
      'silence half way',
      (response) => void response.writeHead(200, { 'content-length': zip.length }).write(zip.subarray(0, 900)),
    ],
  ])('survives %s', async (_, fail) => {
    server.answer = (_request, response, count) => (count < 3 ? fail(response) : send(response, zip));
    const found = await storeWith({ responseTimeoutMs: 200, idleTimeoutMs: 200 }).fetch({ url: `${server.url}/a.zip` });
    expect(found.sha256).toBe(sha256(zip));
    expect(server.seen).toHaveLength(3);
    expect(log.match(/trying again/g)).toHaveLength(2);
  });

  test('gives up after the tries it may have, and leaves nothing', async () => {
    server.answer = (_, response) => void response.writeHead(500).end();
    await expect(storeWith({ tries: 3 }).fetch({ url: `${server.url}/a.zip` })).rejects.toMatchObject({
      code: 'MODEL_DOWNLOAD_FAILED',
      message: expect.stringMatching(
        /^http:\/\/127.0.0.1:\d+\/a.zip could not be downloaded: the server said 500 .*\(tries: 3\)$/,
      ),
    });
    expect(server.seen).toHaveLength(3);
    expect(await leftOver()).toEqual([]);
  });

  test('gives up when all of it takes too long', async () => {
    server.answer = (_, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('PK'), 20);
      response.on('close', () => clearInterval(drip));
    };
    const fetching = storeWith({ totalTimeoutMs: 300 }).fetch({ url: `${server.url}/a.zip` });
    await expect(fetching).rejects.toMatchObject({
      code: 'MODEL_DOWNLOAD_FAILED',
      message: expect.stringContaining('not done after 0.3 s'),
    });
  });

  test('stops when told to, half way', async () => {
    const stop = new AbortController();
    server.answer = (_, response) =>
      void response.writeHead(200).write(zip.subarray(0, 900), () => stop.abort(new Error('enough')));
    await expect(storeWith().fetch({ url: `${server.url}/a.zip`, signal: stop.signal })).rejects.toThrow('enough');
    expect(await leftOver()).toEqual([]);
  });
});

describe('an answer that is no package is not asked for twice', () => {
  test.each<[string, (response: ServerResponse) => void, string, RegExp]>([
    [
      '404',
      (response) => response.writeHead(404).end('no'),
      'MODEL_DOWNLOAD_REFUSED',
      /404 Not Found: there is no such file/,
    ],
    ['403', (response) => response.writeHead(403).end('no'), 'MODEL_DOWNLOAD_REFUSED', /without sign-in/],
    ['204', (response) => response.writeHead(204).end(), 'MODEL_DOWNLOAD_REFUSED', /no file/],
    [
      'a web page by its type',
      (response) => response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<p>'),
      'MODEL_PACKAGE_HTML',
      /web page/,
    ],
    [
      'a web page by its bytes',
      (response) => send(response, Buffer.from('<html><body>sign in')),
      'MODEL_PACKAGE_HTML',
      /web page/,
    ],
    ['nothing', (response) => send(response, Buffer.alloc(0)), 'MODEL_PACKAGE_TRUNCATED', /0 bytes/],
    [
      'a zip that was cut before it got there',
      (response) => send(response, zip.subarray(0, 2000)),
      'MODEL_PACKAGE_TRUNCATED',
      /too early/,
    ],
    [
      'too much, said first',
      (response) => send(response, Buffer.alloc(300_000)),
      'MODEL_PACKAGE_TOO_LARGE',
      /293.0 KiB; the limit is 195.3 KiB/,
    ],
    [
      'too much, not said',
      (response) => response.writeHead(200).end(Buffer.alloc(300_000)),
      'MODEL_PACKAGE_TOO_LARGE',
      /larger than/,
    ],
  ])('%s', async (_, answer, code, text) => {
    server.answer = (_request, response) => answer(response);
    const fetching = storeWith({ downloadBytes: 200_000 }).fetch({ url: `${server.url}/a.zip` });
    await expect(fetching).rejects.toMatchObject({ code, message: expect.stringMatching(text) });
    expect(server.seen).toHaveLength(1);
    expect(await leftOver()).toEqual([]);
  });
});

describe('secrets of an address', () => {
  const secret = (url: string): string =>
    `${url.replace('://', '://someone:p%40ssw0rd@')}/a.zip?sv=2020&sig=SiGnAtUrE%3D&code=c0de&token=t0ken`;

  test('reach the server, user info as Basic authorization', async () => {
    await storeWith().fetch({ url: secret(server.url) });
    expect(server.seen[0]!.url).toBe('/a.zip?sv=2020&sig=SiGnAtUrE%3D&code=c0de&token=t0ken');
    expect(server.seen[0]!.headers.authorization).toBe(`Basic ${Buffer.from('someone:p@ssw0rd').toString('base64')}`);
  });

  test('are in no error, no log line and no file', async () => {
    const answers: TestServer['answer'][] = [
      (_, response) => response.writeHead(404).end(),
      (_, response) => response.writeHead(500).end(),
      (_, response) => response.destroy(),
      (_, response) => response.writeHead(302, { location: 'ftp://someone:p%40ssw0rd@x/?sig=SiGnAtUrE' }).end(),
      (_, response) => send(response, Buffer.from('<html>')),
      (_, response) => send(response, Buffer.from('noise')),
      (_, response) => send(response, zip),
    ];
    const texts: string[] = [];
    for (const answer of answers) {
      server.answer = answer;
      const outcome = await storeWith({ tries: 2 })
        .fetch({ url: secret(server.url) })
        .catch((error: Error) => error);
      texts.push(outcome instanceof Error ? `${outcome.stack}${JSON.stringify(outcome)}${String(outcome.cause)}` : '');
    }
    await expect(
      storeWith({ tries: 1 }).fetch({ url: 'http://someone:p%40ssw0rd@[bad/?sig=SiGnAtUrE' }),
    ).rejects.toMatchObject({ code: 'MODEL_ADDRESS_INVALID' });
    const files = await readdir(path.join(folder, 'cache'), { recursive: true, withFileTypes: true });
    const kept = await Promise.all(
      files.filter((item) => item.isFile()).map((item) => readFile(path.join(item.parentPath, item.name), 'latin1')),
    );
    expect(kept.length).toBeGreaterThan(2);
    expect([...texts, ...kept, log].join('\n')).not.toMatch(/p%40ssw0rd|p@ssw0rd|SiGnAtUrE|c0de|t0ken/);
  });
});
