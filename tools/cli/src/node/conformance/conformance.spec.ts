import { Server, ServerCredentials, status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from '@jest/globals';
import { customNode } from '@vantage/contracts';
import { parseEndpoint } from '@vantage/custom-node';
import { runChecks, tally, type CheckResult } from './run-checks.ts';

type Answer<T> = T | { readonly code: number; readonly details: string } | 'never';
interface Peer {
  readonly handshake?: (request: customNode.HandshakeRequest) => Answer<Partial<customNode.HandshakeResponse>>;
  readonly process?: (request: customNode.ProcessRequest) => Answer<Partial<customNode.ProcessResponse>>;
  readonly maxBytes?: number;
}

const IDS = { instanceId: 'i', skillId: 's', deviceId: 'd' };
const INSIGHTS_ONLY = { processResponseType: 1 } as const;
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.forceShutdown();
});

/** A node with the mistakes that a test wants, written on gRPC alone. */
async function serve(
  { handshake, process, maxBytes = -1 }: Peer,
  onServer?: (server: Server) => void,
): Promise<string> {
  const server = new Server({ 'grpc.max_receive_message_length': maxBytes });
  servers.push(server);
  onServer?.(server);
  const method = <Request, Response>(
    path: string,
    decode: (bytes: Uint8Array) => Request,
    encode: (message: Response) => Buffer,
    answer: (request: Request) => Answer<Response>,
  ) => ({
    definition: {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: () => Buffer.alloc(0),
      requestDeserialize: decode,
      responseSerialize: encode,
      responseDeserialize: (bytes: Buffer) => bytes,
    },
    handle: (call: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>) => {
      const said = answer(call.request);
      if (said === 'never') return;
      if (typeof said === 'object' && said !== null && 'details' in said) done(said);
      else done(null, said);
    },
  });
  const shake = method<customNode.HandshakeRequest, Partial<customNode.HandshakeResponse>>(
    '/custom_node.CustomNodeHandler/Handshake',
    (bytes) => customNode.HandshakeRequest.decode(bytes),
    (message) =>
      Buffer.from(customNode.HandshakeResponse.encode(customNode.HandshakeResponse.fromPartial(message)).finish()),
    handshake ?? (({ seq }) => ({ ack: seq, ...INSIGHTS_ONLY })),
  );
  const work = method<customNode.ProcessRequest, Partial<customNode.ProcessResponse>>(
    '/custom_node.CustomNodeHandler/Process',
    (bytes) => customNode.ProcessRequest.decode(bytes),
    (message) =>
      Buffer.from(customNode.ProcessResponse.encode(customNode.ProcessResponse.fromPartial(message)).finish()),
    process ?? (({ seq }) => ({ ack: seq })),
  );
  server.addService(
    { handshake: shake.definition, process: work.definition },
    { handshake: shake.handle as never, process: work.handle as never },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return `127.0.0.1:${port}`;
}

async function check(endpoint: string, only: string[] = [], deadlineMs = 5000): Promise<Map<string, CheckResult>> {
  const { checks } = await runChecks({ endpoint: parseEndpoint(endpoint), deadlineMs }, IDS, { only });
  return new Map(checks.map((one) => [one.id, one]));
}

/** Refuses what is no picture, as a careful node does. */
const careful = ({ seq, frame }: customNode.ProcessRequest): Answer<Partial<customNode.ProcessResponse>> => {
  const { imagePointer, properties } = frame?.image ?? {};
  const bytes = Number(properties?.height ?? 0n) * Number(properties?.width ?? 0n) * 3;
  return imagePointer?.length === bytes ? { ack: seq } : { code: status.UNKNOWN, details: 'no picture' };
};

describe('vantage node test', () => {
  test('finds nothing to say about a careful node', async () => {
    const checks = await check(await serve({ process: careful }));
    expect(tally([...checks.values()])).toMatchObject({ warn: 0, fail: 0, skip: 0 });
    expect(checks.get('big-frames')?.detail).toBe('720p, 1080p, 4K');
    expect(checks.get('garbage')?.detail).toMatch(/^refused: (INTERNAL|UNKNOWN|INVALID_ARGUMENT)/);
  });

  test('nobody listens: one failure, the rest is not tried', async () => {
    const address = await serve({});
    servers.splice(0).forEach((server) => server.forceShutdown());
    const checks = await check(address);
    expect(checks.get('handshake')).toMatchObject({ outcome: 'fail', detail: expect.stringContaining('UNAVAILABLE') });
    expect([...checks.values()].filter(({ outcome }) => outcome === 'skip')).toHaveLength(checks.size - 1);
  });

  test.each([
    ['a wrong ack', { ack: 7n }, 'seq 1 was answered with ack 7'],
    ['image type 9', { ack: 1n, imageType: 9 as never }, 'image_type 9'],
    ['response type 4', { ack: 1n, processResponseType: 4 as never }, 'process_response_type 4'],
  ])('a handshake with %s fails', async (_name, answer, text) => {
    const checks = await check(await serve({ handshake: () => answer }));
    expect(checks.get('handshake')).toMatchObject({ outcome: 'fail', detail: expect.stringContaining(text) });
  });

  test('a seq that went through a double is found, in both calls', async () => {
    const squeezed = (seq: bigint) => ({ ack: BigInt(Number(seq)) });
    const checks = await check(
      await serve({
        handshake: ({ seq }) => ({ ...squeezed(seq), ...INSIGHTS_ONLY }),
        process: ({ seq }) => squeezed(seq),
      }),
      ['handshake-64-bit', 'frame-64-bit'],
    );
    expect(checks.get('handshake-64-bit')?.detail).toBe('seq 9007199254740993 came back as 9007199254740992');
    expect(checks.get('frame-64-bit')?.outcome).toBe('fail');
  });

  test('values that cannot be are found', async () => {
    const object = (fields: Partial<customNode.ObjectMeta>) =>
      customNode.ObjectMeta.fromPartial({ label: 'car', ...fields });
    const checks = await check(
      await serve({
        process: ({ seq }) => ({
          ack: seq,
          insightsMeta: customNode.InsightsMeta.fromPartial({
            objectsMeta: [
              object({ confidence: 87 }),
              object({ bbox: { l: NaN, t: 0, w: 0.1, h: 0.1 } }),
              object({ bbox: { l: 100, t: 20, w: 640, h: 480 } }),
              object({ timestamp: { seconds: 1n, nanos: -1 } }),
            ],
          }),
        }),
      }),
      ['frame'],
    );
    const { outcome, detail } = checks.get('frame')!;
    expect(outcome).toBe('fail');
    for (const part of ['confidence is 87', 'bbox is NaN', 'not pixels', 'nanos is -1']) expect(detail).toContain(part);
  });

  test('answers that do not fit the handshake are told', async () => {
    const image = { imagePointer: Buffer.alloc(12), properties: { width: 2n, height: 2n, colorFormat: 0 as const } };
    const surprising = await check(await serve({ process: ({ seq }) => ({ ack: seq, image }) }), ['frame']);
    expect(surprising.get('frame')).toMatchObject({
      outcome: 'warn',
      detail: expect.stringContaining('did not announce'),
    });
    const broken = await check(
      await serve({
        handshake: ({ seq }) => ({ ack: seq }),
        process: ({ seq }) => ({ ack: seq, image: { ...image, imagePointer: Buffer.alloc(11) } }),
      }),
      ['frame'],
    );
    expect(broken.get('frame')?.detail).toContain('11 bytes are not a numpy picture of 2x2');
    const missing = await check(await serve({ handshake: ({ seq }) => ({ ack: seq }) }), ['frame']);
    expect(missing.get('frame')?.detail).toContain('no picture, the handshake promised one');
  });

  test('the limit of messages is found and named', async () => {
    const checks = await check(await serve({ process: careful, maxBytes: 4_194_304 }), ['big-frames']);
    expect(checks.get('big-frames')).toMatchObject({
      outcome: 'warn',
      detail: '720p pass, 1080p does not: the node takes at most 4,194,304 bytes a message',
      advice: expect.stringContaining('grpc.max_receive_message_length'),
    });
  });

  test('a node that hangs on a frame fails in time, and what it choked on is named', async () => {
    const checks = await check(
      await serve({
        process: (request) => (request.frame?.insightsMeta?.objectsMeta.length === 1000 ? 'never' : careful(request)),
      }),
      ['upstream-many', 'upstream-labels'],
      700,
    );
    expect(checks.get('upstream-many')).toMatchObject({
      outcome: 'fail',
      detail: expect.stringContaining('1000 objects: DEADLINE_EXCEEDED'),
    });
    expect(checks.get('upstream-labels')?.outcome).toBe('ok');
  });

  test('a node that ends is gone for all that follows', async () => {
    let server: Server | undefined;
    const checks = await check(
      await serve(
        {
          process: (request) => {
            if (request.frame?.image?.imagePointer.length !== 100) return careful(request);
            server?.forceShutdown();
            return 'never';
          },
        },
        (one) => (server = one),
      ),
      ['wrong-length', 'order'],
    );
    expect(checks.get('wrong-length')?.outcome).toBe('fail');
    expect(checks.get('order')).toMatchObject({
      outcome: 'skip',
      detail: expect.stringContaining('gone since "a picture that'),
    });
  });

  test('a node that counts on one client is found', async () => {
    let last = 0n;
    const address = await serve({
      process: (request) => {
        const { seq } = request;
        if (seq <= last) return { code: status.FAILED_PRECONDITION, details: `seq ${seq} after ${last}` };
        last = seq;
        return careful(request);
      },
    });
    expect((await check(address, ['concurrency'])).get('concurrency')).toMatchObject({
      outcome: 'fail',
      detail: expect.stringContaining('FAILED_PRECONDITION seq'),
    });
  });

  test('an unknown check is refused with the names of all', async () => {
    await expect(check(await serve({}), ['frames'])).rejects.toThrow(/no check "frames"; there are .*big-frames/);
  });
});
