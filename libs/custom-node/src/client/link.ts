import type { Logger } from '@vantage/observability';
import type { NodeCode, NodeFailure } from '../errors.ts';
import type { ClientPixelPath } from '../pixel-path.ts';
import type { ClientFrame } from '../types.ts';
import { encodeProcessRequest } from '../wire/encode.ts';
import { DEFAULT_MESSAGE_BYTES } from '../wire/service.ts';
import { readAnswer } from './answer.ts';
import { handOver, takePixels } from './beside.ts';
import { tooLarge, type CallFailure } from './call-failure.ts';
import type { Agreement, NodeConnection } from './connection.ts';
import type { Counters } from './counters.ts';
import type { NodeResult } from './options.ts';
import type { PreparedPicture } from './request.ts';

/** So many calls without an answer in a row mean that the node hangs, and a new handshake says so. */
const HUNG_AFTER = 3;

type Answered = Extract<NodeResult, { ok: true }>;

export interface LinkOptions {
  readonly connection: NodeConnection;
  readonly agreement: Agreement;
  readonly pixelPath: ClientPixelPath | undefined;
  /** Configured. */
  readonly maxMessageBytes: number | undefined;
  readonly counters: Counters;
  readonly logger: Logger;
}

/** A connection after its handshake: one frame at a time becomes a call, and its answer a result. */
export class NodeLink {
  readonly connection: NodeConnection;
  readonly agreement: Agreement;
  readonly #maxMessageBytes: number | undefined;
  readonly #counters: Counters;
  readonly #logger: Logger;
  /** Kinds of failed frames that were told already. */
  readonly #told = new Set<NodeCode>();
  /** While it works: pixels go there. */
  #pixelPath: ClientPixelPath | undefined;
  /** The handshake was 1. */
  #nextSeq = 2n;
  #timeouts = 0;
  /** Learnt from a refusal. */
  #learntLimit: number | undefined;

  constructor(options: LinkOptions) {
    this.connection = options.connection;
    this.agreement = options.agreement;
    this.#pixelPath = options.pixelPath;
    this.#maxMessageBytes = options.maxMessageBytes;
    this.#counters = options.counters;
    this.#logger = options.logger;
  }

  get sharedMemory(): boolean {
    return this.#pixelPath !== undefined;
  }

  /** Whether this kind of failure is new on this connection: each is said once, not once a frame. */
  isNews(code: NodeCode): boolean {
    if (this.#told.has(code)) return false;
    this.#told.add(code);
    return true;
  }

  /** @param onSent the call has its number: the next frame may be sent */
  async call(frame: ClientFrame, picture: PreparedPicture, onSent: () => void): Promise<Answered | NodeFailure> {
    const what = `frame ${frame.frameId}`;
    const seq = this.#nextSeq;
    const metadata = this.connection.metadata();
    const beside = this.#pixelPath?.send(picture.payload, metadata);
    if (beside === undefined && this.#pixelPath?.problem !== undefined) this.#useBytes(this.#pixelPath.problem);
    const message = encodeProcessRequest(seq, frame, picture.facts, beside === undefined ? picture.payload : undefined);
    const unsent = picture.problem?.() ?? this.#tooLarge(what, message.length);
    if (unsent !== undefined) {
      // Nobody else has seen the place.
      beside?.end(true);
      return unsent;
    }
    this.#nextSeq += 1n;
    this.#counters.calls += 1;
    this.#counters.sentBytes += message.length;
    if (picture.downscaled) this.#counters.downscaled += 1;
    const begun = performance.now();
    const answering = this.connection.process(message, metadata, what);
    onSent();
    const answer = await answering;
    message.discard();
    const pixels = beside && takePixels(beside, answer);
    if (beside !== undefined && pixels === undefined) {
      const payload = Buffer.from(beside.pixels);
      beside.end(false);
      this.#takeBack(seq);
      this.#useBytes('the node does not see it');
      return this.call(frame, { ...picture, payload }, () => undefined);
    }
    const problem = picture.problem?.();
    if ('code' in answer || problem !== undefined) {
      beside?.end(false);
      this.#takeBack(seq);
      if ('code' in answer) this.#learn(answer);
      return problem ?? (answer as CallFailure);
    }
    this.#timeouts = 0;
    this.#counters.receivedBytes += answer.bytes.length;
    if (beside !== undefined) this.#counters.sharedMemoryFrames += 1;
    const context = { seq, wants: this.agreement.wants, sent: picture.facts, beside: pixels?.answer, what };
    const read = await readAnswer(answer.bytes, context);
    const handed = 'code' in read ? read : handOver(read.image, frame, pixels?.answer);
    beside?.end(true);
    if ('code' in read || 'code' in handed) {
      this.#takeBack(seq);
      return 'code' in read ? read : (handed as NodeFailure);
    }
    this.#counters.answered += 1;
    this.#counters.rejectedObjects += read.rejected;
    const { insights } = read;
    const roundTripMs = performance.now() - begun;
    return { ok: true, ...(insights === undefined ? {} : { insights }), ...handed, roundTripMs };
  }

  /** Until the next handshake. */
  #useBytes(reason: string): void {
    this.#pixelPath = undefined;
    this.#logger.warn(`custom node: shared memory does not work any more (${reason}); pixels go as bytes`);
  }

  #tooLarge(what: string, size: number): NodeFailure | undefined {
    const taken = this.agreement.maxMessageBytes ?? this.#learntLimit ?? this.#maxMessageBytes ?? DEFAULT_MESSAGE_BYTES;
    // The lower of what is configured and what the node takes, as far as that is known.
    const limit = Math.min(taken, this.#learntLimit ?? taken, this.#maxMessageBytes ?? taken);
    if (size <= limit) return undefined;
    return { code: 'CUSTOM_NODE_MESSAGE_TOO_LARGE', message: tooLarge(what, size, limit) };
  }

  #learn(failure: CallFailure): void {
    if (failure.limit !== undefined) this.#learntLimit = failure.limit;
    this.#timeouts = failure.code === 'CUSTOM_NODE_DEADLINE' ? this.#timeouts + 1 : 0;
    if (this.#timeouts >= HUNG_AFTER) this.connection.giveUp(failure);
  }

  /** A number that was not answered well is used again, where no later one is out yet (contract A "Handshake"). */
  #takeBack(seq: bigint): void {
    if (this.#nextSeq === seq + 1n) this.#nextSeq = seq;
  }
}
