import { randomUUID } from 'node:crypto';
import { messageOf } from '@vantage/contracts';
import { Backoff, silentLogger, type Logger } from '@vantage/observability';
import { parseEndpoint, type Endpoint } from '../endpoint.ts';
import { optionsInvalid, type NodeFailure } from '../errors.ts';
import type { ClientPixelPath } from '../pixel-path.ts';
import { SharedMemoryClientPath } from '../shared-memory/client-path.ts';
import { Turns } from '../turns.ts';
import type { ClientFrame } from '../types.ts';
import { NodeConnection, type Agreement } from './connection.ts';
import { Counters } from './counters.ts';
import { NodeLink } from './link.ts';
import type { ClientState, ClientStatus, CustomNodeClientOptions, NodeResult } from './options.ts';
import { preparePicture } from './request.ts';

/** A connection that held so long is made anew at once: a node that is replaced costs no more than its handshake. */
const GOOD_AFTER_MS = 1000;

/**
 * The client of one camera and one custom node: keeps the connection, sends frames, reads answers. A frame never makes it
 * throw, and a node that is away, slow or wrong costs only the frames it does not answer. May run in a worker thread.
 *
 * @example
 * const client = new CustomNodeClient({ endpoint: 'det:6677', ids: { instance: 'i', skill: 's', device: 'cam1' } });
 * client.start();
 * const result = await client.process({ ...facts, ...(client.wantsPixels ? { pixels: bgr } : {}) });
 * if (result.ok) insights = mergeInsights(facts.insights, result.insights ?? NO_INSIGHTS, 'append');
 */
export class CustomNodeClient {
  readonly #options: CustomNodeClientOptions;
  readonly #endpoint: Endpoint;
  readonly #logger: Logger;
  readonly #deadlineMs: number;
  readonly #turns: Turns;
  readonly #counters = new Counters();
  readonly #stopping = new AbortController();
  #state: ClientState = 'connecting';
  #error: NodeFailure | undefined;
  #agreement: Agreement | undefined;
  #link: NodeLink | undefined;
  #loop: Promise<void> | undefined;
  /** Answers go out in the order of the frames, and frames out in the order they came. */
  #lastAnswer: Promise<unknown> = Promise.resolve();
  #lastSent: Promise<unknown> = Promise.resolve();

  /** @throws VantageError CUSTOM_NODE_ENDPOINT_INVALID, CUSTOM_NODE_OPTIONS_INVALID */
  constructor(options: CustomNodeClientOptions) {
    this.#options = options;
    this.#endpoint = parseEndpoint(options.endpoint);
    this.#logger = options.logger ?? silentLogger;
    this.#deadlineMs = positive('deadlineMs', options.deadlineMs ?? 5000);
    this.#turns = new Turns(positive('inFlight', options.inFlight ?? 1), options.waiting ?? 2);
    if (options.token !== undefined && !/^[\x21-\x7e]+$/.test(options.token))
      throw optionsInvalid('the token of a custom node must be printable ASCII without blanks');
  }

  get status(): ClientStatus {
    return {
      state: this.#state,
      ...(this.#agreement === undefined ? {} : { wants: this.#agreement.wants }),
      ...(this.#error === undefined ? {} : { error: this.#error }),
      sharedMemory: this.#link?.sharedMemory ?? false,
      counters: this.#counters.snapshot(),
    };
  }

  /** Whether the next frame should bring its pixels. */
  get wantsPixels(): boolean {
    return this.#link !== undefined && this.#link.agreement.wants.image !== 'none';
  }

  /** Connects, shakes hands, and keeps at it until `stop`. Idempotent. */
  start(): void {
    this.#loop ??= this.#run(this.#stopping.signal);
  }

  /** Ends the calls under way; their frames fail with CUSTOM_NODE_STOPPED. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#link?.connection.giveUp({ code: 'CUSTOM_NODE_STOPPED', message: 'the client was stopped' });
    await this.#loop;
    await this.#lastAnswer;
    this.#change('stopped', undefined);
  }

  /**
   * Sends a frame and reads what the node says. Settles in the order of the calls; never rejects. Pixels may be used again
   * when it has settled.
   */
  process(frame: ClientFrame): Promise<NodeResult> {
    const work = this.#process(frame).catch((error: unknown) =>
      // One rejection would reach all the frames behind it.
      this.#failed({ code: 'CUSTOM_NODE_FAILED', message: `frame ${frame.frameId}: ${messageOf(error)}` }),
    );
    const inOrder = this.#lastAnswer.then(() => work);
    this.#lastAnswer = inOrder;
    return inOrder;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({
      baseMs: 250,
      factor: 1.6,
      capMs: 5000,
      resetAfterMs: 10_000,
      ...this.#options.backoff,
    });
    let wasGood: boolean;
    do {
      wasGood = false;
      const pixelPath = this.#pixelPath();
      const connection = this.#connect(pixelPath);
      const cancel = (): void => connection.close();
      signal.addEventListener('abort', cancel, { once: true });
      const outcome = await connection.handshake(1n, this.#options.ids);
      if ('code' in outcome) {
        const absent = outcome.code === 'CUSTOM_NODE_UNREACHABLE' || outcome.code === 'CUSTOM_NODE_DEADLINE';
        if (!signal.aborted) this.#change(absent ? 'connecting' : 'failed', outcome);
      } else if (!signal.aborted) {
        backoff.healthy();
        this.#counters.handshakes += 1;
        this.#agreement = outcome;
        this.#link = new NodeLink({
          connection,
          agreement: outcome,
          pixelPath: outcome.sharedMemory ? pixelPath : undefined,
          maxMessageBytes: this.#options.maxMessageBytes,
          counters: this.#counters,
          logger: this.#logger,
        });
        this.#change('ready', undefined);
        const begun = performance.now();
        const reason = await connection.lost;
        wasGood = performance.now() - begun >= GOOD_AFTER_MS;
        this.#link = undefined;
        if (!signal.aborted) this.#change(reason.code === 'CUSTOM_NODE_REFUSED' ? 'failed' : 'connecting', reason);
      }
      connection.retire();
      void connection.ended.then(() => signal.removeEventListener('abort', cancel));
      pixelPath?.close();
    } while (!signal.aborted && (wasGood || (await backoff.wait(signal))));
  }

  #pixelPath(): ClientPixelPath | undefined {
    const { sharedMemory, sharedMemoryFolder, inFlight = 1 } = this.#options;
    return sharedMemory === 'off' ? undefined : new SharedMemoryClientPath(inFlight, sharedMemoryFolder);
  }

  #connect(pixelPath: ClientPixelPath | undefined): NodeConnection {
    return new NodeConnection({
      endpoint: this.#endpoint,
      tls: this.#options.tls,
      token: this.#options.token,
      session: randomUUID(),
      deadlineMs: this.#deadlineMs,
      pixelPath,
    });
  }

  async #process(frame: ClientFrame): Promise<NodeResult> {
    if (this.#link === undefined) return this.#failed(this.#notReady(frame));
    if (!(await this.#turns.enter(this.#stopping.signal))) {
      const message = `frame ${frame.frameId}: the node has not answered the frames before it yet`;
      return this.#failed(
        this.#stopping.signal.aborted ? this.#notReady(frame) : { code: 'CUSTOM_NODE_BUSY', message },
      );
    }
    try {
      return await this.#exchange(frame);
    } finally {
      this.#turns.leave();
    }
  }

  async #exchange(frame: ClientFrame): Promise<NodeResult> {
    // Encoding may take longer for one frame than for the next; they are sent in order all the same.
    const before = this.#lastSent;
    const sent = Promise.withResolvers<void>();
    this.#lastSent = sent.promise;
    try {
      const link = this.#link;
      if (link === undefined) return this.#failed(this.#notReady(frame));
      const picture = await preparePicture(frame, link.agreement.wants.image, this.#options);
      if ('code' in picture) return this.#failed(picture);
      await before;
      if (this.#link !== link) return this.#failed(this.#notReady(frame));
      const result = await link.call(frame, picture, sent.resolve);
      if ('code' in result) return this.#failed(result);
      this.#error = undefined;
      return result;
    } finally {
      sent.resolve();
    }
  }

  #failed({ code, message }: NodeFailure): NodeResult {
    this.#counters.failed(code);
    if (this.#link !== undefined && code !== 'CUSTOM_NODE_STOPPED') {
      this.#error = { code, message };
      if (this.#link.isNews(code)) this.#report(this.#error);
    }
    return { ok: false, code, message };
  }

  #notReady(frame: ClientFrame): NodeFailure {
    const reason = this.#error === undefined ? this.#state : this.#error.message;
    return this.#stopping.signal.aborted
      ? { code: 'CUSTOM_NODE_STOPPED', message: `frame ${frame.frameId}: the client was stopped` }
      : { code: 'CUSTOM_NODE_NOT_READY', message: `frame ${frame.frameId}: no connection to the node (${reason})` };
  }

  #change(state: ClientState, error: NodeFailure | undefined): void {
    const same = state === this.#state && error?.code === this.#error?.code;
    this.#state = state;
    this.#error = error === undefined ? undefined : { code: error.code, message: error.message };
    if (!same) this.#report(error);
  }

  #report(error: NodeFailure | undefined): void {
    const { host, port, target } = this.#endpoint;
    const fields = { endpoint: host === '' ? target : `${host}:${port}`, code: error?.code };
    if (error === undefined) this.#logger.info(`custom node ${this.#state}`, fields);
    else this.#logger.warn(`custom node ${this.#state}: ${error.message}`, fields);
    try {
      this.#options.onStatus?.(this.status);
    } catch (thrown) {
      // The loop that keeps the connection is no place for somebody else's exception.
      this.#logger.error(`custom node: onStatus failed: ${messageOf(thrown)}`, { error: thrown });
    }
  }
}

function positive(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1)
    throw optionsInvalid(`${name} of a custom node must be a whole number from 1, not ${value}`);
  return value;
}
