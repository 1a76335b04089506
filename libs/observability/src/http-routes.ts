import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** Default `application/json`. */
  readonly contentType?: string;
}

/** Answers a GET. What it throws becomes status 500 and a line in the log. */
export type HttpRoute = (query: URLSearchParams) => HttpAnswer | Promise<HttpAnswer>;

/** Answers everything below a path by itself: streams, and connections that become something else (WebSockets). */
export interface HttpHandler {
  /** A GET or HEAD. What it throws becomes status 500 and a line in the log. */
  request(request: IncomingMessage, response: ServerResponse): void | Promise<void>;
  /** Absent: connections that want to be something else are closed. The socket is the handler's from now on. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** Paths that a module answers beside `/metrics`, on the same address. */
export class HttpRoutes {
  readonly #routes = new Map<string, HttpRoute>();
  readonly #handlers = new Map<string, HttpHandler>();

  /** @param path as it stands in the request, without query: `/insights` */
  set(path: string, route: HttpRoute): void {
    this.#routes.set(path, route);
  }

  get(path: string): HttpRoute | undefined {
    return this.#routes.get(path);
  }

  /** @param path the first part of a path; it and what is below are the handler's: `/live` takes `/live/gate`, too */
  mount(path: string, handler: HttpHandler): void {
    this.#handlers.set(path, handler);
  }

  handlerOf(path: string): HttpHandler | undefined {
    const top = /^\/[^/]*/.exec(path)?.[0];
    return top === undefined ? undefined : this.#handlers.get(top);
  }
}
