import type { BackoffOptions, Logger } from '@vantage/observability';
import { MqttLink } from './mqtt-link.ts';
import { MqttSink } from './mqtt-sink.ts';

/** One connection for each broker and client id: two with the same id would push each other out. */
export class MqttLinks {
  readonly #logger: Logger;
  readonly #backoff: BackoffOptions;
  readonly #links = new Map<string, { readonly link: MqttLink; users: number }>();

  constructor(logger: Logger, backoff: BackoffOptions = {}) {
    this.#logger = logger;
    this.#backoff = backoff;
  }

  open(broker: string, topic: string, clientId: string): MqttSink {
    const key = JSON.stringify([broker, clientId]);
    const shared = this.#links.get(key) ?? {
      link: new MqttLink({ broker, clientId, logger: this.#logger, backoff: this.#backoff }),
      users: 0,
    };
    this.#links.set(key, shared);
    shared.users += 1;
    shared.link.start();
    return new MqttSink(shared.link, topic, async () => {
      shared.users -= 1;
      if (shared.users > 0) return;
      this.#links.delete(key);
      await shared.link.stop();
    });
  }
}
