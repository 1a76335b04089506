import type { EdgeModuleApi } from '@vantage/edge-client';
import type { MediaServer } from './media-server.ts';

const INTERVAL_MS = 2000;

/** Keeps the reported properties `{streams, clients}` as the server's activity is; sends only changes. */
export class ActivityReporter {
  readonly #server: MediaServer;
  readonly #edge: Pick<EdgeModuleApi, 'report'>;
  #timer: NodeJS.Timeout | undefined;
  #last = '';

  constructor(server: MediaServer, edge: Pick<EdgeModuleApi, 'report'>) {
    this.#server = server;
    this.#edge = edge;
  }

  start(): void {
    this.#report();
    this.#timer ??= setInterval(() => this.#report(), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #report(): void {
    const { streams, clients } = this.#server.activity;
    const text = `${streams} ${clients}`;
    if (text === this.#last) return;
    this.#last = text;
    // The edge client tries until it is confirmed; it rejects only when the module stops.
    this.#edge.report({ streams, clients }).catch(() => undefined);
  }
}
