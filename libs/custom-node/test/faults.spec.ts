import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { customNode } from '@vantage/contracts';
import { CustomNodeClient, type CustomNodeClientOptions, type NodeResult } from '../src/index.ts';
import { IDS, numberedFrame } from './support/frames.ts';
import { closeAll, closeLater, serve, TestNode, WatchedClient } from './support/nodes.ts';
import { serveRaw } from './support/raw-server.ts';

afterEach(closeAll);

const numpy = (width: number, height: number, bytes: number): customNode.Image => ({
  imagePointer: Buffer.alloc(bytes, 1),
  properties: { width: BigInt(width), height: BigInt(height), colorFormat: 0 },
});
const object = (changes: Partial<customNode.ObjectMeta>): customNode.ObjectMeta => ({
  ...customNode.ObjectMeta.create({ label: 'a', confidence: 0.5 }),
  ...changes,
});
const insightsMeta = (objectsMeta: customNode.ObjectMeta[]): customNode.InsightsMeta => ({
  objectsMeta,
  eventsMeta: [],
  otherMeta: {},
});
const messageOf = (result: NodeResult): string => (result.ok ? '' : result.message);

describe('what a node may do wrong', () => {
  test('objects that make no sense are left out and counted, the others stay', async () => {
    const good = { l: 0.25, t: 0.25, w: 0.5, h: 0.5 };
    const server = await serveRaw({
      process: () => ({
        insightsMeta: insightsMeta([
          object({ bbox: good }),
          object({ bbox: { ...good, l: NaN } }),
          object({ bbox: { ...good, w: Infinity } }),
          object({ bbox: { l: 640, t: 360, w: 64, h: 64 } }),
          object({ confidence: NaN }),
        ]),
      }),
    });
    const client = await new WatchedClient(server.port).ready();
    const result = await client.process(numberedFrame(2, 2));
    expect(result.ok && result.insights?.objects.map(({ bbox }) => bbox)).toEqual([good]);
    expect(client.status.counters.rejectedObjects).toBe(4);
  });

  test('a thousand objects with labels of all sorts arrive', async () => {
    const labels = ["'); DROP TABLE frames; --", '__proto__', '${jndi:ldap://x}', '../../etc/passwd', 'a\u0000b\r\nc'];
    const objects = Array.from({ length: 1000 }, (_, n) => object({ label: labels[n % labels.length]! }));
    const server = await serveRaw({ process: () => ({ insightsMeta: insightsMeta(objects) }) });
    const client = await new WatchedClient(server.port).ready();
    const result = await client.process(numberedFrame(2, 2));
    expect(result.ok && result.insights?.objects).toHaveLength(1000);
    expect(result.ok && result.insights?.objects.slice(0, 5).map(({ label }) => label)).toEqual([
      ...labels.slice(0, 4),
      'a b  c',
    ]);
  });

  test('empty everything: a handshake of ack alone, an answer of ack alone', async () => {
    const server = await serveRaw({ handshake: () => ({ processResponseType: 0 }), process: () => ({}) });
    const client = await new WatchedClient(server.port).ready();
    expect(client.status.wants).toEqual({ image: 'numpy', answerImage: 'numpy', response: 'image' });
    expect(await client.process(numberedFrame(2, 2))).toEqual({ ok: true, roundTripMs: expect.any(Number) });
    // Announced nothing, and answers insights all the same: the reference would take them.
    server.behaviour = { process: () => ({ insightsMeta: insightsMeta([object({})]) }) };
    const said = await client.process(numberedFrame(2, 2));
    expect(said.ok && said.insights?.objects).toHaveLength(1);
    // With a picture it means what it says: insights that were there stay as they are.
    server.behaviour = { process: () => ({ image: numpy(2, 2, 12), insightsMeta: insightsMeta([object({})]) }) };
    const both = await client.process(numberedFrame(2, 2));
    expect(both.ok && [both.image?.width, both.insights]).toEqual([2, undefined]);
  });

  test.each([
    ['fewer bytes than it announces', numpy(2, 2, 11), '11 bytes are not a numpy picture of 2x2'],
    ['an impossible size', numpy(1 << 20, 1 << 20, 12), 'is not possible'],
    ['a negative size', numpy(-2, -2, 12), 'is not possible'],
    ['no size, and not that of the frame', { imagePointer: Buffer.alloc(9), properties: undefined }, '9 bytes are not'],
  ])('a picture with %s is refused, the next frame goes on', async (_name, image, reason) => {
    const server = await serveRaw({ handshake: () => ({ processResponseType: 2 }), process: () => ({ image }) });
    const client = await new WatchedClient(server.port).ready();
    const result = await client.process(numberedFrame(2, 2));
    expect(result).toMatchObject({ ok: false, code: 'CUSTOM_NODE_ANSWER_INVALID' });
    expect(messageOf(result)).toContain(reason);
    server.behaviour = { process: () => ({ image: { imagePointer: Buffer.alloc(12, 9), properties: undefined } }) };
    const silent = await client.process(numberedFrame(2, 2));
    expect(silent.ok && silent.image).toEqual({ width: 2, height: 2, colorFormat: 'BGR', pixels: Buffer.alloc(12, 9) });
  });

  test.each([
    ['a JPEG that is none', 2, 'no JPEG file'],
    ['a BMP that is none', 1, 'no BMP file'],
  ])('%s', async (_name, imageType, reason) => {
    const server = await serveRaw({
      handshake: () => ({ imageType: imageType as never, processResponseType: 0 }),
      process: () => ({ image: numpy(2, 2, 12) }),
    });
    const client = await new WatchedClient(server.port).ready();
    expect(messageOf(await client.process(numberedFrame(2, 2)))).toContain(reason);
  });

  test('an answer that is no message', async () => {
    const server = await serveRaw({ process: () => Buffer.from([0x12, 0xff, 0xff]) });
    const client = await new WatchedClient(server.port).ready();
    expect(await client.process(numberedFrame(2, 2))).toMatchObject({ ok: false, code: 'CUSTOM_NODE_ANSWER_INVALID' });
  });

  test('a service that does not exist there: refused, tried again', async () => {
    const server = await serveRaw({
      handshake: () =>
        Promise.reject(Object.assign(new Error(), { code: status.UNIMPLEMENTED, details: 'unknown service' })),
    });
    const watched = new WatchedClient(server.port);
    const failed = await watched.until(({ state }) => state === 'failed');
    expect(failed.error).toEqual({
      code: 'CUSTOM_NODE_REFUSED',
      message: 'the handshake: the node refuses the call (UNIMPLEMENTED): unknown service',
    });
    server.behaviour = {};
    await watched.ready();
  });

  test('it ends while a frame is with it: that frame is lost at once, and a new handshake starts at 1', async () => {
    const entered = Promise.withResolvers<void>();
    const first = await serveRaw({
      process: () => {
        entered.resolve();
        return new Promise(() => undefined);
      },
    });
    const watched = new WatchedClient(first.port, { deadlineMs: 20_000 });
    const client = await watched.ready();
    const under = client.process(numberedFrame(2, 2));
    await entered.promise;
    await first.stop();
    expect(await under).toMatchObject({ ok: false, code: 'CUSTOM_NODE_UNREACHABLE' });
    const second = await serveRaw({ port: first.port });
    await watched.until(({ counters, state }) => state === 'ready' && counters.handshakes === 2);
    expect((await client.process(numberedFrame(2, 2))).ok).toBe(true);
    expect([second.handshakes[0]?.seq, second.requests[0]?.seq]).toEqual([1n, 2n]);
  });

  test('it stops gracefully and comes back between two frames: a fresh handshake all the same', async () => {
    const node = new TestNode({ image: 'none', response: 'empty' });
    const first = await serve(node);
    const watched = new WatchedClient(first.port);
    const client = await watched.ready();
    await first.stop();
    await serve(new TestNode({ image: 'numpy', response: 'empty' }), { port: first.port });
    await watched.until(({ counters, state }) => state === 'ready' && counters.handshakes === 2);
    expect(client.status.wants?.image).toBe('numpy');
    expect(client.wantsPixels).toBe(true);
  });
});

describe('what a pipeline may do', () => {
  test('stop while frames are under way and waiting: they end, all of them', async () => {
    const entered = Promise.withResolvers<void>();
    const server = await serveRaw({
      process: () => {
        entered.resolve();
        return new Promise(() => undefined);
      },
    });
    const client = await new WatchedClient(server.port, { deadlineMs: 20_000 }).ready();
    const frames = [1, 2, 3, 4].map(() => client.process(numberedFrame(2, 2)));
    await entered.promise;
    await client.stop();
    const codes = (await Promise.all(frames)).map((result) => (result.ok ? 'ok' : result.code));
    expect(codes).toEqual(['CUSTOM_NODE_STOPPED', 'CUSTOM_NODE_STOPPED', 'CUSTOM_NODE_STOPPED', 'CUSTOM_NODE_BUSY']);
    await client.stop();
    expect(client.status.state).toBe('stopped');
    expect(await client.process(numberedFrame(2, 2))).toMatchObject({ ok: false, code: 'CUSTOM_NODE_STOPPED' });
  });

  test('stop before anything, and before anybody answers', async () => {
    const options: CustomNodeClientOptions = { endpoint: '127.0.0.1:1', ids: IDS };
    const never = new CustomNodeClient(options);
    await never.stop();
    const absent = new CustomNodeClient(options);
    absent.start();
    absent.start();
    await absent.stop();
    expect(absent.status.state).toBe('stopped');
  });

  test.each([
    ['no pixels', { pixels: undefined as never }, 'has no pixels'],
    ['too few', { pixels: Buffer.alloc(5) }, 'has 5 bytes of pixels instead of 12'],
    ['no size', { width: 0 }, '0x2 pixels is not possible'],
  ])('a frame with %s fails alone', async (_name, changes, reason) => {
    const server = await serveRaw({});
    const client = await new WatchedClient(server.port).ready();
    const result = await client.process(numberedFrame(2, 2, changes));
    expect(result).toMatchObject({ ok: false, code: 'CUSTOM_NODE_FRAME_INVALID' });
    expect(messageOf(result)).toContain(reason);
    expect((await client.process(numberedFrame(2, 2))).ok).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  test('pixels written where they belong, and once', async () => {
    const node = new TestNode({ image: 'numpy', response: 'empty' });
    const { port } = await serve(node);
    const { pixels, ...facts } = numberedFrame(640, 480);
    let written = 0;
    const frame = {
      ...facts,
      pixelsInto: (target: Uint8Array) => {
        written += 1;
        target.set(pixels!);
      },
    };
    for (const sharedMemory of ['auto', 'off'] as const) {
      const client = await new WatchedClient(port, { sharedMemory }).ready();
      expect((await client.process(frame)).ok).toBe(true);
    }
    expect(written).toBe(2);
    expect(node.seen).toHaveLength(2);
  });

  test.each(['auto', 'off'] as const)(
    'pixels that cannot be written: that frame alone (shared memory %s)',
    async (sharedMemory) => {
      const { port } = await serve(new TestNode({ image: 'numpy', response: 'empty' }));
      const client = await new WatchedClient(port, { sharedMemory }).ready();
      const { pixels, ...facts } = numberedFrame(640, 480);
      const pixelsInto = (): void => {
        throw new Error('the picture is gone');
      };
      for (let n = 0; n < 5; n++) {
        const result = await client.process({ ...facts, pixelsInto });
        expect(result).toMatchObject({ ok: false, code: 'CUSTOM_NODE_FRAME_INVALID' });
        expect(messageOf(result)).toBe('frame 7: the picture is gone');
      }
      expect((await client.process({ ...facts, pixels: pixels! })).ok).toBe(true);
      expect(client.status.counters.sharedMemoryFrames).toBe(sharedMemory === 'auto' ? 1 : 0);
    },
  );

  test('large pictures to encode do not let later ones overtake', async () => {
    const server = await serveRaw({ handshake: () => ({ imageType: 2 }) });
    const client = await new WatchedClient(server.port, { inFlight: 3 }).ready();
    const work = [1200, 16, 16].map((size, n) => client.process(numberedFrame(size, size, { frameId: String(n) })));
    expect((await Promise.all(work)).map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(server.requests.map(({ frame }) => frame?.frameId)).toEqual(['0', '1', '2']);
  });

  test.each([
    [{ endpoint: 'h' }, 'CUSTOM_NODE_ENDPOINT_INVALID'],
    [{ deadlineMs: 0 }, 'CUSTOM_NODE_OPTIONS_INVALID'],
    [{ inFlight: 1.5 }, 'CUSTOM_NODE_OPTIONS_INVALID'],
    [{ token: 'two words' }, 'CUSTOM_NODE_OPTIONS_INVALID'],
  ])('options %j are refused where they are given', (changes, code) => {
    const make = (): unknown => new CustomNodeClient({ endpoint: 'h:1', ids: IDS, ...changes });
    expect(make).toThrow(expect.objectContaining({ code }));
  });

  test('run it in a worker thread', async () => {
    const node = new TestNode({ image: 'numpy', response: 'insights' }, () => ({
      insights: { objects: [{ label: 'seen', confidence: 1 }] },
    }));
    const { port } = await serve(node);
    const worker = new Worker(new URL('support/client-worker.ts', import.meta.url), {
      workerData: { port },
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    closeLater({ stop: async () => void (await worker.terminate()) });
    const [labels] = (await once(worker, 'message')) as [string[]];
    expect(labels).toEqual(['seen']);
  });
});
