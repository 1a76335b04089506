import { messageOf } from '@vantage/contracts';
import { Backoff, type Logger } from '@vantage/observability';
import type { Faults } from '../faults/faults.ts';
import type { Copy, Waiting } from '../state/message-rows.ts';
import type { MessageStore } from '../state/message-store.ts';
import type { UpstreamMessage } from './message.ts';
import type { MessageCounts } from './message-counts.ts';
import type { UpstreamStore } from './upstream-store.ts';
import { WaitingLanes } from './waiting-lanes.ts';

/** The endpoint of messages that leave for the cloud. */
export const UPSTREAM = '$upstream';
/** As edgeHub sends them (contract iot-edge-runtime B.4). */
const BATCH = 10;

export interface UpstreamDeliveryOptions {
  readonly store: MessageStore;
  readonly cloud: UpstreamStore;
  readonly faults: Faults;
  readonly counts: MessageCounts;
  readonly logger: Logger;
  /** Messages arrived, and are kept. */
  readonly arrived: (messages: readonly UpstreamMessage[]) => void;
}

/**
 * Brings messages to the cloud: in batches of one priority, the most urgent first, each exactly once. While the way up
 * is cut they wait.
 */
export class UpstreamDelivery {
  readonly #options: UpstreamDeliveryOptions;
  readonly #lanes: WaitingLanes;
  readonly #backoff = new Backoff();
  readonly #onFaults = (): void => {
    this.#wake();
  };
  #busy = false;
  #sending: Promise<void> | undefined;
  #leaving: readonly Waiting[] = [];
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: UpstreamDeliveryOptions) {
    this.#options = options;
    this.#lanes = new WaitingLanes(options.store, UPSTREAM);
  }

  /** Something waits in the store from the last run. */
  resume(priority: number): void {
    this.#lanes.resume(priority);
  }

  start(): void {
    this.#options.faults.on('change', this.#onFaults);
    this.#pump();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#options.faults.off('change', this.#onFaults);
    clearTimeout(this.#retry);
    await this.#sending;
  }

  /** Takes a copy that the store has. */
  enqueue(item: Waiting): void {
    this.#lanes.add(item);
    this.#pump();
  }

  /** Takes a copy out that is too old; false when it is leaving just now. */
  drop({ id, priority }: Copy): boolean {
    if (this.#leaving.some((item) => item.id === id)) return false;
    this.#lanes.drop(id, priority);
    return true;
  }

  /** A fault was set or cleared: what failed before may work now. */
  #wake(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#pump();
  }

  #pump(): void {
    if (this.#busy || this.#retry !== undefined) return;
    this.#busy = true;
    this.#sending = this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    try {
      while (!this.#stopped && !this.#options.faults.isUpstreamCut) {
        const batch = this.#live(this.#lanes.takeBatch(BATCH));
        if (batch === undefined) return;
        this.#leaving = batch;
        await this.#send(batch);
        this.#leaving = [];
        this.#backoff.reset();
      }
    } catch (error) {
      this.#rest(error);
    } finally {
      // Here and not when the promise is settled: what comes in between would be left lying.
      this.#busy = false;
    }
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 0) return;
    const { store, cloud, faults, counts, arrived } = this.#options;
    let added: ReturnType<UpstreamStore['append']> | undefined;
    await store.move(batch, () => {
      added = cloud.append(
        batch.map(({ message }) => message),
        faults.now(),
      );
    });
    added?.committed();
    for (const item of batch) counts.delivered(item);
    arrived(added?.arrived ?? []);
  }

  #rest(error: unknown): void {
    const batch = this.#leaving;
    this.#leaving = [];
    this.#lanes.putBack(...batch);
    const restMs = Math.round(this.#backoff.next());
    for (const item of batch) this.#options.counts.retried(item);
    this.#options.logger.warn('messages could not leave for the cloud; they are sent again', {
      count: batch.length,
      inMs: restMs,
      error: messageOf(error),
    });
    if (this.#stopped) return;
    this.#retry = setTimeout(() => {
      this.#wake();
    }, restMs);
  }

  /** What of a batch is not too old; undefined when nothing waits at all. */
  #live(batch: readonly Waiting[]): Waiting[] | undefined {
    if (batch.length === 0) return undefined;
    const now = this.#options.faults.now();
    const dead = batch.filter(({ expiresAtMs }) => expiresAtMs !== null && expiresAtMs <= now);
    if (dead.length === 0) return [...batch];
    for (const item of dead) this.#options.counts.expired(item);
    this.#options.store.settle(dead);
    return batch.filter((item) => !dead.includes(item));
  }
}
