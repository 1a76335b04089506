import type { Logger } from '@vantage/observability';
import type { QueueStatus } from '../api/control-status.ts';
import type { Delivery, MessageStore, StoredMessage } from '../state/message-store.ts';
import type { Connections } from './connections.ts';
import { deliveryBag } from './message.ts';
import { inputTopic } from './topics.ts';

/** How long a client may take to acknowledge before the message is sent again. */
export const ACK_TIMEOUT_MS = 30_000;
const EXPIRY_SWEEP_MS = 60_000;

interface Item {
  readonly stored: StoredMessage;
  readonly delivery: Delivery;
}

interface ModuleQueue {
  /** Waiting items by priority; within one priority in the order they came. */
  readonly lanes: Map<number, Item[]>;
  inFlight: { readonly item: Item; readonly token: number; readonly timer: NodeJS.Timeout } | undefined;
}

/**
 * Brings stored messages to the inputs of modules (contract iot-edge-runtime B.4): in order, by priority, one on the
 * wire per module until its PUBACK, kept while the module is away, dropped when its time to live is over.
 *
 * The number of waiting messages is bounded by the store, which refuses new ones at its limit.
 */
export class DeliveryQueues {
  readonly #store: MessageStore;
  readonly #connections: Connections;
  readonly #logger: Logger;
  readonly #queues = new Map<string, ModuleQueue>();
  #sweep: NodeJS.Timeout | undefined;
  #expired = 0;
  #delivered = 0;

  constructor(store: MessageStore, connections: Connections, logger: Logger) {
    this.#store = store;
    this.#connections = connections;
    this.#logger = logger;
  }

  /** Counts since the start, and what waits now. */
  get counts(): { readonly delivered: number; readonly expired: number; readonly waiting: number } {
    let waiting = 0;
    for (const queue of this.#queues.values()) {
      for (const lane of queue.lanes.values()) waiting += lane.length;
      if (queue.inFlight !== undefined) waiting += 1;
    }
    return { delivered: this.#delivered, expired: this.#expired, waiting };
  }

  /** What waits, by endpoint. */
  queues(): QueueStatus[] {
    const counts = new Map<string, number>();
    const count = ({ delivery }: Item): void => {
      counts.set(delivery.endpoint, (counts.get(delivery.endpoint) ?? 0) + 1);
    };
    for (const { lanes, inFlight } of this.#queues.values()) {
      for (const lane of lanes.values()) lane.forEach(count);
      if (inFlight !== undefined) count(inFlight.item);
    }
    return [...counts].map(([endpoint, waiting]) => ({ endpoint, waiting }));
  }

  start(waiting: readonly StoredMessage[]): void {
    for (const stored of waiting) this.enqueue(stored);
    this.#sweep = setInterval(() => {
      this.#dropExpired();
    }, EXPIRY_SWEEP_MS);
    this.#sweep.unref();
  }

  stop(): void {
    clearInterval(this.#sweep);
    for (const queue of this.#queues.values()) clearTimeout(queue.inFlight?.timer);
    this.#queues.clear();
  }

  /** Takes a message that the store has. */
  enqueue(stored: StoredMessage): void {
    for (const delivery of stored.deliveries) {
      const { name } = parseEndpoint(delivery.endpoint);
      const queue = this.#queue(name);
      const lane = queue.lanes.get(delivery.priority) ?? [];
      queue.lanes.set(delivery.priority, lane);
      lane.push({ stored, delivery });
      this.pump(name);
    }
  }

  /** Sends the next message to a module if it can take one. `name`: `D/M`. */
  pump(name: string): void {
    const queue = this.#queues.get(name);
    if (queue === undefined || queue.inFlight !== undefined) return;
    if (this.#connections.get(name)?.ready.has('inputs') !== true) return;
    const item = this.#next(queue);
    if (item !== undefined) this.#send(name, queue, item);
  }

  /** The client acknowledged a packet. */
  acknowledged(name: string, token: number): void {
    const queue = this.#queues.get(name);
    if (queue?.inFlight?.token !== token) return;
    const { item, timer } = queue.inFlight;
    clearTimeout(timer);
    queue.inFlight = undefined;
    this.#delivered += 1;
    this.#store.settle(item.stored.sequence, item.delivery.endpoint);
    this.pump(name);
  }

  /** The client is gone: what it did not acknowledge goes back to the head of its queue. */
  disconnected(name: string): void {
    const queue = this.#queues.get(name);
    if (queue?.inFlight === undefined) return;
    clearTimeout(queue.inFlight.timer);
    putBack(queue, queue.inFlight.item);
    queue.inFlight = undefined;
  }

  /** The module is gone for good: nothing waits for it any longer. */
  forget(name: string): void {
    this.disconnected(name);
    for (const lane of this.#queues.get(name)?.lanes.values() ?? []) {
      for (const item of lane) this.#store.settle(item.stored.sequence, item.delivery.endpoint);
    }
    this.#queues.delete(name);
  }

  #send(name: string, queue: ModuleQueue, item: Item): void {
    const { deviceId, moduleId, input } = parseEndpoint(item.delivery.endpoint);
    const { message } = item.stored;
    const topic = inputTopic(deviceId, moduleId, input, deliveryBag(message));
    const token = this.#connections.send(name, topic, message.body, 1);
    if (token === undefined) {
      putBack(queue, item);
      return;
    }
    const timer = setTimeout(() => {
      this.#logger.warn('a message was not acknowledged in time; it is sent again', {
        module: name,
        endpoint: item.delivery.endpoint,
      });
      if (queue.inFlight?.token !== token) return;
      putBack(queue, item);
      queue.inFlight = undefined;
      this.pump(name);
    }, ACK_TIMEOUT_MS);
    queue.inFlight = { item, token, timer };
  }

  #next(queue: ModuleQueue): Item | undefined {
    for (const priority of [...queue.lanes.keys()].sort((a, b) => a - b)) {
      const lane = queue.lanes.get(priority) ?? [];
      for (let item = lane.shift(); item !== undefined; item = lane.shift()) {
        if (!this.#isExpired(item)) {
          if (lane.length === 0) queue.lanes.delete(priority);
          return item;
        }
        this.#expire(item);
      }
      queue.lanes.delete(priority);
    }
    return undefined;
  }

  #dropExpired(): void {
    for (const queue of this.#queues.values()) {
      for (const [priority, lane] of queue.lanes) {
        const kept = lane.filter((item) => !this.#isExpired(item));
        if (kept.length === lane.length) continue;
        for (const item of lane) if (this.#isExpired(item)) this.#expire(item);
        queue.lanes.set(priority, kept);
      }
    }
  }

  #isExpired(item: Item): boolean {
    return item.delivery.expiresAtMs !== null && item.delivery.expiresAtMs <= Date.now();
  }

  #expire(item: Item): void {
    this.#expired += 1;
    this.#store.settle(item.stored.sequence, item.delivery.endpoint);
  }

  #queue(name: string): ModuleQueue {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const queue: ModuleQueue = { lanes: new Map(), inFlight: undefined };
    this.#queues.set(name, queue);
    return queue;
  }
}

function putBack(queue: ModuleQueue, item: Item): void {
  const lane = queue.lanes.get(item.delivery.priority) ?? [];
  queue.lanes.set(item.delivery.priority, lane);
  lane.unshift(item);
}

function parseEndpoint(endpoint: string): { name: string; deviceId: string; moduleId: string; input: string } {
  const [deviceId = '', moduleId = '', ...input] = endpoint.split('/');
  return { name: `${deviceId}/${moduleId}`, deviceId, moduleId, input: input.join('/') };
}
