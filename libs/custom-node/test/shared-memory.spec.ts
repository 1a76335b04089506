import { mkdtempSync, readdirSync, readlinkSync, rmSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { Metadata, Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { customNode } from '@vantage/contracts';
import type { NodeAnswer, NodeResult } from '../src/index.ts';
import { SharedMemoryServerPath } from '../src/shared-memory/server-path.ts';
import { HANDSHAKE_PATH, PROCESS_PATH } from '../src/wire/service.ts';
import { numberedFrame } from './support/frames.ts';
import { closeAll, closeLater, serve, TestNode, WatchedClient } from './support/nodes.ts';
import { startPeer } from './support/processes.ts';
import { python, PYTHON_MISSING, startPython } from './support/python.ts';
import { Times } from './support/raw-server.ts';

afterEach(closeAll);

const [WIDTH, HEIGHT] = [320, 240];
const FLIP = path.resolve(import.meta.dirname, '../../../sdk/python/examples/flip.py');

const frame = (first = 0) => {
  const one = numberedFrame(WIDTH, HEIGHT);
  one.pixels![0] = first;
  return one;
};

/** Answers the picture with its first byte inverted, in place. */
const inverting = () =>
  new TestNode({ image: 'numpy', response: 'image' }, ({ pixels, width, height, colorFormat }) => {
    pixels![0] = 255 - pixels![0]!;
    return { image: { pixels: pixels!, width, height, colorFormat } };
  });

function firstByte(result: NodeResult): unknown {
  return result.ok ? result.image?.pixels[0] : result;
}

/** Rings that this process holds open: each has lost its name. */
function openRings(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${fd}`);
      return file.startsWith(`${shared}/`) && file.endsWith(' (deleted)') ? [`/proc/self/fd/${fd}`] : [];
    } catch {
      return [];
    }
  });
}

/** Not /dev/shm itself: other processes use that, too. */
const shared = mkdtempSync('/dev/shm/vantage-test-');
process.env['VANTAGE_SHARED_MEMORY'] = shared;
afterAll(() => {
  delete process.env['VANTAGE_SHARED_MEMORY'];
  rmSync(shared, { recursive: true });
});

const namedRings = () => readdirSync(shared);

describe('shared memory between our client and our server', () => {
  test('pictures go there and back beside the messages, and what is kept of an answer stays', async () => {
    const { port } = await serve(inverting());
    const client = await new WatchedClient(port).ready();
    const results = [];
    for (const first of [1, 2, 3, 4]) results.push(await client.process(frame(first)));
    expect(results.map(firstByte)).toEqual([254, 253, 252, 251]);
    const { sharedMemory, counters } = client.status;
    expect([sharedMemory, counters.sharedMemoryFrames, counters.calls]).toEqual([true, 4, 4]);
    expect(counters.sentBytes + counters.receivedBytes).toBeLessThan(4 * 300);
    expect(openRings().length).toBe(2);
    await closeAll();
    expect([openRings(), namedRings()]).toEqual([[], []]);
  });

  test('an answer of the node’s own, of another size', async () => {
    const picture = { ...numberedFrame(WIDTH * 2, HEIGHT), pixels: Buffer.alloc(WIDTH * 2 * HEIGHT * 3, 7) };
    const { port } = await serve(new TestNode({ image: 'numpy', response: 'image' }, () => ({ image: picture })));
    const client = await new WatchedClient(port).ready();
    const result = await client.process(frame());
    expect(result).toMatchObject({ ok: true, image: { width: WIDTH * 2, height: HEIGHT, colorFormat: 'BGR' } });
    expect(result.ok && result.image?.pixels.equals(picture.pixels)).toBe(true);
    expect(client.status.counters.receivedBytes).toBeLessThan(100);
  });

  test('a picture is read where it lies; who fails at that loses this frame only', async () => {
    const { port } = await serve(inverting());
    const client = await new WatchedClient(port).ready();
    let taken: number | undefined;
    const takes = { ...frame(9), takeImage: ({ pixels }: { pixels: Buffer }) => void (taken = pixels[0]) };
    const result = await client.process(takes);
    expect([taken, result.ok, firstByte(result)]).toEqual([246, true, undefined]);
    const throws = {
      ...frame(),
      takeImage: () => {
        throw new Error('no room');
      },
    };
    expect(await client.process(throws)).toMatchObject({
      ok: false,
      code: 'CUSTOM_NODE_ANSWER_INVALID',
      message: 'frame 7: the picture of the answer was not taken: no room',
    });
    expect(firstByte(await client.process(frame(1)))).toBe(254);
    expect(client.status.counters.sharedMemoryFrames).toBe(3);
  });

  test('the caller writes the pixels right there', async () => {
    const node = new TestNode({ image: 'numpy', response: 'insights' }, ({ pixels }) => ({
      insights: { other: { last: String(pixels!.at(-1)) } },
    }));
    const { port } = await serve(node);
    const client = await new WatchedClient(port).ready();
    const facts = numberedFrame(WIDTH, HEIGHT);
    delete (facts as { pixels?: Uint8Array }).pixels;
    const targets: number[] = [];
    const pixelsInto = (target: Uint8Array) => {
      targets.push(target.buffer.byteLength);
      target.fill(33);
    };
    expect(await client.process({ ...facts, pixelsInto })).toMatchObject({ insights: { other: { last: '33' } } });
    expect(targets.length).toBe(1);
    expect(targets[0]).toBeGreaterThan(90_000_000);
  });

  test.each([
    ['the client', { sharedMemory: 'off' }, {}],
    ['the server', {}, { sharedMemory: 'off' }],
    ['the folder of the client', { sharedMemoryFolder: '/nowhere' }, {}],
    ['the folder of the server', {}, { sharedMemoryFolder: '/tmp' }],
    ['who says "off" for a folder', { sharedMemoryFolder: 'off' }, { sharedMemoryFolder: 'off' }],
  ] as const)('where %s does not: in messages', async (_, clientOptions, serverOptions) => {
    const { port } = await serve(inverting(), serverOptions);
    const client = await new WatchedClient(port, clientOptions).ready();
    expect(firstByte(await client.process(frame(1)))).toBe(254);
    const { sharedMemory, counters } = client.status;
    expect([sharedMemory, counters.sharedMemoryFrames]).toEqual([false, 0]);
    expect(counters.sentBytes).toBeGreaterThan(WIDTH * HEIGHT * 3);
    expect([openRings(), namedRings()]).toEqual([[], []]);
  });

  test('in a folder that options name', async () => {
    const folder = mkdtempSync('/dev/shm/vantage-test-');
    const { port } = await serve(inverting(), { sharedMemoryFolder: folder });
    const client = await new WatchedClient(port, { sharedMemoryFolder: folder }).ready();
    await client.process(frame());
    expect([client.status.counters.sharedMemoryFrames, readdirSync(folder)]).toEqual([1, []]);
    await closeAll();
    rmSync(folder, { recursive: true });
  });

  test('small pictures and JPEG: each as it is best', async () => {
    const { port } = await serve(inverting());
    const client = await new WatchedClient(port).ready();
    expect(firstByte(await client.process(numberedFrame(16, 16)))).toBe(255);
    expect([client.status.sharedMemory, client.status.counters.sharedMemoryFrames]).toEqual([true, 0]);

    const noise = Buffer.alloc(WIDTH * HEIGHT * 3, Buffer.from('a picture that JPEG cannot make small: 8=&/;zY'));
    const files = new TestNode({ image: 'jpeg', response: 'imageAndInsights' }, (seen) => ({
      image: { ...seen, pixels: seen.pixels! },
      insights: { other: { size: `${seen.width}x${seen.height}` } },
    }));
    const encoded = await serve(files);
    const other = await new WatchedClient(encoded.port, { jpegQuality: 100 }).ready();
    const result = await other.process({ ...frame(), pixels: noise });
    expect(result).toMatchObject({ ok: true, insights: { other: { size: `${WIDTH}x${HEIGHT}` } } });
    expect(result.ok && Math.abs(result.image!.pixels[4000]! - noise[4000]!)).toBeLessThan(20);
    expect(other.status.counters.sharedMemoryFrames).toBe(1);
  });

  test('several clients, several frames under way: nobody sees another’s picture', async () => {
    const node = new TestNode({ image: 'numpy', response: 'image' }, async (seen): Promise<NodeAnswer> => {
      const before = Buffer.from(seen.pixels!);
      await new Promise((resolve) => setImmediate(resolve));
      if (!before.equals(seen.pixels!)) throw new Error('somebody wrote into the picture');
      return { image: { ...seen, pixels: seen.pixels! } };
    });
    const { port } = await serve(node, { concurrency: 8, waiting: 100 });
    const clients = await Promise.all(
      [1, 2, 3].map(() => new WatchedClient(port, { inFlight: 4, waiting: 100 }).ready()),
    );
    const all = clients.flatMap((client, at) =>
      Array.from({ length: 20 }, async (_, n) => {
        const mark = at * 20 + n;
        const sent = numberedFrame(WIDTH, HEIGHT, { pixels: Buffer.alloc(WIDTH * HEIGHT * 3, mark) });
        const result = await client.process(sent);
        return result.ok && result.image!.pixels.equals(sent.pixels!);
      }),
    );
    expect((await Promise.all(all)).every(Boolean)).toBe(true);
    expect(clients.map(({ status }) => status.counters.sharedMemoryFrames)).toEqual([20, 20, 20]);
  });

  test('a node that hangs keeps its slots; frames go in messages meanwhile, and then there again', async () => {
    const begun = new Times();
    const release = Promise.withResolvers<void>();
    const ended = new Times();
    const node = new TestNode({ image: 'numpy', response: 'insights' }, async ({ pixels }) => {
      if (pixels![0] !== 99) return { insights: {} };
      begun.tell();
      await release.promise;
      ended.tell();
      return { insights: {} };
    });
    const { port } = await serve(node, { concurrency: 4 });
    const client = await new WatchedClient(port, { deadlineMs: 800 }).ready();
    for (let i = 0; i < 2; i++) {
      expect(await client.process(frame(99))).toMatchObject({ ok: false, code: 'CUSTOM_NODE_DEADLINE' });
    }
    await begun.reach(2);
    expect(await client.process(frame(1))).toMatchObject({ ok: true });
    expect(client.status.counters).toMatchObject({ sharedMemoryFrames: 0, answered: 1 });
    release.resolve();
    await ended.reach(2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await client.process(frame(1))).toMatchObject({ ok: true });
    expect(client.status.counters).toMatchObject({ sharedMemoryFrames: 1, answered: 2 });
  });

  test('a node that gives up while its work goes on keeps the slot until that ends', async () => {
    const release = Promise.withResolvers<void>();
    const node = new TestNode({ image: 'numpy', response: 'insights' }, ({ pixels }) => {
      if (pixels![0] !== 99) return { insights: {} };
      const stillWorking = release.promise.then(() => pixels!.fill(0));
      throw Object.assign(new Error('no answer in time'), { grpcCode: 4, stillWorking });
    });
    const { port } = await serve(node);
    const client = await new WatchedClient(port).ready();
    for (let i = 0; i < 2; i++) expect(await client.process(frame(99))).toMatchObject({ ok: false });
    expect(await client.process(frame(1))).toMatchObject({ ok: true });
    expect(client.status.counters).toMatchObject({ sharedMemoryFrames: 0, answered: 1 });
    release.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await client.process(frame(1))).toMatchObject({ ok: true });
    expect(client.status.counters).toMatchObject({ sharedMemoryFrames: 1, answered: 2 });
  });

  test('an exception of the node gives the slot back', async () => {
    const { port } = await serve(
      new TestNode({ image: 'numpy', response: 'insights' }, () => {
        throw new Error('oh');
      }),
    );
    const client = await new WatchedClient(port).ready();
    for (let i = 0; i < 5; i++) await client.process(frame());
    expect(client.status.counters.failures).toEqual({ CUSTOM_NODE_FAILED: 5 });
    expect(client.status.counters.sentBytes).toBeLessThan(5 * 300);
  });

  test('the file is cut under way: messages from then on, and no signal', async () => {
    const { port } = await serve(inverting());
    const client = await new WatchedClient(port).ready();
    await client.process(frame());
    truncateSync(openRings()[0]!, 4096);
    expect(firstByte(await client.process(frame(1)))).toBe(254);
    expect(client.status).toMatchObject({ sharedMemory: false, counters: { sharedMemoryFrames: 1, answered: 2 } });
  });
});

describe('an end that is not as it should be', () => {
  /** A server that agrees to share memory and then does as `onProcess` says. */
  async function serveOdd(onProcess: (path: SharedMemoryServerPath, call: ServerUnaryCall<Buffer, Buffer>) => void) {
    const server = new Server({ 'grpc.max_receive_message_length': -1 });
    const pixelPath = new SharedMemoryServerPath();
    const requests: customNode.ProcessRequest[] = [];
    const asIs = (bytes: Buffer): Buffer => bytes;
    const method = (name: string) => ({
      path: name,
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    });
    server.addService(
      { handshake: method(HANDSHAKE_PATH), process: method(PROCESS_PATH) },
      {
        handshake: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
          const metadata = new Metadata();
          pixelPath.accept(call.metadata, metadata);
          call.sendMetadata(metadata);
          answer(null, Buffer.from('08012001', 'hex'));
        },
        process: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
          const request = customNode.ProcessRequest.decode(call.request);
          requests.push(request);
          try {
            onProcess(pixelPath, call);
            answer(null, Buffer.from(customNode.ProcessResponse.encode({ ack: request.seq } as never).finish()));
          } catch (error) {
            const { message, metadata } = error as { message: string; metadata: Metadata };
            answer({ code: 9, details: message, metadata });
          }
        },
      },
    );
    const port = await new Promise<number>((resolve) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, bound) => resolve(bound));
    });
    closeLater({ stop: () => Promise.resolve(server.forceShutdown()).then(() => pixelPath.close()) });
    return { port, requests };
  }

  test.each([
    [
      'has lost the memory',
      (pixelPath: SharedMemoryServerPath, call: ServerUnaryCall<Buffer, Buffer>) => {
        pixelPath.close();
        pixelPath.resolve(call.metadata);
      },
    ],
    ['does not look at it', () => undefined],
    [
      'answers nonsense',
      (_: SharedMemoryServerPath, call: ServerUnaryCall<Buffer, Buffer>) => {
        const metadata = new Metadata();
        metadata.set('vantage-shm', '1 999999999999 5');
        call.sendMetadata(metadata);
      },
    ],
  ])('a server that %s gets the frame again, in a message', async (_, onProcess) => {
    const { port, requests } = await serveOdd(onProcess);
    const client = await new WatchedClient(port, { maxMessageBytes: 1_000_000 }).ready();
    expect(client.status.sharedMemory).toBe(true);
    expect(await client.process(frame())).toMatchObject({ ok: true });
    expect(await client.process(frame())).toMatchObject({ ok: true });
    const bytes = WIDTH * HEIGHT * 3;
    expect(requests.map(({ seq, frame: sent }) => [seq, sent?.image?.imagePointer.length])).toEqual([
      [2n, 0],
      [requests[1]!.seq, bytes],
      [3n, bytes],
    ]);
    expect(client.status).toMatchObject({ sharedMemory: false, counters: { sharedMemoryFrames: 0, failures: {} } });
  });
});

describe('processes that are killed', () => {
  test('the server, in the middle of a call: its successor shares memory again, nothing is left behind', async () => {
    const first = startPeer('node-process.ts', '0', 'hang');
    const port = await first.line();
    const watched = new WatchedClient(Number(port), { deadlineMs: 20_000 });
    const client = await watched.ready();
    expect(client.status.sharedMemory).toBe(true);
    const lost = client.process(frame());
    await first.line();
    await first.kill();
    expect(await lost).toMatchObject({ ok: false, code: 'CUSTOM_NODE_UNREACHABLE' });
    const second = startPeer('node-process.ts', port);
    await second.line();
    await watched.until(({ state, counters }) => state === 'ready' && counters.handshakes === 2);
    expect(firstByte(await client.process(frame(1)))).toBe(254);
    expect(client.status.counters.sharedMemoryFrames).toBe(1);
    expect([openRings().length, namedRings()]).toEqual([1, []]);
  });

  test('a client, in the middle of a call: the server lets go of its memory', async () => {
    const begun = new Times();
    const release = Promise.withResolvers<void>();
    const node = new TestNode({ image: 'numpy', response: 'insights' }, async () => {
      begun.tell();
      await release.promise;
      return { insights: {} };
    });
    const { port } = await serve(node, { concurrency: 2 });
    const peer = startPeer('client-process.ts', String(port));
    await peer.line();
    await begun.reach(1);
    expect(openRings().length).toBe(1);
    await peer.kill();
    release.resolve();
    const client = await new WatchedClient(port).ready();
    await client.process(frame());
    // The next handshake sweeps up what the dead one held.
    const another = await new WatchedClient(port).ready();
    await another.process(frame());
    expect([openRings().length, namedRings()]).toEqual([4, []]);
  });
});

describe('with a server in Python', () => {
  if (python === undefined) {
    process.stderr.write(`shared memory with Python: skipped, ${PYTHON_MISSING}\n`);
    test.skip(`pictures through shared memory: ${PYTHON_MISSING}`, () => undefined);
    return;
  }

  test('it reads pictures in the memory, and answers there', async () => {
    const server = await startPython(FLIP, '--port', '0');
    const client = await new WatchedClient(server.port).ready();
    const sent = frame();
    const result = await client.process(sent);
    expect(result).toMatchObject({ ok: true, image: { width: WIDTH, height: HEIGHT } });
    const row = (pixels: Uint8Array, x: number) => [...pixels.subarray(x * 3, x * 3 + 3)];
    const pixels = result.ok ? result.image!.pixels : Buffer.alloc(0);
    expect([row(pixels, 0), row(pixels, WIDTH - 1)]).toEqual([row(sent.pixels!, WIDTH - 1), row(sent.pixels!, 0)]);
    expect(client.status.counters).toMatchObject({ sharedMemoryFrames: 1 });
    expect(client.status.counters.receivedBytes).toBeLessThan(100);
    expect(namedRings()).toEqual([]);
  });

  test('a node that reads messages itself finds the picture there', async () => {
    const server = await startPython(path.resolve(import.meta.dirname, 'peers/message_node.py'));
    const client = await new WatchedClient(server.port).ready();
    for (let i = 0; i < 4; i++) expect(await client.process(frame())).toMatchObject({ ok: true });
    // Four MiB are the limit of its messages, not of what it sees.
    const large = numberedFrame(1920, 1080);
    expect(await client.process(large)).toMatchObject({ ok: true, insights: { objects: [{ label: '6220800' }] } });
    expect(client.status.counters).toMatchObject({ sharedMemoryFrames: 5, failures: {} });
  });
});
