import type mqtt from 'mqtt';
import type { EdgeRuntime } from '../src/index.ts';
import { createSasToken } from '../src/hub/sas.ts';
import { moduleKey, next, rawClient } from './harness.ts';

/** Bare MQTT clients for tests of delivery, which want to see and hold back every acknowledgement. */
export async function rawModule(runtime: EdgeRuntime, stateDir: string, moduleId: string): Promise<mqtt.MqttClient> {
  await runtime.moduleEnvironment(moduleId);
  const { deviceId } = runtime;
  const key = moduleKey(stateDir, moduleId);
  const audience = encodeURIComponent(`vantage-hub.local/devices/${deviceId}/modules/${moduleId}`);
  const client = await rawClient(runtime, key, {
    clientId: `${deviceId}/${moduleId}`,
    username: `vantage-hub.local/${deviceId}/${moduleId}/?api-version=2021-04-12`,
    password: createSasToken(audience, key, Math.floor(Date.now() / 1000) + 3600),
  });
  await next(client, 'connect');
  return client;
}

/** Sends to an output; resolves with the PUBACK. */
export async function sendTo(client: mqtt.MqttClient, output: string, body: string | Buffer, bag = ''): Promise<void> {
  const [deviceId = '', moduleId = ''] = String(client.options.clientId).split('/');
  const topic = `devices/${deviceId}/modules/${moduleId}/messages/events/%24.on=${output}${bag}/`;
  await client.publishAsync(topic, body, { qos: 1 });
}

/** What arrives at a bare client; each message is acknowledged when `take` resolves, at once without it. */
export class Inbox {
  readonly bodies: string[] = [];
  readonly topics: string[] = [];
  #wake: () => void = () => undefined;

  constructor(client: mqtt.MqttClient, take: (body: string) => Promise<void> | void = () => undefined) {
    client.handleMessage = (packet, done) => {
      this.topics.push(packet.topic);
      this.bodies.push(String(packet.payload));
      this.#wake();
      void Promise.resolve(take(String(packet.payload))).then(() => {
        done();
      });
    };
    const [deviceId = '', moduleId = ''] = String(client.options.clientId).split('/');
    client.subscribe(`devices/${deviceId}/modules/${moduleId}/inputs/#`, { qos: 1 });
  }

  /** Resolves when so many messages have arrived. */
  async count(count: number): Promise<string[]> {
    while (this.bodies.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.bodies;
  }

  /** Resolves when so many different messages have arrived: a slow machine may acknowledge too late and get one again. */
  async distinct(count: number): Promise<string[]> {
    let known = new Set<string>();
    for (let arrived = count; known.size < count; arrived = this.bodies.length + 1) {
      known = new Set(await this.count(arrived));
    }
    return [...known];
  }
}
