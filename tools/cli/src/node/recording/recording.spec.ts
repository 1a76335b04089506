import { appendFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ChannelCredentials } from '@grpc/grpc-js';
import {
  CustomNode,
  CustomNodeServer,
  encodePicture,
  parseEndpoint,
  type NodeAnswer,
  type NodeFrame,
} from '@vantage/custom-node';
import { frameFor, testPicture } from '../conformance/frames.ts';
import { Peer } from '../conformance/peer.ts';
import { RecordingWriter, readRecording, type RecordedCall } from './format.ts';
import { RecordingProxy } from './proxy.ts';
import { recordNode, type RecordOptions } from './record.ts';
import { replay } from './replay.ts';
import { emptyUpstream, nodeUpstream } from './upstream.ts';

const WANTS = { encoding: 'numpy', withImage: true, response: 'insights' } as const;
const REPLAY = { deadline: 5000, tolerance: 0.01, pictureTolerance: 1, realtime: false };
const RECORD: Omit<RecordOptions, 'out'> = {
  host: '127.0.0.1',
  image: 'numpy',
  frames: 100,
  maxMib: 64,
  deadline: 5000,
  json: true,
};
const MIB = 1024 * 1024;
const closing: (() => Promise<void> | void)[] = [];
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'vantage-recording-'));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Finds one object whose label and confidence a test chooses. */
class Finder extends CustomNode {
  label = 'car';
  confidence = 0.9;
  failing = false;

  describe() {
    return { image: 'numpy', response: 'insights' } as const;
  }

  process(frame: NodeFrame): NodeAnswer {
    if (this.failing) throw new Error('out of order');
    const bbox = { l: (frame.pixels?.[0] ?? 0) / 255, t: 0.2, w: 0.3, h: 0.4 };
    return { insights: { objects: [{ label: this.label, confidence: this.confidence, bbox }] } };
  }
}

async function serve(): Promise<{ node: Finder; endpoint: string }> {
  const node = new Finder();
  const server = new CustomNodeServer(node, { port: 0, host: '127.0.0.1' });
  const { port } = await server.start();
  closing.push(() => server.stop());
  return { node, endpoint: `127.0.0.1:${port}` };
}

async function proxy(endpoint: string | undefined, file: string, maxFrames = 100) {
  const writer = await RecordingWriter.create(file, 64 * MIB);
  const access = endpoint === undefined ? undefined : { endpoint: parseEndpoint(endpoint), deadlineMs: 5000 };
  const upstream = access ? nodeUpstream(access, ChannelCredentials.createInsecure()) : emptyUpstream('numpy');
  const full = Promise.withResolvers<void>();
  const one = new RecordingProxy({ host: '127.0.0.1', port: 0, upstream, writer, maxFrames, onFull: full.resolve });
  const port = await one.start();
  return {
    endpoint: `127.0.0.1:${port}`,
    full: full.promise,
    stop: async () => {
      await one.stop();
      upstream.close();
      await writer.close();
    },
  };
}

async function callsOf(file: string): Promise<RecordedCall[]> {
  const calls: RecordedCall[] = [];
  for await (const call of readRecording(file)) calls.push(call);
  return calls;
}

function connect(endpoint: string): Peer {
  const peer = new Peer({ endpoint: parseEndpoint(endpoint), deadlineMs: 5000 }, ChannelCredentials.createInsecure());
  closing.push(() => peer.close());
  return peer;
}

async function sendFrames(peer: Peer, count: number): Promise<void> {
  await peer.handshake({ deviceId: 'camera' });
  for (let frameId = 0; frameId < count; frameId++)
    await peer.send(await frameFor(WANTS, testPicture(32 + frameId, 24), { frameId }));
}

/** A recording of three frames of a node that finds a car. */
async function recorded(name: string) {
  const served = await serve();
  const file = path.join(folder, name);
  const between = await proxy(served.endpoint, file);
  await sendFrames(connect(between.endpoint), 3);
  await between.stop();
  return { ...served, file };
}

describe('vantage node record and replay', () => {
  test('what passes between a pipeline and a node is captured as it travelled', async () => {
    const { node, endpoint } = await serve();
    const file = path.join(folder, 'proxy.rec');
    const between = await proxy(endpoint, file, 4);
    const [one, two] = [connect(between.endpoint), connect(between.endpoint)];
    await sendFrames(one, 2);
    node.failing = true;
    await sendFrames(two, 1);
    node.failing = false;
    await sendFrames(one, 1);
    await between.full;
    expect((await one.send(await frameFor(WANTS, testPicture(8, 8)))).ok).toBe(true);
    await between.stop();
    const calls = await callsOf(file);
    expect(calls.map(({ header }) => `${header.connection} ${header.call} ${header.error?.code ?? 'ok'}`)).toEqual([
      '1 handshake ok',
      '1 process ok',
      '1 process ok',
      '2 handshake ok',
      '2 process UNKNOWN',
      '1 handshake ok',
      '1 process ok',
    ]);
    expect(calls[4]?.header.error?.details).toBe('Exception calling application: out of order');
    expect(calls[1]?.request.length).toBeGreaterThan(32 * 24 * 3);
  });

  test('a node that answers as before passes; one that does not is found, frame by frame', async () => {
    const { node, endpoint, file } = await recorded('same.rec');
    expect(await replay({ ...REPLAY, file, endpoint })).toMatchObject({ frames: 3, same: 3, different: 0 });
    node.confidence = 0.905;
    expect(await replay({ ...REPLAY, file, endpoint })).toMatchObject({ same: 3 });
    node.confidence = 0.5;
    node.label = 'bus';
    const { different, differences } = await replay({ ...REPLAY, file, endpoint });
    expect(different).toBe(3);
    expect(differences[1]).toEqual({
      frame: 1,
      connection: 1,
      found: ['objects_meta[0].label car became bus', 'objects_meta[0].confidence 0.9000 became 0.5000'],
    });
    node.failing = true;
    const failed = await replay({ ...REPLAY, file, endpoint });
    expect(failed.differences[0]?.found).toEqual(['UNKNOWN Exception calling application: out of order']);
  });

  test('without a node every frame passes untouched', async () => {
    const file = path.join(folder, 'nobody.rec');
    const between = await proxy(undefined, file);
    const peer = connect(between.endpoint);
    await sendFrames(peer, 2);
    await between.stop();
    const calls = await callsOf(file);
    expect(calls.map(({ response }) => response.toString('hex'))).toEqual(['08012003', '0802', '0803']);
  });

  test('pictures of a folder are sent by the command itself', async () => {
    const { endpoint } = await serve();
    const pictures = path.join(folder, 'pictures');
    await mkdir(pictures);
    for (const [at, size] of [
      [0, 48],
      [1, 50],
    ] as const)
      await writeFile(path.join(pictures, `${at}.bmp`), await encodePicture(testPicture(size, 20), 'bmp'));
    const out = path.join(folder, 'fed.rec');
    expect(await recordNode({ ...RECORD, out, endpoint, input: pictures })).toMatchObject({ frames: 2 });
    expect(await replay({ ...REPLAY, file: out, endpoint })).toMatchObject({ frames: 2, same: 2 });
  });

  test('a recording never grows beyond its limit', async () => {
    const file = path.join(folder, 'small.rec');
    const writer = await RecordingWriter.create(file, 2000);
    const header = { call: 'process', connection: 1, atMs: 0, tookMs: 1 } as const;
    for (let at = 0; at < 5; at++) await writer.write(header, Buffer.alloc(500), Buffer.alloc(100));
    expect(writer.isFull).toBe(true);
    await writer.close();
    expect((await readFile(file)).length).toBeLessThanOrEqual(2000);
    expect(await callsOf(file)).toHaveLength(2);
  });

  test('a cut end is left out, what is no recording is refused', async () => {
    const { file, endpoint } = await recorded('cut.rec');
    const { length } = await readFile(file);
    await truncate(file, length - 1);
    expect(await callsOf(file)).toHaveLength(3);
    expect(await replay({ ...REPLAY, file, endpoint })).toMatchObject({ frames: 2 });

    const other = path.join(folder, 'other.rec');
    const failing = (): Promise<unknown> => callsOf(other);
    await expect(failing()).rejects.toMatchObject({ code: 'NODE_RECORDING_INVALID' });
    for (const bytes of ['', 'MThd', Buffer.alloc(100, 0xff)]) {
      await writeFile(other, bytes);
      await expect(failing()).rejects.toThrow('does not begin with "VANTAGE-NODE-RECORDING 1"');
    }
    for (const [length, text] of [
      [0x7fffffff, ''],
      [2, '[]'],
      [4, 'nope'],
    ] as const) {
      const size = Buffer.alloc(4);
      size.writeUInt32LE(length);
      await writeFile(other, 'VANTAGE-NODE-RECORDING 1\n');
      await appendFile(other, Buffer.concat([size, Buffer.from(text)]));
      await expect(failing()).rejects.toThrow('the record at byte 25');
    }
  });

  test('options that exclude each other, a file that exists and a node that is not there are told', async () => {
    const out = path.join(folder, 'exists.rec');
    await writeFile(out, 'mine');
    const { endpoint } = await serve();
    const failing = (options: Partial<RecordOptions>): Promise<unknown> => recordNode({ ...RECORD, out, ...options });
    await expect(failing({})).rejects.toMatchObject({ code: 'OPTIONS_EXCLUSIVE' });
    await expect(failing({ input: 'a', listen: 0 })).rejects.toMatchObject({ code: 'OPTIONS_EXCLUSIVE' });
    await expect(failing({ input: 'a' })).rejects.toThrow('--input needs the endpoint');
    await expect(failing({ endpoint, input: folder })).rejects.toMatchObject({ code: 'NODE_RECORDING_UNWRITABLE' });
    expect(await readFile(out, 'utf8')).toBe('mine');
    const nowhere = { endpoint: '127.0.0.1:1', input: folder, out: path.join(folder, 'none.rec') };
    await expect(failing(nowhere)).rejects.toMatchObject({ code: 'NODE_HANDSHAKE_FAILED' });
  });
});
