import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { fetchFile, type FileRequest } from '../src/index.ts';
import { startServer, type TestServer } from './server.ts';

const model = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i * 31) >> 5));
const sha256 = createHash('sha256').update(model).digest('hex');
let folder: string;
let server: TestServer;

/** As a server that knows `Range`. */
function serve(request: IncomingMessage, response: ServerResponse, upTo = model.length): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from >= model.length && from > 0) {
    response.writeHead(416, { 'content-range': `bytes */${model.length}` }).end();
    return;
  }
  response.writeHead(from > 0 ? 206 : 200, {
    'content-length': model.length - from,
    ...(from > 0 ? { 'content-range': `bytes ${from}-${model.length - 1}/${model.length}` } : {}),
  });
  if (upTo >= model.length) response.end(model.subarray(from));
  else {
    response.write(model.subarray(from, upTo));
    void written(upTo).then(() => response.destroy());
  }
}

/** Resolves when so much has arrived on disk. */
async function written(bytes: number): Promise<void> {
  const part = path.join(folder, 'm.onnx.part');
  while ((statSync(part, { throwIfNoEntry: false })?.size ?? 0) < bytes) await after(5);
}

const request = (more: Partial<FileRequest> = {}): FileRequest => ({
  url: `${server.url}/m.onnx`,
  file: path.join(folder, 'm.onnx'),
  sha256,
  bytes: model.length,
  limits: { retryBaseMs: 5 },
  ...more,
});
const ranges = (): (string | undefined)[] => server.seen.map(({ headers }) => headers.range);

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'vantage-file-'));
  server = await startServer((asked, response) => serve(asked, response));
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('fetchFile', () => {
  test('a connection that breaks is gone on with where it broke', async () => {
    server.answer = (asked, response, count) => serve(asked, response, count === 1 ? 100_000 : undefined);
    const seen: number[] = [];
    const retries: string[] = [];
    const done = await fetchFile(
      request({ onBytes: (bytes) => seen.push(bytes), onRetry: (reason) => retries.push(reason) }),
    );
    expect(done).toBe('downloaded');
    expect((await readFile(path.join(folder, 'm.onnx'))).equals(model)).toBe(true);
    expect(retries).toHaveLength(1);
    const [, second] = ranges();
    expect(second).toBe('bytes=100000-');
    expect(seen.at(-1)).toBe(model.length);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(await readdir(folder)).toEqual(['m.onnx']);
  });

  test('what a program that was ended left behind is gone on with', async () => {
    await writeFile(path.join(folder, 'm.onnx.part'), model.subarray(0, 200_000));
    await fetchFile(request());
    expect(ranges()).toEqual(['bytes=200000-']);
    expect((await readFile(path.join(folder, 'm.onnx'))).equals(model)).toBe(true);
  });

  test('a whole part needs no server, a right file nothing at all', async () => {
    await writeFile(path.join(folder, 'm.onnx.part'), model);
    expect(await fetchFile(request())).toBe('downloaded');
    expect(await fetchFile(request())).toBe('was-there');
    expect(server.seen).toHaveLength(0);
  });

  test('a server that knows no ranges sends all of it', async () => {
    await writeFile(path.join(folder, 'm.onnx.part'), Buffer.alloc(5000, 7));
    server.answer = (_, response) => void response.writeHead(200, { 'content-length': model.length }).end(model);
    await fetchFile(request());
    expect((await readFile(path.join(folder, 'm.onnx'))).equals(model)).toBe(true);
  });

  test.each([
    ['of another version', Buffer.alloc(5000, 7)],
    ['that is too long', Buffer.alloc(model.length + 1)],
    ['as long, but wrong', Buffer.alloc(model.length)],
  ])('a part %s is thrown away', async (_, part) => {
    await writeFile(path.join(folder, 'm.onnx.part'), part);
    await fetchFile(request());
    expect((await readFile(path.join(folder, 'm.onnx'))).equals(model)).toBe(true);
  });

  test('ranges that answer something else start anew', async () => {
    await writeFile(path.join(folder, 'm.onnx.part'), model.subarray(0, 10));
    server.answer = (asked, response, count) =>
      count === 1
        ? void response
            .writeHead(206, { 'content-range': 'bytes 0-9/300000', 'content-length': 10 })
            .end(model.subarray(0, 10))
        : serve(asked, response);
    await fetchFile(request());
    expect(ranges()).toEqual(['bytes=10-', undefined]);
  });

  test.each([
    ['another file', model.length, Buffer.alloc(model.length), 'MODEL_PACKAGE_SHA256', /another file/],
    ['more than announced', model.length, Buffer.alloc(model.length + 1), 'MODEL_PACKAGE_TOO_LARGE', /limit/],
    ['a shorter file', model.length, model.subarray(1), 'MODEL_PACKAGE_SHA256', /another file/],
  ])('%s is refused and leaves nothing', async (_, bytes, sent, code, message) => {
    server.answer = (_asked, response) => void response.writeHead(200, { 'content-length': sent.length }).end(sent);
    const failed = fetchFile(request({ bytes }));
    await expect(failed).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(existsSync(path.join(folder, 'm.onnx'))).toBe(false);
  });

  test('a web page, a wrong scheme and an aborted one', async () => {
    server.answer = (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    await expect(fetchFile(request())).rejects.toMatchObject({
      code: 'MODEL_PACKAGE_HTML',
      message: expect.stringContaining('instead of the file'),
    });
    await expect(fetchFile(request({ url: 'file:///etc/passwd' }))).rejects.toMatchObject({
      code: 'MODEL_ADDRESS_INVALID',
    });
    await expect(fetchFile(request({ signal: AbortSignal.abort(new Error('enough')) }))).rejects.toThrow('enough');
  });
});
