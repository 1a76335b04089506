import { setTimeout as sleep } from 'node:timers/promises';
import { VantageError, customNode, messageOf } from '@vantage/contracts';
import { Peer, accessOf, credentialsOf, type Reply } from '../conformance/peer.ts';
import type { Wants } from '../conformance/check.ts';
import { wantsOf } from '../conformance/wants.ts';
import { compareAnswers, type Tolerance } from './compare.ts';
import { readRecording, type RecordedCall } from './format.ts';

export interface ReplayOptions {
  readonly file: string;
  readonly endpoint: string;
  readonly deadline: number;
  readonly tolerance: number;
  readonly pictureTolerance: number;
  /** At the pace of the recording, else as fast as the node answers. */
  readonly realtime: boolean;
  readonly token?: string;
  readonly ca?: string;
}

export interface Difference {
  /** Counted from 0 over all connections. */
  readonly frame: number;
  readonly connection: number;
  readonly found: readonly string[];
}

export interface ReplayReport {
  readonly frames: number;
  readonly same: number;
  readonly different: number;
  /** Milliseconds a call, of the recording and now. */
  readonly medianMs: { readonly recorded: number; readonly now: number };
  /** The first of them. */
  readonly differences: readonly Difference[];
}

const MOST_DIFFERENCES = 100;

/** Sends the frames of a recording to a node and compares its answers with those that were recorded. */
export async function replay(
  options: ReplayOptions,
  onDifference: (difference: Difference) => void = () => undefined,
): Promise<ReplayReport> {
  const access = accessOf(options.endpoint, options);
  const credentials = await credentialsOf(access);
  const connections = new Map<number, { readonly peer: Peer; readonly wants: Wants }>();
  const tolerance = { value: options.tolerance, picture: options.pictureTolerance };
  const differences: Difference[] = [];
  const recordedMs: number[] = [];
  const nowMs: number[] = [];
  let frames = 0;
  let different = 0;
  const start = performance.now();
  try {
    for await (const call of readRecording(options.file)) {
      const { connection } = call.header;
      const known = connections.get(connection);
      if (call.header.call === 'handshake' || !known) {
        known?.peer.close();
        const peer = new Peer(access, credentials);
        connections.set(connection, { peer, wants: await shakeHands(peer, call) });
        if (call.header.call === 'handshake') continue;
      }
      const to = connections.get(connection);
      if (!to) continue;
      if (options.realtime) await sleep(Math.max(0, call.header.atMs - (performance.now() - start)));
      const reply = await to.peer.send(frameOf(call, options.file));
      recordedMs.push(call.header.tookMs);
      nowMs.push(reply.ms);
      const found = await compare(call, reply, to.wants, tolerance);
      if (found.length > 0) {
        const difference = { frame: frames, connection, found };
        different += 1;
        if (differences.length < MOST_DIFFERENCES) differences.push(difference);
        onDifference(difference);
      }
      frames += 1;
    }
  } finally {
    for (const { peer } of connections.values()) peer.close();
  }
  if (frames === 0) throw new VantageError('NODE_RECORDING_INVALID', `${options.file} holds no frames`);
  const medianMs = { recorded: median(recordedMs), now: median(nowMs) };
  return { frames, same: frames - different, different, medianMs, differences };
}

async function shakeHands(peer: Peer, call: RecordedCall): Promise<Wants> {
  const isHandshake = call.header.call === 'handshake';
  const ids = isHandshake ? customNode.HandshakeRequest.decode(call.request) : {};
  const reply = await peer.handshake({ ...ids, seq: 1n });
  if (!reply.ok)
    throw new VantageError('NODE_HANDSHAKE_FAILED', `the node did not answer: ${reply.code} ${reply.details}`);
  const wants = wantsOf(reply.message);
  if (typeof wants === 'string') throw new VantageError('NODE_HANDSHAKE_FAILED', `the node ${wants}`);
  if (!isHandshake || call.header.error !== undefined) return wants;
  const recorded = wantsOf(customNode.HandshakeResponse.decode(call.response));
  if (typeof recorded === 'string') return wants;
  if (wants.withImage && (recorded.encoding !== wants.encoding || !recorded.withImage))
    throw new VantageError(
      'NODE_HANDSHAKE_FAILED',
      `the node wants ${wants.encoding} pictures; the recording holds ${recorded.withImage ? `${recorded.encoding} pictures` : 'no pictures'}. Record it again.`,
    );
  return wants;
}

function frameOf({ request }: RecordedCall, file: string): customNode.Frame {
  try {
    return customNode.ProcessRequest.decode(request).frame ?? customNode.Frame.fromPartial({});
  } catch (error) {
    throw new VantageError(
      'NODE_RECORDING_INVALID',
      `${file} holds a request that cannot be read: ${messageOf(error)}`,
    );
  }
}

async function compare(
  { header, response }: RecordedCall,
  reply: Reply<customNode.ProcessResponse>,
  wants: Wants,
  tolerance: Tolerance,
): Promise<string[]> {
  if (!reply.ok) return header.error?.code === reply.code ? [] : [`${reply.code} ${reply.details}`];
  if (header.error !== undefined) return [`${header.error.code} in the recording, now there is an answer`];
  try {
    return await compareAnswers(customNode.ProcessResponse.decode(response), reply.message, wants, tolerance);
  } catch (error) {
    return [`the answers cannot be compared: ${messageOf(error)}`];
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 100) / 100;
}
