import { once } from 'node:events';
import { createWriteStream, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { expect, jest, test } from '@jest/globals';
import yazl from 'yazl';
import { createBench, expectGone, frameOf } from './support.ts';

jest.setTimeout(120_000);

const bench = createBench();

const nodeJs = (said: string): string => `
import { CustomNode } from '@vantage/custom-node';
import { word } from './lib/word.js';
class Mine extends CustomNode {
  describe() { return { image: 'none', response: 'insights' }; }
  process() { return { insights: { other: { said: ${JSON.stringify(said)} + word } } }; }
}
export const node = new Mine();
`;

async function zipOf(files: Readonly<Record<string, string>>): Promise<string> {
  const file = path.join(bench.folder({}), 'node.zip');
  const zip = new yazl.ZipFile();
  for (const [name, text] of Object.entries(files)) zip.addBuffer(Buffer.from(text), name);
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(file));
  return file;
}

test('a zip is unpacked and run; a bad one, or one with another digest, changes nothing; a good one takes over', async () => {
  const files = {
    'mine/package.json': '{"type":"module","main":"start.js"}',
    'mine/lib/word.js': 'export const word = "!";',
  };
  const url = await zipOf({ ...files, 'mine/start.js': nodeJs('one') });
  const node = bench.node({ source: { kind: 'zip', url } });
  const { port, pid, sha256 } = await node.running();
  const client = await bench.client(port);
  expect(await client.process(frameOf())).toMatchObject({ insights: { other: { said: 'one!' } } });
  expect(sha256).toMatch(/^[0-9a-f]{64}$/);

  const html = path.join(bench.folder({ 'node.zip': '<html>sign in</html>' }), 'node.zip');
  const empty = await zipOf({ 'readme.txt': 'no node' });
  const outside = path.join(bench.folder({}), 'node.zip');
  writeFileSync(outside, Buffer.from('504b0304', 'hex'));
  const good = await zipOf({ ...files, 'mine/start.js': nodeJs('two') });
  for (const [source, code] of [
    [{ kind: 'zip', url: html }, 'MODEL_PACKAGE_HTML'],
    [{ kind: 'zip', url: empty }, 'HOSTED_NODE_ENTRY_MISSING'],
    [{ kind: 'zip', url: outside }, 'MODEL_PACKAGE_TRUNCATED'],
    [{ kind: 'zip', url: good, sha256: 'ab'.repeat(32) }, 'MODEL_PACKAGE_SHA256'],
    [{ kind: 'zip', url: path.join(outside, 'nowhere') }, 'MODEL_PACKAGE_MISSING'],
  ] as const) {
    node.change({ source });
    await node.until(({ rejected }) => rejected?.code === code);
  }
  expect(node.hosted.status).toMatchObject({ state: 'running', pid, sha256, reloads: 0 });

  node.change({ source: { kind: 'zip', url: good } });
  const after = await node.until(({ reloads }) => reloads === 1);
  expect(after.sha256).not.toBe(sha256);
  expect(after.rejected).toBeUndefined();
  await expectGone(pid!);
  expect(await (await bench.client(port)).process(frameOf())).toMatchObject({ insights: { other: { said: 'two!' } } });
});

test('a port that another program has is not shared with it; the node runs once it is free', async () => {
  // As grpcio does: it would let us listen beside it, and half of the calls would go there.
  const other = net.createServer().listen({ port: 0, host: '127.0.0.1', reusePort: true });
  await once(other, 'listening');
  const { port } = other.address() as net.AddressInfo;
  const node = bench.node({ port });
  const { error } = await node.until((status) => status.error !== undefined);
  expect(error).toMatchObject({ code: 'HOSTED_NODE_PORT_TAKEN', message: expect.stringContaining(`port ${port}`) });
  other.close();
  await node.running();
  expect(await (await bench.client(port)).process(frameOf())).toMatchObject({ ok: true });
});

test('settings that make no sense are told, the twin mends them; what ran last comes back after a crash', async () => {
  const node = bench.node({ settings: { axis: 'diagonal' } });
  const { error } = await node.until((status) => status.error !== undefined);
  expect(error?.message).toMatch(/flip: settings\.axis/);
  node.change({ settings: { axis: 'vertical' } });
  await node.running();
  expect(node.hosted.status.error).toBeUndefined();

  node.change({ settings: { axis: 'nowhere' } });
  const { pid } = await node.until(({ rejected }) => rejected !== undefined);
  process.kill(pid!, 'SIGKILL');
  const after = await node.until(({ state, restarts }) => state === 'running' && restarts === 1);
  expect(after.rejected?.message).toMatch(/settings\.axis/);
  expect(after.pid).not.toBe(pid);
});
