import type { MqttLink } from './mqtt-link.ts';
import type { ExportSink } from './sink.ts';

const MAX_BYTES = 8 << 20;

/** Publishes documents over a link that others may share. */
export class MqttSink implements ExportSink {
  readonly target: string;
  readonly maxBytes = MAX_BYTES;
  readonly #link: MqttLink;
  readonly #topic: string;
  readonly #release: () => Promise<void>;

  /** @param release called once, when the link is not needed any more */
  constructor(link: MqttLink, topic: string, release: () => Promise<void>) {
    this.#link = link;
    this.#topic = topic;
    this.#release = release;
    this.target = `${link.place} ${topic}`;
  }

  /** Why there is no connection; undefined while there is one. */
  get problem(): string | undefined {
    return this.#link.problem;
  }

  send(document: string, signal: AbortSignal): Promise<void> {
    return this.#link.publish(this.#topic, document, signal);
  }

  stop(): Promise<void> {
    return this.#release();
  }
}
