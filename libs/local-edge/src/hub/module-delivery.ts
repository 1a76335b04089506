import { Backoff, type Logger } from '@vantage/observability';
import type { Faults } from '../faults/faults.ts';
import type { Copy, Waiting } from '../state/message-rows.ts';
import type { MessageStore } from '../state/message-store.ts';
import type { Connection, Connections } from './connections.ts';
import { deliveryBag } from './message.ts';
import type { MessageCounts } from './message-counts.ts';
import { inputTopic } from './topics.ts';
import { WaitingLanes } from './waiting-lanes.ts';

export interface ModuleDeliveryOptions {
  readonly store: MessageStore;
  readonly connections: Pick<Connections, 'get' | 'send'>;
  readonly faults: Faults;
  readonly counts: MessageCounts;
  readonly logger: Logger;
  /** How long a module may take to acknowledge before the message counts as failed, milliseconds. */
  readonly ackTimeoutMs: number;
}

interface InFlight {
  readonly item: Waiting;
  readonly connection: Connection;
  readonly token: number;
  readonly timer: NodeJS.Timeout;
}

interface ModuleQueue {
  readonly lanes: WaitingLanes;
  readonly backoff: Backoff;
  inFlight: InFlight | undefined;
  /** Runs while the module rests after a failure. */
  retry: NodeJS.Timeout | undefined;
  /** What failed last, and the tokens it was sent under: an acknowledgement that comes late counts all the same. */
  late: { readonly item: Waiting; readonly tokens: Set<number> } | undefined;
}

/**
 * Brings stored messages to the inputs of modules (contract iot-edge-runtime B.4): the most urgent queue first and
 * each in order, one message on the wire per module until its PUBACK, kept while the module is away. After a failure the
 * module rests for a while that grows from one second to a minute, and gets the same message again; a new connection
 * ends the rest.
 */
export class ModuleDelivery {
  readonly #options: ModuleDeliveryOptions;
  readonly #queues = new Map<string, ModuleQueue>();
  #stopped = false;

  constructor(options: ModuleDeliveryOptions) {
    this.#options = options;
  }

  /** Something waits in the store from the last run. */
  resume(target: string, priority: number): void {
    this.#queue(target).lanes.resume(priority);
  }

  stop(): void {
    this.#stopped = true;
    for (const queue of this.#queues.values()) {
      clearTimeout(queue.inFlight?.timer);
      clearTimeout(queue.retry);
    }
    this.#queues.clear();
  }

  /** Takes a copy that the store has. */
  enqueue(item: Waiting): void {
    if (this.#stopped) return;
    this.#queue(item.target).lanes.add(item);
    this.#pump(item.target);
  }

  /** The module takes messages on a connection from now on. `name`: `D/M`. */
  ready(name: string): void {
    const queue = this.#queues.get(name);
    if (queue === undefined) return;
    queue.backoff.reset();
    clearTimeout(queue.retry);
    queue.retry = undefined;
    this.#pump(name);
  }

  /** The client acknowledged a packet. */
  acknowledged(name: string, token: number): void {
    const queue = this.#queues.get(name);
    if (queue === undefined) return;
    const late = queue.late?.tokens.has(token) === true ? queue.late.item : undefined;
    const { inFlight } = queue;
    if (inFlight?.token === token || (late !== undefined && inFlight?.item.id === late.id)) {
      clearTimeout(inFlight?.timer);
      queue.inFlight = undefined;
    } else if (late !== undefined) queue.lanes.drop(late.id, late.priority);
    const item = late ?? (inFlight?.token === token ? inFlight.item : undefined);
    if (item === undefined) return;
    queue.late = undefined;
    this.#options.counts.delivered(item);
    this.#options.store.settle([item]);
    this.ready(name);
  }

  /** The client is gone: what it did not acknowledge goes back to the head of its queue. */
  disconnected(name: string): void {
    const queue = this.#queues.get(name);
    if (queue === undefined) return;
    queue.late = undefined;
    this.#takeBack(queue);
  }

  /** The module is gone for good. */
  forget(name: string): void {
    const queue = this.#queues.get(name);
    clearTimeout(queue?.inFlight?.timer);
    clearTimeout(queue?.retry);
    this.#queues.delete(name);
  }

  /** Takes a copy out that is too old; false when it is on the wire just now. */
  drop({ id, target, priority }: Copy): boolean {
    const queue = this.#queues.get(target);
    if (queue?.inFlight?.item.id === id) return false;
    queue?.lanes.drop(id, priority);
    return true;
  }

  /** Sends the next message to a module if it can take one. */
  #pump(name: string): void {
    const queue = this.#queues.get(name);
    const connection = this.#options.connections.get(name);
    if (queue === undefined || queue.retry !== undefined || connection?.ready.has('inputs') !== true) return;
    // A connection that was taken over ends without a word.
    if (queue.inFlight !== undefined && queue.inFlight.connection !== connection) this.disconnected(name);
    if (queue.inFlight !== undefined) return;
    for (let item = queue.lanes.take(); item !== undefined; item = queue.lanes.take()) {
      if (item.expiresAtMs === null || item.expiresAtMs > this.#options.faults.now()) {
        this.#send(queue, item, connection);
        return;
      }
      this.#options.counts.expired(item);
      this.#options.store.settle([item]);
    }
  }

  #send(queue: ModuleQueue, item: Waiting, connection: Connection): void {
    const { connections, ackTimeoutMs } = this.#options;
    const { name, deviceId, moduleId } = connection;
    const input = item.endpoint.slice(name.length + 1);
    const token = connections.send(
      name,
      inputTopic(deviceId, moduleId, input, deliveryBag(item.message)),
      item.message.body,
      1,
    );
    if (token === undefined) {
      queue.lanes.putBack(item);
      return;
    }
    const timer = setTimeout(() => {
      this.#failed(name, queue);
    }, ackTimeoutMs);
    queue.inFlight = { item, connection, token, timer };
  }

  #failed(name: string, queue: ModuleQueue): void {
    if (queue.inFlight === undefined) return;
    const { item, token } = queue.inFlight;
    if (queue.late?.item.id !== item.id) queue.late = { item, tokens: new Set() };
    queue.late.tokens.add(token);
    this.#takeBack(queue);
    const restMs = Math.round(queue.backoff.next());
    this.#options.counts.retried(item);
    this.#options.logger.warn('a message was not acknowledged in time; it is sent again', {
      module: name,
      endpoint: item.endpoint,
      inMs: restMs,
    });
    queue.retry = setTimeout(() => {
      queue.retry = undefined;
      this.#pump(name);
    }, restMs);
  }

  #takeBack(queue: ModuleQueue): void {
    if (queue.inFlight === undefined) return;
    clearTimeout(queue.inFlight.timer);
    queue.lanes.putBack(queue.inFlight.item);
    queue.inFlight = undefined;
  }

  #queue(name: string): ModuleQueue {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const lanes = new WaitingLanes(this.#options.store, name);
    const queue: ModuleQueue = {
      lanes,
      backoff: new Backoff(),
      inFlight: undefined,
      retry: undefined,
      late: undefined,
    };
    this.#queues.set(name, queue);
    return queue;
  }
}
