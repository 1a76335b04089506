import type { Message, ModuleClient } from 'azure-iot-device';
import device from 'azure-iot-device';
import { messageOf, type TwinObject } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import type { EdgeTransport, TwinDocument } from './edge-transport.ts';
import { connectionLost, timedOut } from './errors.ts';
import { createModuleClient } from './module-client.ts';

export interface SessionOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly onInput: (input: string, message: Message) => void;
  readonly onDesiredPatch: (patch: TwinObject) => void;
}

export interface OutboundMessage {
  readonly output: string;
  readonly body: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly contentType: 'application/json';
}

const CLOSE_TIMEOUT_MS = 2000;

/**
 * One connection: a `ModuleClient` from its connect to its first trouble. It never reconnects: the SDK forgets twin
 * subscriptions when it does (contract iot-edge-runtime 0.2), so a broken session is replaced by a new one.
 */
export class Session {
  /** The twin as it was when the session opened, read after the subscription to changes: none is missed. */
  readonly twin: TwinDocument;
  /** Resolves with the reason when the session is over. */
  readonly lost: Promise<string>;
  readonly #link: Link;

  private constructor(link: Link, twin: TwinDocument) {
    this.#link = link;
    this.twin = twin;
    this.lost = link.lost;
  }

  /** @throws the real cause of a failure, not the SDK's "not authorized" around it (0.4) */
  static async open(options: SessionOptions): Promise<Session> {
    const { client, transport } = await createModuleClient(options.env, options.logger);
    const link = new Link(client, transport, options);
    try {
      await link.connect();
      await link.bounded('subscription to desired properties', transport.subscribeDesired(options.onDesiredPatch));
      const twin = await link.bounded('the twin', transport.fetchTwin());
      return new Session(link, twin);
    } catch (error) {
      await link.close('could not be opened');
      throw error;
    }
  }

  async fetchTwin(): Promise<TwinDocument> {
    return this.#link.bounded('the twin', this.#link.transport.fetchTwin());
  }

  async patchReported(patch: TwinObject): Promise<void> {
    await this.#link.bounded('the reported patch', this.#link.transport.patchReported(patch));
  }

  /** Resolves at the PUBACK. The SDK's own limit for it is 30 s. */
  async send(outbound: OutboundMessage): Promise<void> {
    const message = new device.Message(outbound.body);
    message.contentType = outbound.contentType;
    message.contentEncoding = 'utf-8';
    for (const [key, value] of Object.entries(outbound.properties)) message.properties.add(key, value);
    await this.#link.unlessLost(this.#link.client.sendOutputEvent(outbound.output, message));
  }

  /** @param answer gives status and payload; never throws */
  onMethod(name: string, answer: (payload: unknown) => Promise<{ status: number; payload: unknown }>): void {
    this.#link.client.onMethod(name, (request, response) => {
      if (request === undefined || response === undefined) return;
      void answer(request.payload)
        .then(async ({ status, payload }) => response.send(status, payload))
        .catch(() => undefined);
    });
  }

  /** Ends the session for a reason that the connection itself does not know. */
  fail(reason: string): void {
    this.#link.fail(reason);
  }

  async close(): Promise<void> {
    await this.#link.close('closed');
  }
}

/** A client with one end: whatever goes wrong first is the reason. */
class Link {
  readonly client: ModuleClient;
  readonly transport: EdgeTransport;
  readonly lost: Promise<string>;
  readonly fail: (reason: string) => void;
  readonly #options: SessionOptions;
  #closing: Promise<void> | undefined;

  constructor(client: ModuleClient, transport: EdgeTransport, options: SessionOptions) {
    this.client = client;
    this.transport = transport;
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.lost = promise;
    this.fail = resolve;
    client.on('error', (error: Error) => resolve(realCause(error)));
    client.on('disconnect', (result?: { transportObj?: unknown }) => resolve(reasonOf(result)));
  }

  /**
   * Connects by subscribing to the inputs, so that the listener stands when the hub hands over what it kept: the SDK
   * acknowledges those messages whether anybody listens or not.
   */
  async connect(): Promise<void> {
    const connected = new Promise<void>((resolve) => void this.client.once('connect', () => resolve()));
    this.client.on('inputMessage', this.#options.onInput);
    await this.#limited('the connection', connected, this.#options.connectTimeoutMs);
  }

  async bounded<T>(what: string, work: Promise<T>): Promise<T> {
    return this.#limited(what, work, this.#options.requestTimeoutMs);
  }

  async unlessLost<T>(work: Promise<T>): Promise<T> {
    return Promise.race([
      work,
      this.lost.then((reason): never => {
        throw connectionLost(reason);
      }),
    ]);
  }

  async close(reason: string): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: string): Promise<void> {
    this.fail(reason);
    this.transport.hurry();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)));
    const closed = this.client.close().then(
      () => undefined,
      (error: unknown) => this.#options.logger.debug(`closing the client failed: ${messageOf(error)}`),
    );
    await Promise.race([closed, late]);
    clearTimeout(timer);
    this.transport.destroy();
  }

  async #limited<T>(what: string, work: Promise<T>, timeoutMs: number): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(timedOut(what, timeoutMs)), timeoutMs);
    const onAbort = (): void => reject(connectionLost('closed'));
    this.#options.signal.addEventListener('abort', onAbort, { once: true });
    if (this.#options.signal.aborted) onAbort();
    try {
      return await Promise.race([this.unlessLost(work), promise]);
    } finally {
      clearTimeout(timer);
      this.#options.signal.removeEventListener('abort', onAbort);
    }
  }
}

function reasonOf(result: { transportObj?: unknown } | undefined): string {
  return result?.transportObj instanceof Error ? realCause(result.transportObj) : 'disconnected';
}

/** The SDK says "Failure on first connection (Not authorized): <cause>" for every cause (0.4). */
export function realCause(error: Error): string {
  const match = /Failure on first connection \(Not authorized\): (.*)$/s.exec(error.message);
  return match === null ? error.message : (match[1] ?? '').replace(/ error$/, '');
}
