import { createHmac } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import mqtt from 'mqtt';
import { isObject } from '@vantage/contracts';

/** Where the devices connect. */
export interface FleetHub {
  readonly mqttPort: number;
  readonly hubHostName: string;
  /** PEM text. */
  readonly ca: string;
}

export interface DeviceIdentity {
  readonly deviceId: string;
  /** Base64. */
  readonly key: string;
}

interface DeviceEvents {
  /** The hub has confirmed what the device reported of this version of its desired properties. */
  applied: [version: number];
  disconnected: [];
}

const TOKEN_SECONDS = 3600;
const RECONNECT_MS = 1000;
/** A hub that does not answer within this time has lost the request. */
const ANSWER_MS = 30_000;

/**
 * One device as light as it can be: an MQTT session over TLS, its twin, telemetry. It reports the version of the
 * desired properties it has (`applied.version`); as an edge device it is its own `$edgeAgent` and reports every module
 * of a deployment as running.
 */
export class SimulatedDevice extends EventEmitter<DeviceEvents> {
  readonly deviceId: string;
  readonly #identity: DeviceIdentity;
  readonly #hub: FleetHub;
  readonly #name: string;
  readonly #isEdge: boolean;
  #client: mqtt.MqttClient | undefined;
  #desired: Record<string, unknown> = {};
  #version = 0;
  #request = 0;
  /** By request id, the version that was reported. */
  readonly #reports = new Map<string, number>();
  #twinWaiter: ((twin: unknown) => void) | undefined;

  constructor(identity: DeviceIdentity, hub: FleetHub, isEdge: boolean) {
    super();
    this.#identity = identity;
    this.#hub = hub;
    this.#isEdge = isEdge;
    this.deviceId = identity.deviceId;
    this.#name = isEdge ? `${identity.deviceId}/$edgeAgent` : identity.deviceId;
  }

  /** Connects, and subscribes to its twin. Later it connects again by itself, with a new token. */
  async connect(): Promise<void> {
    const { mqttPort, hubHostName, ca } = this.#hub;
    const client = mqtt.connect({
      protocol: 'mqtts',
      host: '127.0.0.1',
      servername: 'localhost',
      port: mqttPort,
      ca,
      clientId: this.#name,
      username: `${hubHostName}/${this.#name}/?api-version=2021-04-12&DeviceClientType=vantage-fleet`,
      password: this.#token(),
      clean: false,
      protocolVersion: 4,
      keepalive: 180,
      reconnectPeriod: RECONNECT_MS,
      connectTimeout: ANSWER_MS,
    });
    this.#client = client;
    client.on('message', (topic, payload) => {
      this.#receive(topic, payload);
    });
    client.on('close', () => {
      client.options.password = this.#token();
      this.emit('disconnected');
    });
    await once(client as unknown as EventEmitter, 'connect', { signal: AbortSignal.timeout(ANSWER_MS) });
    // Mistakes of later connections show as `disconnected`.
    client.on('error', () => undefined);
    await client.subscribeAsync(['$iothub/twin/res/#', '$iothub/twin/PATCH/properties/desired/#'], { qos: 0 });
  }

  /** Gets the twin and reports that it has it. */
  async getTwin(): Promise<void> {
    const twin = await new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${this.#name} got no twin within ${ANSWER_MS} ms`));
      }, ANSWER_MS);
      this.#twinWaiter = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
      this.#client?.publish(`$iothub/twin/GET/?$rid=${++this.#request}`, ' ');
    });
    const desired = isObject(twin) && isObject(twin['desired']) ? twin['desired'] : {};
    this.#apply(desired, Number(desired['$version'] ?? 0));
  }

  /** Resolves when the hub has taken the message. */
  async send(body: object): Promise<void> {
    const properties = '%24.ct=application%2Fjson&%24.ce=utf-8';
    const sender = this.#isEdge ? `${this.deviceId}/modules/$edgeAgent` : this.deviceId;
    await this.#client?.publishAsync(`devices/${sender}/messages/events/${properties}`, JSON.stringify(body), {
      qos: 1,
    });
  }

  async close(): Promise<void> {
    this.removeAllListeners();
    await this.#client?.endAsync(true);
  }

  #receive(topic: string, payload: Buffer): void {
    const desired = /^\$iothub\/twin\/PATCH\/properties\/desired\/\?\$version=(\d+)/.exec(topic);
    if (desired !== null) {
      const patch: unknown = JSON.parse(payload.toString());
      this.#apply({ ...this.#desired, ...(isObject(patch) ? patch : {}) }, Number(desired[1]));
      return;
    }
    const answer = /^\$iothub\/twin\/res\/(\d+)\/\?\$rid=([^&]+)/.exec(topic);
    const [, status, requestId = ''] = answer ?? [];
    const reported = this.#reports.get(requestId);
    if (reported !== undefined) {
      this.#reports.delete(requestId);
      if (status === '204') this.emit('applied', reported);
    } else if (status === '200') {
      this.#twinWaiter?.(JSON.parse(payload.toString()));
      this.#twinWaiter = undefined;
    }
  }

  /** An older patch than what is there is no news; one that follows a gap is not simulated. */
  #apply(desired: Record<string, unknown>, version: number): void {
    if (version < this.#version) return;
    this.#desired = desired;
    this.#version = version;
    const requestId = String(++this.#request);
    this.#reports.set(requestId, version);
    const patch = this.#isEdge ? agentReport(desired, version) : { applied: { version } };
    this.#client?.publish(`$iothub/twin/PATCH/properties/reported/?$rid=${requestId}`, JSON.stringify(patch));
  }

  /** For the device itself; it is good for its modules too (contract iot-edge-runtime A.1). */
  #token(): string {
    const audience = encodeURIComponent(`${this.#hub.hubHostName}/devices/${this.deviceId}`);
    const expiry = Math.floor(Date.now() / 1000) + TOKEN_SECONDS;
    const key = Buffer.from(this.#identity.key, 'base64');
    const signature = createHmac('sha256', key).update(`${audience}\n${expiry}`).digest('base64');
    return `SharedAccessSignature sr=${audience}&sig=${encodeURIComponent(signature)}&se=${expiry}`;
  }
}

/** What `$edgeAgent` reports of a deployment that went well (contract iot-edge-runtime C.2). */
function agentReport(desired: Record<string, unknown>, version: number): object {
  const running = (modules: unknown): object =>
    Object.fromEntries(
      Object.entries(isObject(modules) ? modules : {}).map(([id, module]) => [
        id,
        { ...(isObject(module) ? module : {}), runtimeStatus: 'running', exitCode: 0, restartCount: 0 },
      ]),
    );
  const isEmpty = desired['modules'] === undefined;
  return {
    schemaVersion: '1.1',
    lastDesiredVersion: version,
    lastDesiredStatus: isEmpty ? { code: 417, description: 'no deployment yet' } : { code: 200, description: '' },
    modules: running(desired['modules']),
    systemModules: running(desired['systemModules']),
    applied: { version },
  };
}
