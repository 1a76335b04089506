import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { Backoff, resolveHost, type BackoffOptions, type Logger } from '@vantage/observability';
import { reasonOf } from './reason.ts';

export interface MqttLinkOptions {
  /** `host:port`, with `mqtt://` or `mqtts://` in front where wanted, and a user there. */
  readonly broker: string;
  /** Contract custom-node-and-skills B: the id of the instance. */
  readonly clientId: string;
  readonly backoff?: BackoffOptions;
  readonly connectTimeoutMs?: number;
  /** How long the broker may take to acknowledge a message. Default 10 s. */
  readonly ackTimeoutMs?: number;
  readonly logger: Logger;
}

const DEFAULT_PORT = { mqtt: 1883, mqtts: 8883 } as const;
/** CONNACK: 1 of MQTT 3.1.1, 0x84 of MQTT 5. */
const UNSUPPORTED_VERSION = new Set([1, 0x84]);

/**
 * A connection to a broker that stays, or comes back: MQTT 5 (contract custom-node-and-skills B), and 3.1.1 with a broker that knows
 * no better. Messages are acknowledged (quality of service 1), and sent again when the connection broke meanwhile.
 */
export class MqttLink {
  readonly #options: MqttLinkOptions;
  readonly #abort = new AbortController();
  #version: 5 | 4 = 5;
  #client: MqttClient | undefined;
  #connected = Promise.withResolvers<MqttClient>();
  readonly #onLost = new Set<() => void>();
  #reason = 'connecting';
  #told: string | undefined;
  #running: Promise<void> | undefined;

  constructor(options: MqttLinkOptions) {
    this.#options = options;
  }

  /** `host:port`, without user and password. */
  get place(): string {
    try {
      const { host, port } = parseBroker(this.#options.broker);
      return `${host ?? ''}:${port ?? ''}`;
    } catch {
      return 'a broker whose address cannot be read';
    }
  }

  /** Why there is no connection; undefined while there is one. */
  get problem(): string | undefined {
    return this.#client ? undefined : this.#reason;
  }

  /** Idempotent. */
  start(): void {
    this.#running ??= this.#run();
  }

  /**
   * Resolves when the broker has the message, however long the connection takes.
   *
   * @throws Error when the broker refuses the message or does not acknowledge it, or the signal aborts
   */
  async publish(topic: string, text: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const client = await until(this.#connected.promise, signal);
      if ((await this.#attempt(client, topic, text, signal)) === 'sent') return;
    }
  }

  /** `lost`: the connection broke, and whether the broker has the message is unknown. */
  #attempt(client: MqttClient, topic: string, text: string, signal: AbortSignal): Promise<'sent' | 'lost'> {
    const limitMs = this.#options.ackTimeoutMs ?? 10_000;
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.#onLost.delete(onLost);
        signal.removeEventListener('abort', onAbort);
        settle();
      };
      const onLost = (): void => finish(() => resolve('lost'));
      const onAbort = (): void => finish(() => reject(new Error('it was stopped')));
      const timer = setTimeout(() => {
        finish(() => reject(new Error(`the broker did not acknowledge a message within ${limitMs} ms`)));
        // Whatever the matter is, this connection does not carry messages.
        client.end(true);
      }, limitMs);
      this.#onLost.add(onLost);
      signal.addEventListener('abort', onAbort, { once: true });
      client.publish(topic, text, { qos: 1 }, (error) => {
        if (!error) finish(() => resolve('sent'));
        // Otherwise the end of the connection is near, and says so itself.
        else if (client.connected) finish(() => reject(new Error(reasonOf(error), { cause: error })));
      });
    });
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#client?.end(false);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const backoff = new Backoff({ baseMs: 500, capMs: 30_000, resetAfterMs: 30_000, ...this.#options.backoff });
    do {
      const refused = await this.#session(() => backoff.healthy());
      this.#tell();
      if (refused !== undefined && UNSUPPORTED_VERSION.has(refused) && this.#version === 5) {
        this.#version = 4;
        this.#options.logger.info(`${this.place} does not know MQTT 5; 3.1.1 is spoken`);
        await this.#session(() => backoff.healthy());
      }
    } while (!signal.aborted && (await backoff.wait(signal)));
    this.#connected.promise.catch(() => undefined);
    this.#connected.reject(new Error('it was stopped'));
  }

  /** One connection, to its end. @returns the code with which the broker refused it, if it did */
  async #session(onConnect: () => void): Promise<number | undefined> {
    if (this.#abort.signal.aborted) return undefined;
    let refused: number | undefined;
    let client: MqttClient;
    try {
      client = connect(this.#connectOptions());
    } catch (error) {
      this.#reason = reasonOf(error);
      return undefined;
    }
    await new Promise<void>((resolve) => {
      const onAbort = (): void => void client.end(true);
      this.#abort.signal.addEventListener('abort', onAbort, { once: true });
      client.on('connect', () => {
        onConnect();
        this.#told = undefined;
        this.#reason = 'the connection was lost';
        this.#client = client;
        this.#connected.resolve(client);
      });
      client.on('error', (error) => {
        const { code } = error as { code?: unknown };
        if (typeof code === 'number') refused = code;
        this.#reason = reasonOf(error);
      });
      client.on('disconnect', ({ reasonCode }) => {
        this.#reason = `the broker ended the connection${reasonCode === undefined ? '' : ` (reason ${reasonCode})`}`;
      });
      client.once('close', () => {
        this.#abort.signal.removeEventListener('abort', onAbort);
        if (this.#client === client) {
          this.#client = undefined;
          this.#connected = Promise.withResolvers();
          for (const tell of [...this.#onLost]) tell();
        }
        resolve();
      });
    });
    client.end(true);
    return refused;
  }

  /** Said once, until it is something else. */
  #tell(): void {
    if (this.#abort.signal.aborted || this.#reason === this.#told) return;
    this.#told = this.#reason;
    this.#options.logger.warn(`no connection to ${this.place}: ${this.#reason}`, { code: 'EXPORT_UNREACHABLE' });
  }

  #connectOptions(): IClientOptions {
    const { broker, clientId, connectTimeoutMs = 10_000 } = this.#options;
    return {
      ...parseBroker(broker),
      clientId,
      clean: true,
      protocolVersion: this.#version,
      connectTimeout: connectTimeoutMs,
      // Coming back is this class's business, with the house's one back-off.
      reconnectPeriod: 0,
      keepalive: 30,
      queueQoSZero: false,
    };
  }
}

function parseBroker(broker: string): IClientOptions {
  const match = /^(?:(mqtts?|tcp|ssl):\/\/)?(?:([^\s/@]*)@)?(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+)(?::(\d{1,5}))?\/?$/i.exec(
    broker.trim(),
  );
  if (!match) throw new Error('the broker is not host:port');
  const [, scheme = 'mqtt', user, host = '', portText] = match;
  const protocol = /^(?:mqtts|ssl)$/i.test(scheme) ? 'mqtts' : 'mqtt';
  const port = portText === undefined ? DEFAULT_PORT[protocol] : Number(portText);
  const place = resolveHost(host, port);
  const [username, password] = (user ?? '').split(/:(.*)/s).map(decodeURIComponent);
  return {
    protocol,
    host: place.host.replace(/^\[|\]$/g, ''),
    port: place.port,
    ...(user === undefined ? {} : { username: username ?? '', ...(password === undefined ? {} : { password }) }),
  };
}

/** The promise's outcome, or an error as soon as the signal aborts. */
function until<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new Error('it was stopped'));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
