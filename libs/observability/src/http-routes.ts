export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** Default `application/json`. */
  readonly contentType?: string;
}

/** Answers a GET. What it throws becomes status 500 and a line in the log. */
export type HttpRoute = (query: URLSearchParams) => HttpAnswer | Promise<HttpAnswer>;

/** Paths that a module answers beside `/metrics`, on the same address. */
export class HttpRoutes {
  readonly #routes = new Map<string, HttpRoute>();

  /** @param path as it stands in the request, without query: `/insights` */
  set(path: string, route: HttpRoute): void {
    this.#routes.set(path, route);
  }

  get(path: string): HttpRoute | undefined {
    return this.#routes.get(path);
  }
}
