import { once, type EventEmitter } from 'node:events';
import mqtt from 'mqtt';
import { median, type Bench } from './bench.ts';
import { startBroker, type Broker, type BrokerInfo, type ClientLogin } from './brokers/broker.ts';

const ROUNDS = 5;
const WARM_UP = 1000;
const MESSAGES = 4000;
const BODY_BYTES = 1024;
/** Messages that the sender has out without PUBACK; the same on both sides. */
const WINDOW = 50;

/** P7: QoS 1 telemetry through route and store to another module's input, against a broker that only forwards. */
export const routedTelemetry: Bench = {
  id: 'P7',
  title: '1 kB QoS 1 telemetry through route and store, against bare aedes with persistence in memory',
  unit: 'messages/s',
  goal: 0.6,
  better: 'higher',
  async run(note) {
    const hub = await Wire.open('hub-process.ts');
    const bare = await Wire.open('aedes-process.ts');
    try {
      const ours: Round[] = [];
      const reference: Round[] = [];
      await hub.send(WARM_UP);
      await bare.send(WARM_UP);
      for (let round = 1; round <= ROUNDS; round++) {
        // In turns, and each first as often as the other.
        const order = round % 2 === 0 ? [hub, bare] : [bare, hub];
        for (const wire of order) (wire === hub ? ours : reference).push(await wire.send(MESSAGES));
        note(
          `round ${round}: ours ${ours.at(-1)?.rate.toFixed(0)}, aedes ${reference.at(-1)?.rate.toFixed(0)} messages/s`,
        );
      }
      const of = (rounds: readonly Round[], key: keyof Round): number => median(rounds.map((round) => round[key]));
      return {
        ours: of(ours, 'rate'),
        reference: of(reference, 'rate'),
        extra: {
          p99Ms: Math.round(of(ours, 'p99Ms') * 10) / 10,
          referenceP99Ms: Math.round(of(reference, 'p99Ms') * 10) / 10,
        },
      };
    } finally {
      await hub.close();
      await bare.close();
    }
  },
};

interface Round {
  /** Messages a second, from the first sent to the last received. */
  readonly rate: number;
  /** From publish to receipt. */
  readonly p99Ms: number;
}

/** A sender and a receiver on one broker. */
class Wire {
  readonly #broker: Broker;
  readonly #sender: mqtt.MqttClient;
  readonly #receiver: mqtt.MqttClient;

  private constructor(broker: Broker, sender: mqtt.MqttClient, receiver: mqtt.MqttClient) {
    this.#broker = broker;
    this.#sender = sender;
    this.#receiver = receiver;
  }

  static async open(program: Parameters<typeof startBroker>[0]): Promise<Wire> {
    const broker = await startBroker(program);
    const { info } = broker;
    const receiver = await connect(info, info.receiver);
    await receiver.subscribeAsync(info.receiver.filter, { qos: 1 });
    return new Wire(broker, await connect(info, info.sender), receiver);
  }

  /** Sends so many messages with {@link WINDOW} under way, and waits until each has arrived once. */
  async send(count: number): Promise<Round> {
    const sentAt = new Float64Array(count);
    const latencies: number[] = [];
    const seen = new Uint8Array(count);
    const arrived = new Promise<void>((resolve) => {
      this.#receiver.on('message', (_, payload) => {
        const index = payload.readUInt32LE(0);
        if (seen[index] !== 0) return;
        seen[index] = 1;
        latencies.push(performance.now() - (sentAt[index] ?? 0));
        if (latencies.length === count) resolve();
      });
    });
    const started = performance.now();
    let next = 0;
    const stream = async (): Promise<void> => {
      while (next < count) {
        const body = Buffer.alloc(BODY_BYTES, 'x');
        body.writeUInt32LE(next, 0);
        sentAt[next] = performance.now();
        next += 1;
        await this.#sender.publishAsync(this.#broker.info.sender.topic, body, { qos: 1 });
      }
    };
    await Promise.all([...Array.from({ length: WINDOW }, stream), arrived]);
    const rate = (count * 1000) / (performance.now() - started);
    this.#receiver.removeAllListeners('message');
    latencies.sort((a, b) => a - b);
    return { rate, p99Ms: latencies[Math.floor(count * 0.99)] ?? Number.NaN };
  }

  async close(): Promise<void> {
    await Promise.all([this.#sender.endAsync(true), this.#receiver.endAsync(true)]);
    await this.#broker.stop();
  }
}

async function connect(
  { port, ca }: BrokerInfo,
  { clientId, username, password }: ClientLogin,
): Promise<mqtt.MqttClient> {
  const client = mqtt.connect({
    protocol: 'mqtts',
    host: '127.0.0.1',
    servername: 'localhost',
    port,
    ca,
    clientId,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    clean: false,
    protocolVersion: 4,
    reconnectPeriod: 0,
  });
  await once(client as unknown as EventEmitter, 'connect');
  return client;
}
