import { codeOf, messageOf, VantageError, type TwinObject } from '@vantage/contracts';
import {
  Backoff,
  Metrics,
  redact,
  redactDeep,
  type BackoffOptions,
  type CounterMetric,
  type GaugeMetric,
  type Logger,
} from '@vantage/observability';
import { DesiredBlobs } from './desired-blobs.ts';
import { Desired, versionOf } from './desired.ts';
import type {
  DesiredHandler,
  EdgeModuleApi,
  EdgeState,
  EdgeStatus,
  InputHandler,
  MethodHandler,
  MethodReply,
  TwinView,
  Unsubscribe,
} from './edge-module-api.ts';
import { edgeClosed, LOGGED_CODES, methodReplyTooLarge } from './errors.ts';
import { Inbox, toInputMessage } from './inbox.ts';
import { Outbox, type OverflowPolicy } from './outbox.ts';
import { Reporter } from './reporter.ts';
import { Session } from './session.ts';

export interface EdgeModuleOptions {
  readonly logger: Logger;
  readonly metrics?: Metrics;
  /** Where the hub is said to be, as IoT Edge says it. Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
  /** Between attempts to connect, for ever. Default 0.5 s doubling to 30 s. */
  readonly backoff?: BackoffOptions;
  /** Default 30 000. */
  readonly connectTimeoutMs?: number;
  /** For one twin request. Default 15 000. */
  readonly requestTimeoutMs?: number;
  /** How often the twin is asked for, to find out that it has gone deaf. Default 60 000. */
  readonly twinCheckMs?: number;
  /** Reports within this time become one patch. Default 50. */
  readonly coalesceMs?: number;
  /** How long `close` waits for what is on its way. Default 2000. */
  readonly drainMs?: number;
  readonly outbox?: {
    readonly limitMessages?: number;
    readonly limitBytes?: number;
    readonly overflow?: OverflowPolicy;
  };
}

/** Method payloads over this are refused by the hub (contract iot-edge-runtime B.6). */
const METHOD_LIMIT_BYTES = 131_072;

/**
 * A module's side of the edge hub, over the unmodified Azure SDK, with its catches handled (contract
 * iot-edge-runtime section 0): the first connection is retried for ever; every lost connection, and every twin gone
 * deaf, is answered with a new client; the twin is merged by us; nothing the hub sends ends the process.
 */
export class EdgeModule implements EdgeModuleApi {
  readonly #options: Required<Omit<EdgeModuleOptions, 'metrics' | 'outbox'>>;
  readonly #logger: Logger;
  readonly #abort = new AbortController();
  readonly #desired: Desired;
  readonly #reporter: Reporter;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #methods = new Map<string, MethodHandler>();
  readonly #statusHandlers = new Set<(status: EdgeStatus) => void>();
  readonly #reconnects: CounterMetric;
  readonly #connected: GaugeMetric;
  readonly #ready = Promise.withResolvers<undefined>();
  #status: EdgeStatus = { state: 'connecting', since: new Date().toISOString(), attempts: 0 };
  #session: Session | undefined;
  #loop: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: EdgeModuleOptions) {
    this.#options = {
      env: process.env,
      backoff: { baseMs: 500, capMs: 30_000, resetAfterMs: 30_000 },
      connectTimeoutMs: 30_000,
      requestTimeoutMs: 15_000,
      twinCheckMs: 60_000,
      coalesceMs: 50,
      drainMs: 2000,
      ...options,
    };
    const metrics = options.metrics ?? new Metrics();
    this.#logger = options.logger;
    this.#reporter = new Reporter({
      logger: this.#logger,
      coalesceMs: this.#options.coalesceMs,
      backoff: this.#options.backoff,
    });
    const blobs = new DesiredBlobs({
      logger: this.#logger,
      backoff: this.#options.backoff,
      onState: (state) => void this.#reporter.report({ twinBlobs: state }),
    });
    this.#desired = new Desired(this.#logger, blobs);
    this.#outbox = new Outbox({ logger: this.#logger, metrics, ...options.outbox });
    this.#inbox = new Inbox(this.#logger, metrics);
    this.#reconnects = metrics.counter({
      name: 'vantage_edge_connect_failures_total',
      help: 'Connections lost or not made',
    });
    this.#connected = metrics.gauge({
      name: 'vantage_edge_connections_count',
      help: '1 while connected to the edge hub',
    });
    this.#ready.promise.catch(() => undefined);
  }

  /**
   * Makes a module, starts it and waits for its first connection, however long that takes.
   *
   * @throws VantageError EDGE_ENVIRONMENT_INCOMPLETE at once, EDGE_CLOSED when the signal aborts
   */
  static async connect(options: EdgeModuleOptions & { readonly signal?: AbortSignal }): Promise<EdgeModule> {
    const module = new EdgeModule(options);
    const onAbort = (): void => void module.close();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    if (options.signal?.aborted === true) onAbort();
    module.start();
    try {
      await module.ready();
      return module;
    } catch (error) {
      await module.close();
      throw error;
    } finally {
      options.signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Begins to connect, and to stay connected. Handlers can be registered before and after. Idempotent. */
  start(): void {
    this.#loop ??= this.#run().catch((error: unknown) => {
      this.#logger.error(`the edge hub cannot be used: ${messageOf(error)}`, { code: codeOf(error), error });
      this.#setStatus('closed', messageOf(error), this.#status.attempts);
      this.#ready.reject(error);
    });
  }

  /** Resolves at the first connection, with the twin known. @throws as {@link connect} */
  async ready(): Promise<void> {
    await this.#ready.promise;
  }

  get twin(): TwinView {
    return { desired: this.#desired.value, desiredVersion: this.#desired.version, reported: this.#reporter.known };
  }

  get status(): EdgeStatus {
    return this.#status;
  }

  onDesired(handler: DesiredHandler): Unsubscribe {
    return this.#desired.on(handler);
  }

  onInput(input: string, handler: InputHandler): Unsubscribe {
    return this.#inbox.on(input, handler);
  }

  onMethod(name: string, handler: MethodHandler): void {
    const known = this.#methods.has(name);
    this.#methods.set(name, handler);
    if (!known && this.#session !== undefined) this.#serve(this.#session, name);
  }

  onStatus(handler: (status: EdgeStatus) => void): Unsubscribe {
    this.#statusHandlers.add(handler);
    return () => void this.#statusHandlers.delete(handler);
  }

  send(output: string, body: unknown, properties?: Readonly<Record<string, string>>): Promise<void> {
    return this.#outbox.push(output, body, properties);
  }

  report(patch: TwinObject): Promise<void> {
    return this.#reporter.report(patch);
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#session !== undefined) {
      const drained = Promise.all([this.#outbox.idle(), this.#reporter.idle()]);
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        drained,
        this.#session.lost,
        new Promise((resolve) => (timer = setTimeout(resolve, this.#options.drainMs))),
      ]);
      clearTimeout(timer);
    }
    this.#abort.abort();
    this.#desired.close();
    this.#outbox.close();
    this.#reporter.close();
    this.#ready.reject(edgeClosed());
    this.#session?.fail('closed');
    await this.#loop;
    this.#setStatus('closed', undefined, 0);
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const backoff = new Backoff(this.#options.backoff);
    while (!signal.aborted) {
      const reason = await this.#once(backoff);
      if (signal.aborted) return;
      this.#reconnects.inc();
      const state = this.#status.state === 'connecting' ? 'connecting' : 'reconnecting';
      if (redact(reason) !== this.#status.reason) this.#logger.warn(`no connection to the edge hub: ${reason}`);
      this.#setStatus(state, reason, backoff.failures + 1);
      await backoff.wait(signal);
    }
  }

  /** One connection, from its making to its end; gives the reason of the end. */
  async #once(backoff: Backoff): Promise<string> {
    let session: Session;
    this.#desired.expectFull();
    try {
      session = await Session.open({
        ...this.#options,
        signal: this.#abort.signal,
        onInput: (input, message) => this.#inbox.accept(toInputMessage(input, message)),
        onDesiredPatch: (patch) => this.#onPatch(patch),
      });
    } catch (error) {
      if (VantageError.is(error) && error.code === 'EDGE_ENVIRONMENT_INCOMPLETE') throw error;
      return messageOf(error);
    }
    backoff.healthy();
    this.#attach(session);
    const stopChecking = this.#watchTwin(session);
    const reason = await session.lost;
    stopChecking();
    this.#session = undefined;
    this.#connected.set(0);
    this.#outbox.detach();
    this.#reporter.detach();
    await session.close();
    return reason;
  }

  #attach(session: Session): void {
    this.#session = session;
    this.#connected.set(1);
    for (const name of this.#methods.keys()) this.#serve(session, name);
    this.#desired.full(session.twin.desired);
    this.#inbox.open();
    this.#reporter.attach(session, session.twin.reported);
    this.#outbox.attach(session);
    this.#logger.info('connected to the edge hub', { desiredVersion: this.#desired.version });
    this.#setStatus('connected', this.#status.reason, 0);
    this.#ready.resolve(undefined);
  }

  #onPatch(patch: TwinObject): void {
    if (this.#desired.patch(patch)) return;
    this.#logger.info('a desired patch was missed, the whole twin is read', {
      have: this.#desired.version,
      got: versionOf(patch),
    });
    const session = this.#session;
    if (session === undefined) return;
    this.#desired.expectFull();
    session.fetchTwin().then(
      (twin) => this.#desired.full(twin.desired),
      (error: unknown) => session.fail(`the twin could not be read: ${messageOf(error)}`),
    );
  }

  /**
   * Asks for the twin now and then (contract 0.2): no answer, or news that no patch announced, mean that the hub has
   * forgotten our subscriptions, which only a new client mends.
   */
  #watchTwin(session: Session): () => void {
    let timer: NodeJS.Timeout | undefined;
    const check = async (): Promise<void> => {
      try {
        const before = this.#desired.version;
        const twin = await session.fetchTwin();
        const missed = this.#desired.version === before && versionOf(twin.desired) !== before;
        if (this.#session !== session) return;
        if (missed) {
          this.#desired.full(twin.desired);
          session.fail('the twin changed without a notice');
        } else timer = schedule();
      } catch (error) {
        session.fail(`the twin is deaf: ${messageOf(error)}`);
      }
    };
    const schedule = (): NodeJS.Timeout => setTimeout(() => void check(), this.#options.twinCheckMs);
    timer = schedule();
    return () => clearTimeout(timer);
  }

  #serve(session: Session, name: string): void {
    session.onMethod(name, async (payload) => this.#answer(name, payload));
  }

  async #answer(name: string, payload: unknown): Promise<{ status: number; payload: unknown }> {
    try {
      const handler = this.#methods.get(name);
      const reply: MethodReply = handler === undefined ? { status: 404 } : await handler(payload);
      const text = JSON.stringify(reply.payload ?? null);
      if (Buffer.byteLength(text) > METHOD_LIMIT_BYTES) throw methodReplyTooLarge(METHOD_LIMIT_BYTES);
      // The SDK does not send a status of 0.
      return { status: reply.status === 0 ? 200 : reply.status, payload: reply.payload ?? null };
    } catch (error) {
      this.#logger.error(`method ${name} failed: ${messageOf(error)}`, { code: codeOf(error), error });
      return {
        status: 500,
        payload: redactDeep({ code: codeOf(error) ?? LOGGED_CODES.methodFailed, message: messageOf(error) }),
      };
    }
  }

  #setStatus(state: EdgeState, reason: string | undefined, attempts: number): void {
    const since = state === this.#status.state ? this.#status.since : new Date().toISOString();
    this.#status = { state, since, attempts, ...(reason === undefined ? {} : { reason: redact(reason) }) };
    for (const handler of this.#statusHandlers) handler(this.#status);
  }
}
