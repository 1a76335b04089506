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
  /** Most messages on the wire to one module that acknowledges each promptly; it begins with one. */
  readonly window: number;
}

/** Tokens that are remembered of what was not acknowledged in time. */
const MAX_LATE = 1000;

interface InFlight {
  readonly item: Waiting;
  readonly connection: Connection;
  readonly token: number;
}

interface ModuleQueue {
  readonly lanes: WaitingLanes;
  readonly backoff: Backoff;
  /** On the wire, in the order it was sent. */
  readonly inFlight: InFlight[];
  /** How many may be there: one more for each that is acknowledged, one again after a failure or a new connection. */
  window: number;
  /**
   * When the oldest on the wire became the one that is waited for. A slow module works them off one by one, so the time it
   * may take counts for each from here and not from when it was sent.
   */
  waitingSinceMs: number;
  /** One for all that is on the wire, and not wound up again for each: most are acknowledged long before. */
  ackTimer: NodeJS.Timeout | undefined;
  /** Runs while the module rests after a failure. */
  retry: NodeJS.Timeout | undefined;
  /** What was sent in vain, by token: an acknowledgement that comes late counts all the same. */
  readonly late: Map<number, Waiting>;
}

/**
 * Brings stored messages to the inputs of modules (contract iot-edge-runtime B.4): the most urgent queue first and
 * each in order, kept while the module is away. As edgeHub it has one message on the wire to a module that does not
 * acknowledge; one that does gets more at a time, since each would wait for a whole round trip otherwise. When the oldest is not acknowledged in time, the module rests for a while that grows from one second to a minute, and gets all
 * that it did not acknowledge again in order; a new connection ends the rest.
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
    for (const queue of this.#queues.values()) clearTimers(queue);
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
    endRest(queue);
    this.#pump(name);
  }

  /** The client acknowledged a packet. */
  acknowledged(name: string, token: number): void {
    const queue = this.#queues.get(name);
    if (queue === undefined) return;
    const at = queue.inFlight.findIndex((sent) => sent.token === token);
    const item = at < 0 ? queue.late.get(token) : queue.inFlight[at]?.item;
    if (item === undefined) return;
    if (at >= 0) queue.inFlight.splice(at, 1);
    else takeOut(queue, item);
    queue.waitingSinceMs = performance.now();
    queue.window = Math.min(queue.window + 1, this.#options.window);
    forgetLate(queue, item.id);
    this.#options.counts.delivered(item);
    this.#options.store.settle([item]);
    endRest(queue);
    this.#pump(name);
  }

  /** The client is gone: what it did not acknowledge goes back to the head of its queue. */
  disconnected(name: string): void {
    const queue = this.#queues.get(name);
    if (queue === undefined) return;
    queue.late.clear();
    takeBack(queue);
  }

  /** The module is gone for good. */
  forget(name: string): void {
    const queue = this.#queues.get(name);
    if (queue !== undefined) clearTimers(queue);
    this.#queues.delete(name);
  }

  /** Takes a copy out that is too old; false when it is on the wire just now. */
  drop({ id, target, priority }: Copy): boolean {
    const queue = this.#queues.get(target);
    if (queue === undefined) return true;
    if (queue.inFlight.some(({ item }) => item.id === id)) return false;
    queue.lanes.drop(id, priority);
    forgetLate(queue, id);
    return true;
  }

  /** Sends to a module what it can take. */
  #pump(name: string): void {
    const queue = this.#queues.get(name);
    const connection = this.#options.connections.get(name);
    if (queue === undefined || queue.retry !== undefined || connection?.ready.has('inputs') !== true) return;
    // A connection that was taken over ends without a word.
    if (queue.inFlight[0] !== undefined && queue.inFlight[0].connection !== connection) this.disconnected(name);
    while (queue.inFlight.length < queue.window) {
      const item = queue.lanes.take();
      if (item === undefined) return;
      if (item.expiresAtMs !== null && item.expiresAtMs <= this.#options.faults.now()) {
        forgetLate(queue, item.id);
        this.#options.counts.expired(item);
        this.#options.store.settle([item]);
      } else if (!this.#send(queue, item, connection)) {
        queue.lanes.putBack(item);
        return;
      }
    }
  }

  /** False when the client cannot be sent to. */
  #send(queue: ModuleQueue, item: Waiting, connection: Connection): boolean {
    const { connections } = this.#options;
    const { name, deviceId, moduleId } = connection;
    const input = item.endpoint.slice(name.length + 1);
    const topic = inputTopic(deviceId, moduleId, input, deliveryBag(item.message));
    const token = connections.send(name, topic, item.message.body, 1);
    if (token === undefined) return false;
    if (queue.inFlight.length === 0) queue.waitingSinceMs = performance.now();
    queue.inFlight.push({ item, connection, token });
    this.#watch(name, queue);
    return true;
  }

  #watch(name: string, queue: ModuleQueue): void {
    if (queue.ackTimer !== undefined || queue.inFlight.length === 0) return;
    const { ackTimeoutMs } = this.#options;
    const leftMs = queue.waitingSinceMs + ackTimeoutMs - performance.now();
    queue.ackTimer = setTimeout(
      () => {
        queue.ackTimer = undefined;
        const [oldest] = queue.inFlight;
        if (oldest === undefined) return;
        if (performance.now() - queue.waitingSinceMs >= ackTimeoutMs) this.#failed(name, queue, oldest.item);
        else this.#watch(name, queue);
      },
      Math.max(0, Math.ceil(leftMs)),
    );
  }

  #failed(name: string, queue: ModuleQueue, item: Waiting): void {
    for (const { token, item: sent } of queue.inFlight) queue.late.set(token, sent);
    for (const token of queue.late.keys()) {
      if (queue.late.size <= MAX_LATE) break;
      queue.late.delete(token);
    }
    takeBack(queue);
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

  #queue(name: string): ModuleQueue {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const lanes = new WaitingLanes(this.#options.store, name);
    const queue: ModuleQueue = {
      lanes,
      backoff: new Backoff(),
      inFlight: [],
      window: 1,
      waitingSinceMs: 0,
      ackTimer: undefined,
      retry: undefined,
      late: new Map(),
    };
    this.#queues.set(name, queue);
    return queue;
  }
}

/** What is on the wire goes back to the head of its queues, in its order. */
function takeBack(queue: ModuleQueue): void {
  queue.window = 1;
  queue.lanes.putBack(...queue.inFlight.splice(0).map(({ item }) => item));
}

/** Takes out what was sent in vain once, wherever it is now. */
function takeOut(queue: ModuleQueue, { id, priority }: Waiting): void {
  const at = queue.inFlight.findIndex(({ item }) => item.id === id);
  if (at < 0) queue.lanes.drop(id, priority);
  else queue.inFlight.splice(at, 1);
}

function forgetLate(queue: ModuleQueue, id: number): void {
  for (const [token, item] of queue.late) if (item.id === id) queue.late.delete(token);
}

function endRest(queue: ModuleQueue): void {
  queue.backoff.reset();
  clearTimeout(queue.retry);
  queue.retry = undefined;
}

function clearTimers(queue: ModuleQueue): void {
  clearTimeout(queue.ackTimer);
  clearTimeout(queue.retry);
}
