import { once } from 'node:events';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http2 from 'node:http2';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { credentials, loadPackageDefinition, status, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { Metrics } from '@vantage/observability';
import { CustomNode, CustomNodeServer, type NodeDescription } from '../src/index.ts';
import { PROCESS_PATH } from '../src/wire/service.ts';
import { numberedFrame } from './support/frames.ts';
import { closeAll, closeLater, serve, TestNode, WatchedClient } from './support/nodes.ts';
import { RawClient } from './support/raw-client.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'custom-node-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(closeAll);

const EMPTY: NodeDescription = { image: 'none', response: 'empty' };
const require = createRequire(import.meta.url);

describe('the server', () => {
  test('shakes hands with any number, also beyond what a double holds', async () => {
    const { port } = await serve(new TestNode({ image: 'jpeg', response: 'imageAndInsights' }));
    expect(await new RawClient(port).handshake(9_007_199_254_740_993n)).toEqual({
      ack: 9_007_199_254_740_993n,
      imageType: 2,
      processRequestType: 0,
      processResponseType: 2,
    });
  });

  test('takes frames with nothing in them, where the node needs no picture', async () => {
    const node = new TestNode(EMPTY);
    const { port } = await serve(node);
    expect(await new RawClient(port).process({})).toMatchObject({ ack: 0n });
    expect(await new RawClient(port).process({ seq: 3n, frame: { image: {}, insightsMeta: {} } })).toMatchObject({
      ack: 3n,
    });
    expect(node.seen[0]).toEqual({
      frameId: '',
      timestamp: { seconds: 0n, nanos: 0 },
      datetime: '',
      width: 0,
      height: 0,
      colorFormat: 'BGR',
      insights: { objects: [], events: [], other: {} },
    });
  });

  test.each([
    ['no picture', { image: {} }, 'no picture'],
    [
      'too few bytes',
      { image: { imagePointer: Buffer.alloc(5), properties: { width: 2n, height: 2n } } },
      'that has 12',
    ],
    ['no size', { image: { imagePointer: Buffer.alloc(12) } }, '0x0'],
    [
      'a size beyond all',
      { image: { imagePointer: Buffer.alloc(12), properties: { width: 2n ** 62n, height: 2n } } },
      'not possible',
    ],
    [
      'a negative size',
      { image: { imagePointer: Buffer.alloc(12), properties: { width: -2n, height: -2n } } },
      'not possible',
    ],
  ])('a frame with %s: INVALID_ARGUMENT that says so, and the next is served', async (_name, frame, reason) => {
    const node = new TestNode({ image: 'numpy', response: 'empty' });
    const { port } = await serve(node);
    const client = new RawClient(port);
    await expect(client.process({ seq: 2n, frame })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining(reason),
    });
    const good = { imagePointer: Buffer.alloc(12), properties: { width: 2n, height: 2n } };
    expect(await client.process({ seq: 3n, frame: { image: good } })).toMatchObject({ ack: 3n });
    expect(node.seen).toHaveLength(1);
  });

  test('bytes that are no message, and a method that does not exist', async () => {
    const { port } = await serve(new TestNode(EMPTY));
    const client = new RawClient(port);
    await expect(client.call(PROCESS_PATH, Buffer.from([0x0a, 0xff]))).rejects.toMatchObject({
      code: status.INTERNAL,
      details: 'Exception deserializing request!',
    });
    await expect(client.call('/custom_node.CustomNodeHandler/Nothing', Buffer.alloc(0))).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
    });
  });

  test('a message over its limit: RESOURCE_EXHAUSTED with both sizes, which a client of ours knows beforehand', async () => {
    const { port } = await serve(new TestNode({ image: 'numpy', response: 'empty' }), {
      maxMessageBytes: 2000,
      sharedMemory: 'off',
    });
    const raw = new RawClient(port);
    await expect(raw.call(PROCESS_PATH, Buffer.alloc(2001))).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringContaining('(2001 vs 2000)'),
    });
    const client = await new WatchedClient(port).ready();
    const result = await client.process(numberedFrame(64, 48));
    expect(result).toMatchObject({
      code: 'CUSTOM_NODE_MESSAGE_TOO_LARGE',
      message: expect.stringMatching(/ 9,\d{3} > 2,000 /),
    });
    expect(client.status.counters.calls).toBe(0);
    const modest = await new WatchedClient(port, { maxMessageBytes: 1000, sharedMemory: 'off' }).ready();
    expect(await modest.process(numberedFrame(20, 20))).toMatchObject({
      message: expect.stringMatching(/ 1,\d{3} > 1,000 /),
    });
    expect((await modest.process(numberedFrame(8, 8))).ok).toBe(true);
  });

  test.each([
    ['an error', new Error('boom'), status.UNKNOWN, 'Exception calling application: boom'],
    ['a text', 'boom', status.UNKNOWN, 'Exception calling application: boom'],
    [
      'an error with a status',
      Object.assign(new Error('later'), { grpcCode: status.UNAVAILABLE }),
      status.UNAVAILABLE,
      'later',
    ],
    ['an endless text', new Error('x'.repeat(100_000)), status.UNKNOWN, expect.stringMatching(/x{2000}\.\.\.$/)],
  ])('%s that the node throws goes to the client', async (_name, thrown, code, details) => {
    const node = new TestNode(EMPTY, () => {
      throw thrown as Error;
    });
    const { port } = await serve(node);
    await expect(new RawClient(port).process({ seq: 2n })).rejects.toMatchObject({ code, details });
  });

  test.each([
    ['describes itself wrongly', { image: 'png', response: 'empty' }, {}, 'describes image "png"'],
    [
      'answers a picture with too few bytes',
      { image: 'none', response: 'image' },
      { image: { width: 2, height: 2, colorFormat: 'BGR', pixels: Buffer.alloc(3) } },
      '3 bytes are not a picture of 2x2',
    ],
    [
      'answers nonsense',
      { image: 'none', response: 'insights' },
      { insights: { objects: 7 } },
      'Exception calling application',
    ],
  ])('a node that %s: UNKNOWN', async (_name, description, answer, reason) => {
    const { port } = await serve(new TestNode(description as NodeDescription, () => answer as never));
    await expect(new RawClient(port).process({ seq: 2n })).rejects.toMatchObject({
      code: status.UNKNOWN,
      details: expect.stringContaining(reason),
    });
  });

  test('one frame at a time, so many wait, the next is refused; who gives up is told to the node', async () => {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<AbortSignal>();
    const node = new TestNode(EMPTY, async (_frame, { signal }) => {
      entered.resolve(signal);
      await gate.promise;
      return undefined;
    });
    const { port } = await serve(node, { waiting: 1 });
    const client = new RawClient(port);
    const first = client.call(PROCESS_PATH, Buffer.from([8, 2]), 150);
    const signal = await entered.promise;
    const others = Promise.allSettled([client.process({ seq: 3n }), client.process({ seq: 4n })]);
    await expect(first).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    gate.resolve();
    const refused = (await others).filter(({ status: settled }) => settled === 'rejected');
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({
      reason: { code: status.RESOURCE_EXHAUSTED, details: expect.stringContaining('busy') },
    });
    expect(signal.aborted).toBe(true);
    expect(node.seen).toHaveLength(2);
  });

  test('stops gracefully: what is under way is answered, then the node is stopped', async () => {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const order: string[] = [];
    class Slow extends CustomNode {
      override start(): void {
        order.push('start');
      }
      override describe(): NodeDescription {
        return EMPTY;
      }
      override async process(): Promise<void> {
        entered.resolve();
        await gate.promise;
        order.push('answered');
      }
      override stop(): void {
        order.push('stop');
      }
    }
    const server = await serve(new Slow(), { drainMs: 20_000 });
    const client = new RawClient(server.port);
    const under = client.process({ seq: 2n });
    await entered.promise;
    const stopped = server.stop();
    gate.resolve();
    expect(await under).toMatchObject({ ack: 2n });
    await stopped;
    await server.stop();
    expect(order).toEqual(['start', 'answered', 'stop']);
    await expect(client.process({ seq: 3n })).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  test('a call that never ends is cut off when the drain is over', async () => {
    const entered = Promise.withResolvers<void>();
    const node = new TestNode(EMPTY, () => {
      entered.resolve();
      return new Promise(() => undefined);
    });
    const server = await serve(node, { drainMs: 50 });
    const under = expect(new RawClient(server.port).process({ seq: 2n })).rejects.toMatchObject({ name: 'Error' });
    await entered.promise;
    await server.stop();
    await under;
  });

  test('a port that is taken, a node that cannot start, options that cannot be', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    let stops = 0;
    class Counting extends TestNode {
      override stop(): void {
        stops += 1;
      }
    }
    const listens = new CustomNodeServer(new Counting(EMPTY), { port, host: '127.0.0.1' });
    await expect(listens.start()).rejects.toMatchObject({
      code: 'CUSTOM_NODE_LISTEN_FAILED',
      message: expect.stringContaining(String(port)),
    });
    expect(stops).toBe(1);
    await listens.stop();
    taken.close();
    class Broken extends TestNode {
      override start(): void {
        throw new Error('no model');
      }
    }
    await expect(new CustomNodeServer(new Broken(EMPTY), { port: 0 }).start()).rejects.toThrow('no model');
    const tiny = new CustomNodeServer(new TestNode(EMPTY), { port: 0, maxMessageBytes: 3 });
    await expect(tiny.start()).rejects.toMatchObject({ code: 'CUSTOM_NODE_OPTIONS_INVALID' });
    const tls = { cert: Buffer.from('no'), key: Buffer.from('no') };
    await expect(new CustomNodeServer(new TestNode(EMPTY), { port: 0, tls }).start()).rejects.toMatchObject({
      code: 'CUSTOM_NODE_OPTIONS_INVALID',
    });
  });

  test('a Unix socket, also where a killed server left one behind', async () => {
    const socketPath = path.join(folder, 'node.sock');
    await writeFile(socketPath, '');
    const node = new TestNode({ image: 'numpy', response: 'empty' });
    await serve(node, { socketPath });
    const client = await new WatchedClient(`unix:${socketPath}`).ready();
    expect((await client.process(numberedFrame(64, 48))).ok).toBe(true);
    expect(node.seen[0]).toEqual(numberedFrame(64, 48));
  });

  test('a token: without it, and with another, nothing is answered', async () => {
    const { port } = await serve(new TestNode(EMPTY), { token: 'open-sesame' });
    for (const token of [undefined, 'open-barley']) {
      const watched = new WatchedClient(port, token === undefined ? {} : { token });
      const { state, error } = await watched.until((one) => one.error !== undefined);
      expect([state, error?.code]).toEqual(['failed', 'CUSTOM_NODE_REFUSED']);
      expect(error?.message).not.toContain('open-');
    }
    const client = await new WatchedClient(port, { token: 'open-sesame' }).ready();
    expect((await client.process(numberedFrame(2, 2))).ok).toBe(true);
  });

  test('TLS, with a certificate that the client knows', async () => {
    const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
    const made = spawnSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert],
    ]);
    if (made.status !== 0) {
      process.stderr.write('custom nodes with TLS: skipped, openssl cannot make a certificate here\n');
      return;
    }
    const ca = await readFile(cert);
    const { port } = await serve(new TestNode(EMPTY), { tls: { cert: ca, key: await readFile(key) } });
    const client = await new WatchedClient(`https://localhost:${port}`, { tls: { ca } }).ready();
    expect((await client.process(numberedFrame(2, 2))).ok).toBe(true);
    const { state, error } = await new WatchedClient(`https://localhost:${port}`).until(
      (one) => one.error !== undefined,
    );
    expect([state, error?.code]).toEqual(['connecting', 'CUSTOM_NODE_UNREACHABLE']);
  });

  test('health, and reflection of the service', async () => {
    const { port } = await serve(new TestNode(EMPTY));
    const health = grpcClient('grpc-health-check/build/src/health.js', 'grpc.health.v1.Health', port);
    for (const service of ['', 'custom_node.CustomNodeHandler'])
      expect(await unary(health, 'check', { service })).toEqual({ status: 'SERVING' });
    await expect(unary(health, 'check', { service: 'other' })).rejects.toMatchObject({ code: status.NOT_FOUND });

    const reflection = grpcClient(
      '@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
      'grpc.reflection.v1.ServerReflection',
      port,
    );
    const stream = (reflection['serverReflectionInfo'] as unknown as () => NodeJS.ReadWriteStream).call(reflection);
    stream.write({ listServices: '' } as never);
    const [answer] = (await once(stream, 'data')) as [{ listServicesResponse: { service: { name: string }[] } }];
    stream.end();
    expect(answer.listServicesResponse.service.map(({ name }) => name)).toContain('custom_node.CustomNodeHandler');
  });

  test('metrics: calls by status, times, bytes', async () => {
    const metrics = new Metrics();
    const node = new TestNode(EMPTY, () => {
      if (node.seen.length === 2) throw new Error('no');
      return undefined;
    });
    const { port } = await serve(node, { metrics });
    const client = new RawClient(port);
    await client.handshake();
    await client.process({ seq: 2n });
    await client.process({ seq: 3n }).catch(() => undefined);
    const text = await metrics.text();
    expect(text).toContain('vantage_node_calls_total{method="Handshake",status="OK"} 1');
    expect(text).toContain('vantage_node_calls_total{method="Process",status="OK"} 1');
    expect(text).toContain('vantage_node_calls_total{method="Process",status="UNKNOWN"} 1');
    expect(text).toContain('vantage_node_process_seconds_count 1');
    expect(text).toContain('vantage_node_received_bytes_total 4');
  });

  test('metrics and health by HTTP', async () => {
    const { metricsPort: port } = await serve(new TestNode(EMPTY), { metricsPort: 0 });
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain('vantage_node_calls_total');
  });

  test('opens a window of 16 MiB for what comes in: grpc-js has no option for it', async () => {
    const { port } = await serve(new TestNode(EMPTY));
    const session = http2.connect(`http://127.0.0.1:${port}`);
    closeLater({ stop: () => Promise.resolve(session.destroy()) });
    const [settings] = (await once(session, 'remoteSettings')) as [http2.Settings];
    expect(settings.initialWindowSize).toBe(16 * 1024 * 1024);
  });
});

type AnyClient = Record<string, (request: object, done: (error: Error | null, answer: unknown) => void) => unknown>;

function grpcClient(module: string, service: string, port: number): AnyClient {
  const file = require.resolve(module.endsWith('.proto') ? module : 'grpc-health-check');
  const proto = module.endsWith('.proto') ? file : (require('grpc-health-check') as { protoPath: string }).protoPath;
  let at: unknown = loadPackageDefinition(loadSync(proto, { enums: String }));
  for (const part of service.split('.')) at = (at as Record<string, unknown>)[part];
  const client = new (at as ServiceClientConstructor)(`127.0.0.1:${port}`, credentials.createInsecure());
  closeLater({ stop: () => Promise.resolve(client.close()) });
  return client as unknown as AnyClient;
}

async function unary(client: AnyClient, method: string, request: object): Promise<unknown> {
  return new Promise((resolve, reject) =>
    client[method]!.call(client, request, (error: Error | null, answer: unknown) =>
      error === null ? resolve(answer) : reject(error),
    ),
  );
}
