import type { Message } from 'azure-iot-device';
import { codeOf, messageOf } from '@vantage/contracts';
import type { CounterMetric, Logger, Metrics } from '@vantage/observability';
import type { InputHandler, InputMessage, Unsubscribe } from './edge-module-api.ts';
import { inputNotJson } from './errors.ts';

/** Messages that wait per input, for a handler or while one is busy; the oldest goes first when it is full. */
const LIMIT_PER_INPUT = 1000;
/** Inputs without a handler for which messages are kept. */
const LIMIT_INPUTS = 64;

interface Input {
  readonly waiting: InputMessage[];
  handler: InputHandler | undefined;
  busy: boolean;
}

/** Messages of the inputs, each input in order and one at a time. */
export class Inbox {
  readonly #logger: Logger;
  readonly #received: CounterMetric;
  readonly #dropped: CounterMetric;
  readonly #inputs = new Map<string, Input>();
  #open = false;

  constructor(logger: Logger, metrics: Metrics) {
    this.#logger = logger;
    this.#received = metrics.counter({
      name: 'vantage_edge_messages_received_total',
      help: 'Messages received',
      labelNames: ['input'],
      maxSeries: 50,
    });
    this.#dropped = metrics.counter({
      name: 'vantage_edge_inputs_dropped_total',
      help: 'Messages received and not handled',
      labelNames: ['reason'],
    });
  }

  /** Messages wait until now: a module should know its twin before its first message. */
  open(): void {
    this.#open = true;
    for (const [name, input] of this.#inputs) this.#drain(name, input);
  }

  on(name: string, handler: InputHandler): Unsubscribe {
    const input = this.#input(name);
    input.handler = handler;
    this.#drain(name, input);
    return () => {
      if (input.handler === handler) input.handler = undefined;
    };
  }

  accept(message: InputMessage): void {
    if (!this.#inputs.has(message.input) && this.#inputs.size >= LIMIT_INPUTS) {
      this.#dropped.inc({ reason: 'no_handler' });
      return;
    }
    this.#received.inc({ input: message.input });
    const input = this.#input(message.input);
    if (input.waiting.length >= LIMIT_PER_INPUT) {
      input.waiting.shift();
      this.#dropped.inc({ reason: input.handler === undefined ? 'no_handler' : 'handler_slow' });
    }
    input.waiting.push(message);
    if (input.handler === undefined && input.waiting.length === 1) {
      this.#logger.debug('a message waits for a handler', { input: message.input });
    }
    this.#drain(message.input, input);
  }

  #input(name: string): Input {
    const known = this.#inputs.get(name);
    if (known !== undefined) return known;
    const input: Input = { waiting: [], handler: undefined, busy: false };
    this.#inputs.set(name, input);
    return input;
  }

  #drain(name: string, input: Input): void {
    if (!this.#open || input.busy) return;
    input.busy = true;
    void this.#work(name, input);
  }

  async #work(name: string, input: Input): Promise<void> {
    for (let message = nextOf(input); message !== undefined; message = nextOf(input)) {
      try {
        await input.handler?.(message);
      } catch (error) {
        this.#dropped.inc({ reason: 'handler_failed' });
        this.#logger.error(`handling a message failed: ${messageOf(error)}`, {
          input: name,
          code: codeOf(error),
          error,
        });
      }
    }
    // In the same turn as the last look at the queue, or a message that comes in between would be left lying.
    input.busy = false;
  }
}

function nextOf(input: Input): InputMessage | undefined {
  return input.handler === undefined ? undefined : input.waiting.shift();
}

/** The SDK's message as ours. */
export function toInputMessage(input: string, message: Message): InputMessage {
  const properties: Record<string, string> = {};
  for (const { key, value } of message.properties.propertyList as { key: string; value: string }[])
    properties[key] = value;
  return makeInputMessage(input, message.getData() as Buffer | string, {
    properties,
    contentType: message.contentType,
    contentEncoding: message.contentEncoding,
    messageId: message.messageId,
    correlationId: message.correlationId,
  });
}

export type InputMeta = Partial<
  Pick<InputMessage, 'properties' | 'contentType' | 'contentEncoding' | 'messageId' | 'correlationId'>
>;

/** An input message from its parts; the sender is read from the properties where the hub stamps it. */
export function makeInputMessage(input: string, body: Buffer | string, meta: InputMeta): InputMessage {
  const data = typeof body === 'string' ? Buffer.from(body) : body;
  const properties = meta.properties ?? {};
  let text: string | undefined;
  const read = (): string => (text ??= new TextDecoder().decode(data));
  return {
    input,
    data,
    properties,
    contentType: meta.contentType,
    contentEncoding: meta.contentEncoding,
    messageId: meta.messageId,
    correlationId: meta.correlationId,
    fromDevice: properties['$.cdid'],
    fromModule: properties['$.cmid'],
    get text() {
      return read();
    },
    json() {
      try {
        return JSON.parse(read()) as unknown;
      } catch (error) {
        throw inputNotJson(input, error);
      }
    },
  };
}
