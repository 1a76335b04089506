import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readTwinBlob, withTwinBlobs, type TwinBlob } from '@vantage/contracts';
import { desiredWhere, useHub } from './harness.ts';

const harness = useHub();
let storage: http.Server;
let base = '';
/** What the storage has, by path; anything else is 404. */
const blobs = new Map<string, Buffer>();
let asked: string[] = [];

beforeAll(async () => {
  storage = http.createServer((request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    asked.push(path);
    const body = blobs.get(path);
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  storage.listen(0, '127.0.0.1');
  await once(storage, 'listening');
  base = `http://127.0.0.1:${(storage.address() as AddressInfo).port}`;
});
afterAll(() => void storage.close());
beforeEach(() => {
  blobs.clear();
  asked = [];
});

/** A value in a blob; `there`: whether the storage has it already. */
function blob(value: unknown, there = true): TwinBlob & Record<string, unknown> {
  const body = Buffer.from(JSON.stringify(value));
  const sha256 = createHash('sha256').update(body).digest('hex');
  if (there) blobs.set(`/twins/${sha256}`, body);
  return { vantageBlob: `${base}/twins/${sha256}?sig=top-secret`, sha256, bytes: body.length };
}

const reported = (module: { twin: { reported: Readonly<Record<string, unknown>> } }): unknown =>
  module.twin.reported['twinBlobs'];

describe('values of a twin that lie in blobs', () => {
  test('are in their places, frozen; what is not new is not read again', async () => {
    const skills = blob([{ id: 'door' }]);
    harness.hub.desired = { a: 1, deep: { skills } };
    const module = await harness.connect();
    expect(await desiredWhere(module, () => true)).toEqual({ a: 1, deep: { skills: [{ id: 'door' }] } });
    const changed = desiredWhere(module, (desired) => desired['a'] === 2);
    await harness.hub.patchDesired({ a: 2 });
    expect(await changed).toEqual({ a: 2, deep: { skills: [{ id: 'door' }] } });
    expect(asked).toEqual([`/twins/${skills.sha256}`]);
    expect(module.twin.desired).toEqual({ a: 2, deep: { skills } });
    const plain = desiredWhere(module, (desired) => !('deep' in desired));
    await harness.hub.patchDesired({ deep: null });
    expect(await plain).toEqual({ a: 2 });
  });

  test('that cannot be read leave what was good, and are read as soon as they can be', async () => {
    harness.hub.desired = { a: 1 };
    const module = await harness.connect();
    const seen: unknown[] = [];
    module.onDesired((desired) => void seen.push(desired));
    await desiredWhere(module, () => true);
    const late = blob({ x: 1 }, false);
    const read = desiredWhere(module, (desired) => 'late' in desired);
    await harness.hub.patchDesired({ late });
    while (asked.length < 2) await once(storage, 'request');
    expect(seen).toEqual([{ a: 1 }]);
    blob({ x: 1 });
    expect(await read).toEqual({ a: 1, late: { x: 1 } });
    expect(harness.lines.join('')).toContain('TWIN_BLOB_UNREADABLE');
    expect(harness.lines.join('')).not.toContain('top-secret');
    await module.report({});
    expect(reported(module)).toEqual({ state: 'ok' });
  });

  test('that are not what the twin says are not applied; a next twin is', async () => {
    const wrong = { ...blob('one'), sha256: 'a'.repeat(64) };
    harness.hub.desired = { wrong };
    const module = await harness.connect();
    const right = desiredWhere(module, () => true);
    while (!harness.lines.join('').includes('TWIN_BLOB_INVALID')) await once(storage, 'request');
    await harness.hub.patchDesired({ wrong: null, a: 1 });
    expect(await right).toEqual({ a: 1 });
  });

  test.each([
    ['no address', { vantageBlob: 'file:///etc/passwd' }, 'has no http(s) address'],
    ['no hash', { sha256: 'x' }, 'has no sha256'],
    ['too large', { bytes: 5e6 }, '1 to 4194304 are allowed'],
    ['longer than said', { bytes: 4 }, 'has 5 bytes, the twin says 4'],
  ])('%s', async (_what, wrong, message) => {
    await expect(readTwinBlob({ ...blob('one'), ...wrong })).rejects.toThrow(message);
  });

  test('of a twin with too many of them', async () => {
    const many = Object.fromEntries([...Array(40).keys()].map((n) => [`k${n}`, blob(n)]));
    await expect(withTwinBlobs(many, () => Promise.resolve(1))).rejects.toMatchObject({ code: 'TWIN_BLOB_INVALID' });
  });
});
