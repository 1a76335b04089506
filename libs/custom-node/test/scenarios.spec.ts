import { afterEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { customNode } from '@vantage/contracts';
import sharp from 'sharp';
import { decodePicture, mergeInsights, timeToMs, type ImageEncoding, type NodeInsights } from '../src/index.ts';
import { IDS, numberedFrame } from './support/frames.ts';
import { closeAll, serve, TestNode, WatchedClient } from './support/nodes.ts';
import { serveRaw } from './support/raw-server.ts';

afterEach(closeAll);

const DETECTED: NodeInsights = {
  objects: [
    { label: 'car', confidence: 0.5, bbox: { l: 0, t: 0, w: 0.5, h: 0.5 } },
    { label: 'bus', confidence: 0.75, bbox: { l: 0.5, t: 0.5, w: 0.5, h: 0.5 } },
  ],
  events: [],
  other: {},
};

// Acceptance scenarios of the contract, section H, by their numbers.
describe('custom nodes', () => {
  test('a frame arrives as it was, and what the node says comes back', async () => {
    const node = new TestNode({ image: 'numpy', response: 'insights' }, () => ({
      insights: { objects: [{ label: 'car', confidence: 0.9, bbox: { l: 0.1, t: 0.2, w: 0.3, h: 0.4 } }] },
    }));
    const { port } = await serve(node);
    const client = await new WatchedClient(port).ready();
    const frame = numberedFrame(4, 3);
    const result = await client.process(frame);
    expect(result).toMatchObject({
      ok: true,
      insights: {
        objects: [{ label: 'car', confidence: Math.fround(0.9), bbox: { l: Math.fround(0.1) } }],
        events: [],
      },
    });
    expect(node.seen[0]).toEqual(frame);
    expect(client.status).toMatchObject({ state: 'ready', wants: { image: 'numpy', response: 'insights' } });
  });

  test('3: sequence numbers without a gap, and never two calls at once', async () => {
    let underWay = 0;
    let most = 0;
    const server = await serveRaw({
      process: async () => {
        most = Math.max(most, (underWay += 1));
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
        return {};
      },
    });
    const client = await new WatchedClient(server.port, { waiting: 10 }).ready();
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, n) => client.process(numberedFrame(2, 2, { frameId: String(n) }))),
    );
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(server.handshakes).toEqual([
      { seq: 1n, instanceId: 'instance-1', skillId: 'skill-1', deviceId: 'camera-1' },
    ]);
    expect(server.requests.map(({ seq }) => seq)).toEqual([2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10n, 11n]);
    expect(server.requests.map(({ frame }) => frame?.frameId)).toEqual(results.map((_, n) => String(n)));
    expect(most).toBe(1);
  });

  test('3: more in flight where that is configured, answers in the order of the frames', async () => {
    const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    let underWay = 0;
    const all = Promise.withResolvers<void>();
    const server = await serveRaw({
      process: async ({ frame }) => {
        underWay += 1;
        if (underWay === 4) all.resolve();
        await gates[Number(frame!.frameId)]!.promise;
        return {};
      },
    });
    const client = await new WatchedClient(server.port, { inFlight: 4 }).ready();
    const settled: number[] = [];
    const work = gates.map((_, n) =>
      client.process(numberedFrame(2, 2, { frameId: String(n) })).then(() => settled.push(n)),
    );
    await all.promise;
    for (const gate of gates.toReversed()) gate.resolve();
    await Promise.all(work);
    expect(settled).toEqual([0, 1, 2, 3]);
    expect(server.requests.map(({ seq }) => seq)).toEqual([2n, 3n, 4n, 5n]);
  });

  test.each([
    ['jpeg', 2],
    ['bmp', 1],
    ['numpy', 0],
  ] as const)('6: a node that asks for %s gets it', async (encoding: ImageEncoding, imageType) => {
    const server = await serveRaw({ handshake: () => ({ imageType }) });
    const client = await new WatchedClient(server.port).ready();
    const blue = Buffer.from(Array.from({ length: 32 * 24 }, () => [255, 0, 0]).flat());
    expect((await client.process(numberedFrame(32, 24, { pixels: blue }))).ok).toBe(true);
    const { imagePointer, properties } = server.requests[0]!.frame!.image!;
    expect(properties).toEqual({ width: 32n, height: 24n, colorFormat: 0 });
    const bytes = Buffer.from(imagePointer);
    if (encoding === 'jpeg') {
      expect(bytes.subarray(0, 2).toString('hex')).toBe('ffd8');
      expect(await sharp(bytes).metadata()).toMatchObject({ width: 32, height: 24 });
      const { pixels } = await decodePicture(bytes, 'jpeg', { width: 32, height: 24, colorFormat: 'BGR' });
      expect(pixels[0]).toBeGreaterThan(245);
      expect(pixels[2]).toBeLessThan(10);
    } else if (encoding === 'bmp') {
      expect(bytes.toString('latin1', 0, 2)).toBe('BM');
      expect([bytes.readUInt32LE(10), bytes.readUInt16LE(28)]).toEqual([54, 24]);
      expect((await decodePicture(bytes, 'bmp', { width: 32, height: 24, colorFormat: 'BGR' })).pixels).toEqual(blue);
    } else expect(bytes).toEqual(blue);
  });

  test('7: without the image: no pixels, but the size, what is known, and the region', async () => {
    const server = await serveRaw({ handshake: () => ({ processRequestType: 1 }) });
    const client = await new WatchedClient(server.port).ready();
    expect(client.wantsPixels).toBe(false);
    const roi = { name: 'gate', type: 'polygon', id: 'r1', value: '[[0,0],[1,0],[1,1]]' } as const;
    await client.process(numberedFrame(1920, 1080, { insights: DETECTED, roi }));
    const { image, insightsMeta, timestamp, datetime, roi: sent } = server.requests[0]!.frame!;
    expect(image!.imagePointer).toHaveLength(0);
    expect(image!.properties).toEqual({ width: 1920n, height: 1080n, colorFormat: 0 });
    expect(insightsMeta!.objectsMeta.map(({ label }) => label)).toEqual(['car', 'bus']);
    expect(timestamp).toEqual({ seconds: 1_700_000_000n, nanos: 250_000_000 });
    expect(datetime).toBe('2023-11-14T22:13:20.250000+00:00');
    expect(sent).toEqual({ name: 'gate', type: customNode.RoiType.POLYGON, id: 'r1', value: roi.value });
  });

  test.each(['numpy', 'bmp'] as const)('8: a picture turned round comes back turned round (%s)', async (image) => {
    const node = new TestNode({ image, response: 'image' }, ({ width, height, pixels, colorFormat }) => {
      const flipped = Buffer.alloc(pixels!.length);
      for (let at = 0; at < width * height; at++) {
        const x = at % width;
        pixels!.copy(flipped, (at - x + width - 1 - x) * 3, at * 3, at * 3 + 3);
      }
      return { image: { width, height, colorFormat, pixels: flipped } };
    });
    const { port } = await serve(node);
    const client = await new WatchedClient(port).ready();
    const result = await client.process(numberedFrame(2, 2, { insights: DETECTED }));
    expect(result).toMatchObject({ ok: true, image: { width: 2, height: 2, colorFormat: 'BGR' } });
    expect(result.ok && [...result.image!.pixels]).toEqual([3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8]);
    expect(result.ok && result.insights).toBeUndefined();
  });

  test('9: both, nothing, or one object more', async () => {
    const node = new TestNode({ image: 'numpy', response: 'imageAndInsights' }, (frame) => ({
      image: { width: 1, height: 1, colorFormat: 'BGR', pixels: frame.pixels!.subarray(0, 3) },
      insights: { objects: [{ label: 'third', confidence: 1 }] },
    }));
    const { port } = await serve(node);
    const ask = async () =>
      (await new WatchedClient(port).ready()).process(numberedFrame(2, 2, { insights: DETECTED }));
    const both = await ask();
    expect(both).toMatchObject({ ok: true, image: { width: 1, height: 1 } });
    expect(both.ok && mergeInsights(DETECTED, both.insights!, 'append').objects).toHaveLength(3);
    node.description = { image: 'numpy', response: 'empty' };
    expect(await ask()).toEqual({ ok: true, roundTripMs: expect.any(Number) });
    node.description = { image: 'numpy', response: 'insights' };
    const insights = await ask();
    expect(insights.ok && [insights.image, insights.insights?.objects.length]).toEqual([undefined, 1]);
  });

  test('10: attributes, tracks, events and entries arrive, and 5 s + 250,000,000 ns are 5.25 s', async () => {
    const timestamp = { seconds: 5n, nanos: 250_000_000 };
    const insights: NodeInsights = {
      objects: [
        {
          label: 'car',
          confidence: 0.5,
          inferenceId: 'i',
          timestamp,
          bbox: { l: 0, t: 0, w: 1, h: 1 },
          attributes: [{ name: 'colour', label: 'red', confidence: 0.75, inferenceId: 'a', timestamp }],
          tracking: { id: 't-7', speed: 1.5, direction: { x: 0.5, y: -0.5 }, timestamp },
        },
      ],
      events: [{ type: 'lineCrossing', id: 'e', timestamp, relatedIds: ['i'], properties: { line: 'north' } }],
      other: { k: 'v' },
    };
    const { port } = await serve(new TestNode({ image: 'none', response: 'insights' }, () => ({ insights })));
    const result = await (await new WatchedClient(port).ready()).process(numberedFrame(2, 2));
    expect(result).toMatchObject({ ok: true, insights });
    expect(timeToMs((result.ok && result.insights?.objects[0]?.timestamp) || { seconds: 0n, nanos: 0 })).toBe(5250);
  });

  test.each([
    ['a wrong ack', () => ({ ack: 5n }), 'CUSTOM_NODE_ACK_WRONG'],
    ['image_type 9', () => ({ imageType: 9 as never }), 'CUSTOM_NODE_HANDSHAKE_INVALID'],
    ['request type 7', () => ({ processRequestType: 7 as never }), 'CUSTOM_NODE_HANDSHAKE_INVALID'],
    ['response type 4', () => ({ processResponseType: 4 as never }), 'CUSTOM_NODE_HANDSHAKE_INVALID'],
    ['bytes that mean nothing', () => Buffer.from([0xff, 0xff, 0xff]), 'CUSTOM_NODE_HANDSHAKE_INVALID'],
  ])('11: a handshake with %s: a named error, no frame is sent, and it recovers', async (_name, handshake, code) => {
    const server = await serveRaw({ handshake });
    const watched = new WatchedClient(server.port);
    const status_ = await watched.until(({ state }) => state === 'failed');
    expect(status_.error?.code).toBe(code);
    expect(await watched.client.process(numberedFrame(2, 2))).toMatchObject({
      ok: false,
      code: 'CUSTOM_NODE_NOT_READY',
    });
    expect(server.requests).toHaveLength(0);
    server.behaviour = {};
    await watched.ready();
    expect((await watched.client.process(numberedFrame(2, 2))).ok).toBe(true);
  });

  test('12: a wrong ack to a frame costs that frame', async () => {
    const server = await serveRaw({ process: ({ seq }) => (server.requests.length === 1 ? { ack: seq + 1n } : {}) });
    const client = await new WatchedClient(server.port).ready();
    expect(await client.process(numberedFrame(2, 2))).toMatchObject({ ok: false, code: 'CUSTOM_NODE_ACK_WRONG' });
    expect(client.status).toMatchObject({ state: 'ready', error: { code: 'CUSTOM_NODE_ACK_WRONG' } });
    expect((await client.process(numberedFrame(2, 2))).ok).toBe(true);
    expect(client.status.error).toBeUndefined();
    expect(client.status.counters.failures).toEqual({ CUSTOM_NODE_ACK_WRONG: 1 });
    // A number that was not answered well is used again.
    expect(server.requests.map(({ seq }) => seq)).toEqual([2n, 2n]);
  });

  test('15: an exception costs that frame, and the client gets its text', async () => {
    const node = new TestNode({ image: 'none', response: 'empty' }, () => {
      if (node.seen.length === 1) throw new Error('out of cheese');
      return undefined;
    });
    const { port } = await serve(node);
    const client = await new WatchedClient(port).ready();
    const failed = await client.process(numberedFrame(2, 2));
    expect(failed).toMatchObject({ ok: false, code: 'CUSTOM_NODE_FAILED' });
    expect((failed as { message: string }).message).toContain(
      '(UNKNOWN): Exception calling application: out of cheese',
    );
    expect((await client.process(numberedFrame(2, 2))).ok).toBe(true);
  });

  test('16: a node that hangs: the deadline, then after three of them a new handshake', async () => {
    const hang = Promise.withResolvers<object>();
    const server = await serveRaw({ process: () => hang.promise });
    const watched = new WatchedClient(server.port, { deadlineMs: 500 });
    const client = await watched.ready();
    for (let n = 0; n < 3; n++)
      expect(await client.process(numberedFrame(2, 2))).toMatchObject({ ok: false, code: 'CUSTOM_NODE_DEADLINE' });
    server.behaviour = {};
    hang.resolve({});
    await watched.until(({ counters, state }) => counters.handshakes === 2 && state === 'ready');
    expect((await client.process(numberedFrame(2, 2))).ok).toBe(true);
    expect(server.handshakes.length).toBeGreaterThan(1);
  });

  test('16: a handshake that hangs', async () => {
    const server = await serveRaw({ handshake: () => new Promise(() => undefined) });
    const watched = new WatchedClient(server.port, { deadlineMs: 500 });
    const { state, error } = await watched.until((one) => one.error !== undefined);
    expect([state, error?.code]).toEqual(['connecting', 'CUSTOM_NODE_DEADLINE']);
    server.behaviour = {};
    await watched.ready();
  });

  test('17: our server takes 1080p and 4K as they are, and says so', async () => {
    const node = new TestNode({ image: 'numpy', response: 'empty' });
    const { port } = await serve(node);
    const client = await new WatchedClient(port, { sharedMemory: 'off' }).ready();
    const large = numberedFrame(3840, 2160);
    expect((await client.process(numberedFrame(1920, 1080))).ok).toBe(true);
    expect((await client.process(large)).ok).toBe(true);
    expect(node.seen.map(({ pixels }) => pixels?.length)).toEqual([6_220_800, 24_883_200]);
    expect(Buffer.compare(node.seen[1]!.pixels!, large.pixels!)).toBe(0);
  });

  test('the ids are those of the pipeline, for each camera its own', async () => {
    const seen: string[] = [];
    const node = new TestNode({ image: 'none', response: 'empty' }, (_frame, { ids }) => {
      seen.push(`${ids.instance}/${ids.skill}/${ids.device}`);
      return undefined;
    });
    const { port } = await serve(node);
    for (const device of ['a', 'b', 'a']) {
      const client = await new WatchedClient(port, { ids: { ...IDS, device } }).ready();
      await client.process(numberedFrame(2, 2));
    }
    expect(seen).toEqual(['instance-1/skill-1/a', 'instance-1/skill-1/b', 'instance-1/skill-1/a']);
  });

  test('RESOURCE_EXHAUSTED without sizes is a node without room, not a limit', async () => {
    const server = await serveRaw({
      process: () =>
        Promise.reject(Object.assign(new Error(), { code: status.RESOURCE_EXHAUSTED, details: 'no memory' })),
    });
    const client = await new WatchedClient(server.port).ready();
    expect(await client.process(numberedFrame(2, 2))).toMatchObject({ ok: false, code: 'CUSTOM_NODE_FAILED' });
  });
});
