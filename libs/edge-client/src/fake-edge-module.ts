import { mergeTwin, type TwinObject } from '@vantage/contracts';
import { redactDeep, silentLogger, Metrics } from '@vantage/observability';
import { content, Desired, versionOf } from './desired.ts';
import type {
  DesiredHandler,
  EdgeModuleApi,
  EdgeStatus,
  InputHandler,
  MethodHandler,
  MethodReply,
  TwinView,
  Unsubscribe,
} from './edge-module-api.ts';
import { edgeClosed } from './errors.ts';
import { Inbox, makeInputMessage, type InputMeta } from './inbox.ts';

export interface SentMessage {
  readonly output: string;
  /** The text as it would go over the wire. */
  readonly body: string;
  readonly properties: Readonly<Record<string, string>>;
}

/**
 * A fake for unit tests of modules: an `EdgeModuleApi` with no hub behind it. Twin, inputs and order behave as in
 * `EdgeModule` (they are the same classes); limits, retries and the network do not exist.
 *
 * @example
 * const edge = new FakeEdgeModule({ desired: { mode: 'on' } });
 * start(edge);
 * edge.deliver('in', { n: 1 });
 * await edge.waitFor(() => edge.sent.length === 1);
 */
export class FakeEdgeModule implements EdgeModuleApi {
  /** Everything sent, oldest first. */
  readonly sent: SentMessage[] = [];
  /** Every patch reported, oldest first, secrets masked. */
  readonly reports: TwinObject[] = [];
  readonly #desired = new Desired(silentLogger);
  readonly #inbox = new Inbox(silentLogger, new Metrics());
  readonly #methods = new Map<string, MethodHandler>();
  readonly #statusHandlers = new Set<(status: EdgeStatus) => void>();
  readonly #changed = new Set<() => void>();
  #reported: TwinObject = {};
  #status: EdgeStatus = { state: 'connected', since: new Date(0).toISOString(), attempts: 0 };

  constructor(initial: { readonly desired?: TwinObject; readonly reported?: TwinObject } = {}) {
    this.#reported = initial.reported ?? {};
    this.#desired.full({ $version: 1, ...initial.desired });
    this.#inbox.open();
  }

  get twin(): TwinView {
    return { desired: this.#desired.value, desiredVersion: this.#desired.version, reported: this.#reported };
  }

  get status(): EdgeStatus {
    return this.#status;
  }

  onDesired(handler: DesiredHandler): Unsubscribe {
    return this.#desired.on(async (desired, change) => {
      await handler(desired, change);
      this.#notify();
    });
  }

  onInput(input: string, handler: InputHandler): Unsubscribe {
    return this.#inbox.on(input, async (message) => {
      try {
        await handler(message);
      } finally {
        this.#notify();
      }
    });
  }

  onMethod(name: string, handler: MethodHandler): void {
    this.#methods.set(name, handler);
  }

  onStatus(handler: (status: EdgeStatus) => void): Unsubscribe {
    this.#statusHandlers.add(handler);
    return () => void this.#statusHandlers.delete(handler);
  }

  send(output: string, body: unknown, properties: Readonly<Record<string, string>> = {}): Promise<void> {
    if (this.#status.state === 'closed') return rejectedQuietly(edgeClosed());
    this.sent.push({ output, body: typeof body === 'string' ? body : JSON.stringify(body), properties });
    this.#notify();
    return Promise.resolve();
  }

  report(patch: TwinObject): Promise<void> {
    if (this.#status.state === 'closed') return rejectedQuietly(edgeClosed());
    const clean = JSON.parse(JSON.stringify(redactDeep(patch))) as TwinObject;
    this.reports.push(clean);
    this.#reported = mergeTwin(this.#reported, clean, { newObjectNulls: 'drop' });
    this.#notify();
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.setStatus({ state: 'closed' });
    return Promise.resolve();
  }

  /** The operator patches the desired properties. */
  patchDesired(patch: TwinObject): void {
    this.#desired.patch({ ...content(patch), $version: versionOf(patch) ?? (this.#desired.version ?? 0) + 1 });
  }

  /** A message arrives; objects become JSON. */
  deliver(input: string, body: unknown, meta: InputMeta = {}): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    this.#inbox.accept(
      makeInputMessage(input, text, { contentType: 'application/json', contentEncoding: 'utf-8', ...meta }),
    );
  }

  /** Somebody calls a method. Rejects as its handler does. */
  async invoke(name: string, payload?: unknown): Promise<MethodReply> {
    const handler = this.#methods.get(name);
    return handler === undefined ? { status: 404 } : handler(payload);
  }

  setStatus(change: Partial<EdgeStatus>): void {
    this.#status = { ...this.#status, ...change };
    for (const handler of this.#statusHandlers) handler(this.#status);
    this.#notify();
  }

  /** Resolves as soon as the condition holds; looked at after each send, report and handled event. */
  async waitFor(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#changed.add(resolve));
  }

  /** The messages of one output, parsed. */
  sentTo(output: string): unknown[] {
    return this.sent
      .filter((message) => message.output === output)
      .map((message) => JSON.parse(message.body) as unknown);
  }

  #notify(): void {
    const waiting = [...this.#changed];
    this.#changed.clear();
    for (const resolve of waiting) resolve();
  }
}

function rejectedQuietly(error: Error): Promise<never> {
  const promise = Promise.reject<never>(error);
  promise.catch(() => undefined);
  return promise;
}
