import { customNode } from '@vantage/contracts';
import { fail, ok, skip, warn, type Check, type Context, type Finding } from './check.ts';
import { refused } from './frame-checks.ts';
import { frameFor, testPicture } from './frames.ts';

const SEQUENTIAL = 20;
const CLIENTS = 4;
const FRAMES_EACH = 5;
/** gRPC's default, which a server that sets nothing has. */
const DEFAULT_LIMIT = 4_194_304;

const BIG_FRAMES: readonly [string, number, number][] = [
  ['720p', 1280, 720],
  ['1080p', 1920, 1080],
  ['4K', 3840, 2160],
];

export const LOAD_CHECKS: readonly Check[] = [
  {
    id: 'order',
    title: `${SEQUENTIAL} frames in a row, in order`,
    async run({ peer, wants }) {
      const times: number[] = [];
      for (let frameId = 0; frameId < SEQUENTIAL; frameId++) {
        const seq = peer.nextSequence;
        const reply = await peer.send(await frameFor(wants, testPicture(640, 360), { frameId }));
        if (!reply.ok) return refused(reply, `frame ${frameId}`);
        if (reply.message.ack !== seq)
          return fail(
            `frame ${frameId} with seq ${seq} was answered with ack ${reply.message.ack}`,
            'set ack = request.seq',
          );
        times.push(reply.ms);
      }
      times.sort((a, b) => a - b);
      const median = times[Math.floor(times.length / 2)] ?? 0;
      const slowest = times.at(-1) ?? 0;
      return ok(
        `${median.toFixed(1)} ms each (640x360), slowest ${slowest.toFixed(1)} ms, ${(1000 / median).toFixed(0)} frames/s`,
      );
    },
  },
  {
    id: 'two-in-flight',
    title: 'two calls of one client at a time keep their acks',
    async run({ peer, wants }) {
      const first = peer.nextSequence;
      const frame = await frameFor(wants, testPicture(320, 240));
      const bytes = (seq: bigint): Uint8Array => customNode.ProcessRequest.encode({ seq, frame }).finish();
      const replies = await Promise.all([peer.process(bytes(first)), peer.process(bytes(first + 1n))]);
      for (const [at, reply] of replies.entries()) {
        const seq = first + BigInt(at);
        if (!reply.ok) {
          return reply.code === 'RESOURCE_EXHAUSTED' || reply.code === 'UNAVAILABLE'
            ? warn(
                `seq ${seq}: ${reply.code} ${reply.details}`,
                'fine for one client; several cameras at a time need more',
              )
            : refused(reply, `seq ${seq}`);
        }
        if (reply.message.ack !== seq)
          return fail(`seq ${seq} was answered with ack ${reply.message.ack}`, 'keep nothing of a call outside of it');
      }
      return ok(`acks ${first} and ${first + 1n}`);
    },
  },
  {
    id: 'concurrency',
    title: `${CLIENTS} clients at the same time`,
    run: concurrently,
  },
  {
    id: 'big-frames',
    title: 'frames up to 4K',
    hostile: true,
    run: findLimit,
  },
];

async function concurrently({ open, wants, deadlineMs }: Context): Promise<Finding> {
  const frame = await frameFor(wants, testPicture(640, 360));
  const start = performance.now();
  const outcomes = await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      const peer = open();
      const hello = await peer.handshake();
      if (!hello.ok) return `handshake: ${hello.code} ${hello.details}`;
      for (let at = 0; at < FRAMES_EACH; at++) {
        const seq = peer.nextSequence;
        const reply = await peer.send(frame, deadlineMs * CLIENTS);
        if (!reply.ok) return `frame ${at}: ${reply.code} ${reply.details}`;
        if (reply.message.ack !== seq) return `seq ${seq} was answered with ack ${reply.message.ack}`;
      }
      return undefined;
    }),
  );
  const bad = outcomes.filter((outcome) => outcome !== undefined);
  const seconds = (performance.now() - start) / 1000;
  if (bad.length === 0) return ok(`${((CLIENTS * FRAMES_EACH) / seconds).toFixed(0)} frames/s together`);
  return fail(
    `${bad.length} of ${CLIENTS} clients: ${bad[0]}`,
    'a pipeline with several cameras opens a connection for each: serve them side by side, or one after the other',
  );
}

/** Whether large pictures pass, and where the limit is. Pictures are sent as raw bytes or as a file of that length. */
async function findLimit({ open, wants }: Context): Promise<Finding> {
  if (!wants.withImage) return skip('the node wants no pixels');
  if (wants.encoding === 'jpeg') return skip('JPEG pictures are far below every limit');
  const peer = open();
  const hello = await peer.handshake();
  if (!hello.ok) return refused(hello, 'handshake');
  const passed: string[] = [];
  for (const [name, width, height] of BIG_FRAMES) {
    const reply = await peer.send(await frameFor(wants, testPicture(width, height)));
    if (reply.ok) {
      passed.push(name);
      continue;
    }
    if (reply.code !== 'RESOURCE_EXHAUSTED') return refused(reply, name);
    const limit = /vs\.? *(\d+)/.exec(reply.details)?.[1];
    const said =
      limit === undefined
        ? reply.details
        : `the node takes at most ${Number(limit).toLocaleString('en')} bytes a message`;
    const advice =
      Number(limit) === DEFAULT_LIMIT
        ? 'this is the default of gRPC: raise grpc.max_receive_message_length to 64 MB, or let the pipeline downscale'
        : 'raise the limit of the server, or let the pipeline downscale';
    return warn(`${passed.length > 0 ? `${passed.join(', ')} pass, ` : ''}${name} does not: ${said}`, advice);
  }
  return ok(passed.join(', '));
}
