import { createRequire } from 'node:module';
import type { AuthenticationProvider } from 'azure-iot-common';
import type { DeviceClientOptions, TwinProperties } from 'azure-iot-device';
import deviceMqtt from 'azure-iot-device-mqtt';
import mqttBase from 'azure-iot-mqtt-base';
import { messageOf, type TwinObject } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { LOGGED_CODES, twinStatus } from './errors.ts';

export interface TwinDocument {
  readonly desired: TwinObject;
  readonly reported: TwinObject;
}

/** What we use of the mqtt.js client inside the SDK. */
interface MqttJsClient {
  end(force: boolean, ...rest: unknown[]): unknown;
  /** Callbacks of what is not acknowledged, by message id. */
  readonly outgoing: object;
  readonly stream?: { destroy(): void };
}

/** The mqtt.js that the SDK itself would load, which is not the version the rest of the house has. */
const mqtt = createRequire(createRequire(import.meta.url).resolve('azure-iot-mqtt-base'))('mqtt') as {
  connect(uri: string, options: object): MqttJsClient;
};

interface Ending {
  hurry: boolean;
  client: MqttJsClient | undefined;
}

/**
 * The SDK's MQTT connection, made safe against what arrives on it (contract iot-edge-runtime 0.6): the SDK parses
 * messages inside the event, so one malformed message would end the process, and it ignores the status of twin
 * answers, so an empty 4xx answer reads as success or as a TypeError.
 */
class GuardedMqttBase extends mqttBase.MqttBase {
  readonly #logger: Logger;
  readonly #ending: Ending;

  constructor(logger: Logger) {
    const ending: Ending = { hurry: false, client: undefined };
    super({
      connect: (uri: string, options: object) => {
        const client = mqtt.connect(uri, options);
        const end = client.end.bind(client);
        client.end = (force, ...rest) =>
          end(force || (ending.hurry && Object.keys(client.outgoing).length > 0), ...rest);
        ending.client = client;
        return client;
      },
    });
    this.#ending = ending;
    this.#logger = logger;
  }

  /**
   * From now on an end does not wait for PUBACKs that may never come; mqtt.js would, for ever. Not for the SDK's own
   * token renewal, which ends and reconnects, and must wait for them.
   */
  hurry(): void {
    this.#ending.hurry = true;
  }

  destroy(): void {
    this.#ending.client?.stream?.destroy();
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event !== 'message') return super.emit(event, ...args);
    const [topic, payload] = args as [string, Buffer];
    try {
      return super.emit(event, topic, withErrorBody(topic, payload));
    } catch (error) {
      this.#logger.error(`a message from the hub could not be read: ${messageOf(error)}`, {
        code: LOGGED_CODES.messageUnreadable,
        topic,
      });
      return true;
    }
  }
}

const TWIN_ERROR = /^\$iothub\/twin\/res\/([4-9]\d\d)\//;

/** The answer with the body that the SDK recognises as an error, when the topic says that it is one. */
function withErrorBody(topic: string, payload: Buffer): Buffer {
  const status = TWIN_ERROR.exec(topic)?.[1];
  if (status === undefined) return payload;
  return Buffer.from(JSON.stringify({ errorCode: Number(status), message: `[${status}] ${textOf(payload)}` }));
}

function textOf(payload: Buffer): string {
  const text = payload.toString();
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'message' in body && typeof body.message === 'string')
      return body.message;
  } catch {
    return text.slice(0, 200);
  }
  return text.slice(0, 200);
}

/** A request that the SDK never calls back when its answer is lost. */
type Callback<T> = (error?: Error | null, result?: T) => void;

/**
 * The SDK's MQTT transport with three catches closed: options add up instead of replacing each other, which would
 * drop the CA (0.7); methods nobody registered are answered 404 instead of never; and twin requests as promises.
 *
 * The twin is used at this level, which is the one `ModuleClient` itself calls, because the SDK's `Twin` merges
 * arrays index by index (0.3).
 */
export class EdgeTransport extends deviceMqtt.Mqtt {
  readonly #base: GuardedMqttBase;
  #options: DeviceClientOptions = {};

  constructor(authentication: AuthenticationProvider, logger: Logger) {
    const base = new GuardedMqttBase(logger);
    super(authentication, base);
    this.#base = base;
  }

  /** The coming disconnect is the last one and has to be over soon. */
  hurry(): void {
    this.#base.hurry();
  }

  /** Drops the connection, whatever state it is in. The client around it is of no use afterwards. */
  destroy(): void {
    this.#base.destroy();
  }

  override setOptions(options: DeviceClientOptions, done?: (error?: Error, result?: unknown) => void): void {
    this.#options = { ...this.#options, ...options };
    super.setOptions(this.#options, done);
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const handled = super.emit(event, ...args);
    if (!handled && typeof event === 'string' && event.startsWith('method_')) this.#refuseMethod(event, args[0]);
    return handled;
  }

  async subscribeDesired(onPatch: (patch: TwinObject) => void): Promise<void> {
    this.on('twinDesiredPropertiesUpdate', onPatch);
    await promised<undefined>((done) => this.enableTwinDesiredPropertiesUpdates(done));
  }

  /** @throws VantageError EDGE_TWIN_STATUS. Never settles when the answer is lost: guard it with a time limit. */
  async fetchTwin(): Promise<TwinDocument> {
    const twin = await promised<TwinProperties>((done) => this.getTwin(done)).catch(asTwinStatus);
    return { desired: twin?.desired ?? {}, reported: twin?.reported ?? {} };
  }

  /** @throws as {@link fetchTwin} */
  async patchReported(patch: TwinObject): Promise<void> {
    await promised<undefined>((done) => this.updateTwinReportedProperties(patch, done)).catch(asTwinStatus);
  }

  #refuseMethod(event: string, request: unknown): void {
    const requestId = (request as { requestId?: unknown } | undefined)?.requestId;
    if (typeof requestId !== 'string') return;
    const name = event.slice('method_'.length);
    const response = {
      requestId,
      status: 404,
      payload: { code: LOGGED_CODES.methodUnknown, message: `there is no method "${name}"` },
    };
    this.sendMethodResponse(response as Parameters<deviceMqtt.Mqtt['sendMethodResponse']>[0], () => undefined);
  }
}

async function promised<T>(call: (done: Callback<T>) => void): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    call((error, result) => {
      if (error === undefined || error === null) resolve(result);
      else reject(error);
    });
  });
}

function asTwinStatus(error: unknown): never {
  const match = /^\[(\d{3})\] (.*)$/s.exec(messageOf(error));
  throw match === null ? error : twinStatus(Number(match[1]), match[2] ?? '');
}
