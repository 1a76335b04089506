import { VantageError, customNode } from '@vantage/contracts';
import type { ImageEncoding } from '@vantage/custom-node';
import { untilSignal } from '../../until-signal.ts';
import { frameFor } from '../conformance/frames.ts';
import { accessOf, credentialsOf } from '../conformance/peer.ts';
import { wantsOf } from '../conformance/wants.ts';
import { RecordingWriter } from './format.ts';
import { picturesOf } from './pictures.ts';
import { RecordingProxy } from './proxy.ts';
import { emptyUpstream, nodeUpstream, type Upstream } from './upstream.ts';

export interface RecordOptions {
  /** The node; absent: every frame passes untouched. */
  readonly endpoint?: string;
  readonly out: string;
  /** Port to listen on for a pipeline. */
  readonly listen?: number;
  readonly host: string;
  /** Image, video or folder of images to send instead. */
  readonly input?: string;
  readonly image: ImageEncoding | 'none';
  readonly frames: number;
  readonly maxMib: number;
  readonly seconds?: number;
  readonly deadline: number;
  readonly token?: string;
  readonly ca?: string;
  readonly json: boolean;
}

const MIB = 1024 * 1024;

/** Captures frames and answers of a node into a file. @returns what was recorded */
export async function recordNode(options: RecordOptions): Promise<{ frames: number; bytes: number }> {
  if ((options.listen === undefined) === (options.input === undefined))
    throw new VantageError(
      'OPTIONS_EXCLUSIVE',
      'give --listen (a pipeline sends the frames) or --input (this command does)',
    );
  if (options.input !== undefined && options.endpoint === undefined)
    throw new VantageError('OPTIONS_EXCLUSIVE', '--input needs the endpoint of a node that answers');
  const upstream = await upstreamOf(options);
  const writer = await RecordingWriter.create(options.out, options.maxMib * MIB);
  try {
    const frames =
      options.input === undefined ? await listen(options, upstream, writer) : await feed(options, upstream, writer);
    return { frames, bytes: writer.bytes };
  } finally {
    upstream.close();
    await writer.close();
  }
}

async function upstreamOf(options: RecordOptions): Promise<Upstream> {
  if (options.endpoint === undefined) return emptyUpstream(options.image);
  const access = accessOf(options.endpoint, options);
  return nodeUpstream(access, await credentialsOf(access));
}

async function listen(options: RecordOptions, upstream: Upstream, writer: RecordingWriter): Promise<number> {
  const until = untilSignal(options.seconds);
  const full = new AbortController();
  const proxy = new RecordingProxy({
    host: options.host,
    port: options.listen ?? 0,
    upstream,
    writer,
    maxFrames: options.frames,
    onFull: () => full.abort(),
  });
  try {
    const port = await proxy.start();
    const to = options.endpoint === undefined ? 'frames pass untouched' : `passed on to ${options.endpoint}`;
    if (!options.json) process.stderr.write(`listening on ${port}, ${to}; Ctrl-C ends the recording\n`);
    const ended = AbortSignal.any([until.signal, full.signal]);
    if (!ended.aborted) await new Promise((resolve) => ended.addEventListener('abort', resolve, { once: true }));
    await proxy.stop();
    return proxy.frames;
  } finally {
    until.release();
  }
}

/** Sends the pictures one after the other, as a pipeline would. */
async function feed(options: RecordOptions, upstream: Upstream, writer: RecordingWriter): Promise<number> {
  const start = performance.now();
  const ask = async (call: 'handshake' | 'process', request: Uint8Array) => {
    const bytes = Buffer.from(request);
    const atMs = Math.round(performance.now() - start);
    const reply = await upstream.call(1, call, bytes);
    const error = reply.ok ? {} : { error: { code: reply.code, details: reply.details } };
    await writer.write(
      { call, connection: 1, atMs, tookMs: Math.round(reply.ms), ...error },
      bytes,
      reply.ok ? reply.message : Buffer.alloc(0),
    );
    return reply;
  };
  const hello = customNode.HandshakeRequest.fromPartial({
    seq: 1n,
    instanceId: 'vantage-node-record',
    skillId: 'record',
    deviceId: 'file',
  });
  const handshake = await ask('handshake', customNode.HandshakeRequest.encode(hello).finish());
  if (!handshake.ok)
    throw new VantageError('NODE_HANDSHAKE_FAILED', `the node did not answer: ${handshake.code} ${handshake.details}`);
  const wants = wantsOf(customNode.HandshakeResponse.decode(handshake.message));
  if (typeof wants === 'string') throw new VantageError('NODE_HANDSHAKE_FAILED', `the node ${wants}`);
  let frames = 0;
  for await (const picture of picturesOf(options.input ?? '', options.frames)) {
    const frame = await frameFor(wants, picture, { frameId: frames });
    await ask('process', customNode.ProcessRequest.encode({ seq: BigInt(frames + 2), frame }).finish());
    if (writer.isFull) break;
    frames += 1;
  }
  return frames;
}
