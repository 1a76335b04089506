import { Counter, Gauge, Registry } from 'prom-client';
import type { Waiting } from '../state/message-rows.ts';
import type { MessageStore } from '../state/message-store.ts';
import type { HubMessage } from './message.ts';

/** Why a message did not get where it should; the labels are edgeHub's. */
export type DropReason = 'ttl_expiry' | 'no_route' | 'message_too_large';

/** Messages since the start of the runtime, and what waits now. A message counts once for each endpoint it goes to. */
export interface MessageTotals {
  /** Taken from clients. */
  readonly received: number;
  /** Refused: too large, the store or the disk full. The sender was told. */
  readonly refused: number;
  /** Wanted by no route. */
  readonly unrouted: number;
  readonly delivered: number;
  readonly expired: number;
  readonly retried: number;
  readonly waiting: number;
  /** Bytes of the messages that wait, and the most that may. */
  readonly storedBytes: number;
  readonly storeLimitBytes: number;
  readonly endpoints: readonly EndpointTotals[];
}

export interface EndpointTotals {
  /** `<device>/<module>/<input>`, or `$upstream`. */
  readonly endpoint: string;
  readonly delivered: number;
  readonly expired: number;
  readonly retried: number;
  readonly waiting: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Outputs and inputs are named by clients and routes; beyond this many sets of labels they are counted as `other`. */
const MAX_SERIES = 1000;

/** Counts messages for people and, under edgeHub's names, for Prometheus. */
export class MessageCounts {
  readonly registry = new Registry();
  readonly #store: MessageStore;
  readonly #totals = { received: 0, refused: 0, unrouted: 0, delivered: 0, expired: 0, retried: 0 };
  readonly #endpoints = new Map<string, Mutable<EndpointTotals>>();
  readonly #received = this.#counter('edgehub_messages_received_total', 'Messages received from clients', [
    'route_output',
    'id',
  ]);
  readonly #sent = this.#counter('edgehub_messages_sent_total', 'Messages delivered to modules and upstream', [
    'from',
    'to',
    'from_route_output',
    'to_route_input',
    'priority',
  ]);
  readonly #dropped = this.#counter('edgehub_messages_dropped_total', 'Messages that were dropped', [
    'reason',
    'from',
    'from_route_output',
  ]);
  readonly #unack = this.#counter('edgehub_messages_unack_total', 'Messages that could not be stored', [
    'reason',
    'from',
    'from_route_output',
  ]);
  readonly #retries = this.#counter('edgehub_operation_retry_total', 'Operations that were tried again', [
    'id',
    'operation',
  ]);

  constructor(store: MessageStore) {
    this.#store = store;
    const length = new Gauge({
      name: 'edgehub_queue_length',
      help: 'Messages that wait in a queue',
      labelNames: ['endpoint', 'priority'],
      registers: [this.registry],
      collect: () => {
        length.reset();
        for (const { endpoint, priority, waiting } of store.lengths()) length.set({ endpoint, priority }, waiting);
      },
    });
    const bytes = new Gauge({
      name: 'edgehub_store_bytes',
      help: 'Bytes of the messages that wait',
      registers: [this.registry],
      collect: () => {
        bytes.set(store.sizeBytes);
      },
    });
  }

  totals(): MessageTotals {
    const waiting = new Map<string, number>();
    for (const length of this.#store.lengths()) {
      waiting.set(length.endpoint, (waiting.get(length.endpoint) ?? 0) + length.waiting);
      this.#endpoint(length.endpoint);
    }
    const endpoints = [...this.#endpoints.values()].map((item) => ({
      ...item,
      waiting: waiting.get(item.endpoint) ?? 0,
    }));
    return {
      ...this.#totals,
      waiting: endpoints.reduce((sum, item) => sum + item.waiting, 0),
      storedBytes: this.#store.sizeBytes,
      storeLimitBytes: this.#store.limitBytes,
      endpoints,
    };
  }

  received(message: HubMessage): void {
    this.#totals.received += 1;
    this.#received({ route_output: message.output, id: senderOf(message) });
  }

  /** A message was not taken; its sender gets no acknowledgement. */
  refused(message: HubMessage, reason: 'message_too_large' | 'storage_failure'): void {
    this.#totals.refused += 1;
    if (reason === 'storage_failure') this.#unack({ reason, ...fromOf(message) });
    else this.#dropped({ reason, ...fromOf(message) });
  }

  unrouted(message: HubMessage): void {
    this.#totals.unrouted += 1;
    this.#dropped({ reason: 'no_route', ...fromOf(message) });
  }

  delivered({ message, endpoint, target, priority }: Waiting): void {
    this.#totals.delivered += 1;
    this.#endpoint(endpoint).delivered += 1;
    this.#sent({
      ...fromOf(message),
      to: target,
      to_route_input: endpoint.slice(target.length + 1),
      priority: String(priority),
    });
  }

  /** `message` is not known of one that was dropped without being read. */
  expired({ endpoint, message }: { readonly endpoint: string; readonly message?: HubMessage }): void {
    this.#totals.expired += 1;
    this.#endpoint(endpoint).expired += 1;
    const from = message === undefined ? { from: '', from_route_output: '' } : fromOf(message);
    this.#dropped({ reason: 'ttl_expiry', ...from });
  }

  retried({ endpoint, target }: Waiting): void {
    this.#totals.retried += 1;
    this.#endpoint(endpoint).retried += 1;
    this.#retries({ id: target, operation: 'SendMessage' });
  }

  #endpoint(endpoint: string): Mutable<EndpointTotals> {
    const known = this.#endpoints.get(endpoint);
    if (known !== undefined) return known;
    const name = this.#endpoints.size < MAX_SERIES ? endpoint : 'other';
    const totals = this.#endpoints.get(name) ?? { endpoint: name, delivered: 0, expired: 0, retried: 0, waiting: 0 };
    this.#endpoints.set(name, totals);
    return totals;
  }

  #counter<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
  ): (labels: Record<Label, string>) => void {
    // Counting in prom-client costs more than all the rest of counting: it gets the sums when it is asked.
    const series = new Map<string, { readonly labels: Record<string, string>; count: number }>();
    const counter = new Counter<string>({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect: () => {
        counter.reset();
        for (const { labels, count } of series.values()) counter.inc(labels, count);
      },
    });
    return (labels) => {
      const full = series.size >= MAX_SERIES;
      let key = '';
      for (const label of labelNames) key += `${labels[label]}\n`;
      let one = series.get(key) ?? (full ? series.get('other') : undefined);
      if (one === undefined) {
        one = { labels: full ? Object.fromEntries(labelNames.map((label) => [label, 'other'])) : labels, count: 0 };
        series.set(full ? 'other' : key, one);
      }
      one.count += 1;
    };
  }
}

const senderOf = (message: HubMessage): string =>
  message.moduleId === '' ? message.deviceId : `${message.deviceId}/${message.moduleId}`;

function fromOf(message: HubMessage): { from: string; from_route_output: string } {
  return { from: senderOf(message), from_route_output: message.output };
}
