import { messageOf } from '@vantage/contracts';
import type { CounterMetric, GaugeMetric, Logger, Metrics } from '@vantage/observability';
import { bodyNotJson, edgeClosed, messageDropped, messageRefused, messageTooLarge } from './errors.ts';
import type { OutboundMessage } from './session.ts';

/** What happens to a message when the queue is full. */
export type OverflowPolicy = 'dropOldest' | 'dropNewest';

export interface OutboxOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Default 1000. */
  readonly limitMessages?: number;
  /** Default 32 MiB. */
  readonly limitBytes?: number;
  /** Default `dropOldest`: what a camera saw last matters most. */
  readonly overflow?: OverflowPolicy;
}

export interface Sender {
  send(message: OutboundMessage): Promise<void>;
  fail(reason: string): void;
}

/** Body, property names and values together (contract iot-edge-runtime B.4). */
export const MESSAGE_LIMIT_BYTES = 262_144;
/** Messages sent and not yet acknowledged; 50 gave 2.5 times the rate of one (contract E.2). */
const IN_FLIGHT = 32;

interface Entry extends OutboundMessage {
  readonly sequence: number;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Messages on their way to the hub: bounded, in order, kept until acknowledged, also across connections. */
export class Outbox {
  readonly #options: Required<OutboxOptions>;
  readonly #sent: CounterMetric;
  readonly #dropped: CounterMetric;
  readonly #depth: GaugeMetric;
  readonly #inFlight = new Map<number, Entry>();
  #queue: Entry[] = [];
  #queuedBytes = 0;
  #sequence = 0;
  #sender: Sender | undefined;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(options: OutboxOptions) {
    this.#options = { limitMessages: 1000, limitBytes: 32 * 1024 * 1024, overflow: 'dropOldest', ...options };
    const { metrics } = options;
    this.#sent = metrics.counter({
      name: 'vantage_edge_messages_sent_total',
      help: 'Messages acknowledged by the hub',
      labelNames: ['output'],
    });
    this.#dropped = metrics.counter({
      name: 'vantage_edge_messages_dropped_total',
      help: 'Messages not delivered',
      labelNames: ['reason'],
    });
    this.#depth = metrics.gauge({
      name: 'vantage_edge_outbox_messages',
      help: 'Messages waiting for the hub or its acknowledgement',
    });
  }

  push(output: string, body: unknown, properties: Readonly<Record<string, string>> = {}): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    // Callers may let it go: a lost telemetry message must not end the process.
    promise.catch(() => undefined);
    try {
      this.#enqueue(this.#entry(output, body, properties, () => resolve(undefined), reject));
    } catch (error) {
      reject(error);
    }
    return promise;
  }

  attach(sender: Sender): void {
    this.#sender = sender;
    this.#pump();
  }

  /** What was in flight goes back to the front: whether the hub has it is unknown, so it may arrive twice. */
  detach(): void {
    this.#sender = undefined;
    const back = [...this.#inFlight.values()].sort((a, b) => a.sequence - b.sequence);
    this.#inFlight.clear();
    this.#queue = [...back, ...this.#queue];
    for (const entry of back) this.#queuedBytes += entry.bytes;
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    if (this.#queue.length + this.#inFlight.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  close(): void {
    this.#closed = true;
    this.detach();
    for (const entry of this.#queue.splice(0)) this.#drop(entry, 'closed', edgeClosed());
    this.#settled();
  }

  #entry(
    output: string,
    body: unknown,
    properties: Readonly<Record<string, string>>,
    resolve: () => void,
    reject: (error: Error) => void,
  ): Entry {
    if (this.#closed) throw edgeClosed();
    const text = typeof body === 'string' ? body : toJson(output, body);
    let bytes = Buffer.byteLength(text);
    for (const [key, value] of Object.entries(properties)) bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
    if (bytes > MESSAGE_LIMIT_BYTES) {
      this.#dropped.inc({ reason: 'too_large' });
      throw messageTooLarge(output, bytes, MESSAGE_LIMIT_BYTES);
    }
    this.#sequence += 1;
    return {
      output,
      body: text,
      properties,
      contentType: 'application/json',
      bytes,
      sequence: this.#sequence,
      resolve,
      reject,
    };
  }

  #enqueue(entry: Entry): void {
    const { limitMessages, limitBytes, overflow } = this.#options;
    const full = (): boolean => this.#queue.length >= limitMessages || this.#queuedBytes + entry.bytes > limitBytes;
    while (full()) {
      const victim = overflow === 'dropOldest' ? this.#queue.shift() : entry;
      if (victim === undefined || victim === entry) {
        this.#drop(entry, 'queue_full', messageDropped(entry.output));
        return;
      }
      this.#queuedBytes -= victim.bytes;
      this.#drop(victim, 'queue_full', messageDropped(victim.output));
    }
    this.#queue.push(entry);
    this.#queuedBytes += entry.bytes;
    this.#pump();
  }

  #drop(entry: Entry, reason: string, error: Error): void {
    this.#dropped.inc({ reason });
    entry.reject(error);
    this.#options.logger.debug(`message dropped: ${reason}`, { output: entry.output });
  }

  #pump(): void {
    const sender = this.#sender;
    while (sender !== undefined && this.#inFlight.size < IN_FLIGHT) {
      const entry = this.#queue.shift();
      if (entry === undefined) break;
      this.#queuedBytes -= entry.bytes;
      this.#inFlight.set(entry.sequence, entry);
      sender.send(entry).then(
        () => this.#acknowledged(sender, entry),
        (error: unknown) => this.#failed(sender, entry, error),
      );
    }
    this.#depth.set(this.#queue.length + this.#inFlight.size);
  }

  #acknowledged(sender: Sender, entry: Entry): void {
    // An answer of an earlier connection: the entry has gone back to the queue and will be answered there.
    if (this.#sender !== sender || !this.#inFlight.delete(entry.sequence)) return;
    this.#sent.inc({ output: entry.output });
    entry.resolve();
    this.#settled();
    this.#pump();
  }

  #failed(sender: Sender, entry: Entry, error: unknown): void {
    if (this.#sender !== sender || !this.#inFlight.has(entry.sequence)) return;
    if (!isPermanent(error)) {
      // Whoever owns the connection detaches us, which puts everything back in order.
      sender.fail(`a message was not acknowledged: ${messageOf(error)}`);
      return;
    }
    this.#inFlight.delete(entry.sequence);
    this.#drop(entry, 'refused', messageRefused(entry.output, error as Error));
    this.#settled();
    this.#pump();
  }

  #settled(): void {
    if (this.#queue.length + this.#inFlight.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

function isPermanent(error: unknown): boolean {
  return (
    error instanceof Error &&
    ['MessageTooLargeError', 'ArgumentError', 'FormatError', 'NotImplementedError'].includes(error.name)
  );
}

function toJson(output: string, body: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(body);
  } catch (error) {
    throw bodyNotJson(output, error);
  }
  if (text === undefined) throw bodyNotJson(output, undefined);
  return text;
}
