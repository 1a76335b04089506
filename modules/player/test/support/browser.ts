import http from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  readonly body: Buffer;
  json<T = Record<string, unknown>>(): T;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** A browser's cookies and headers, and nothing of what it would forbid: any Host and Origin can be said. */
export class Browser {
  readonly #base: URL;
  readonly cookies = new Map<string, string>();

  constructor(base: string) {
    this.#base = new URL(base);
  }

  get csrf(): string {
    return this.cookies.get('vantage_csrf') ?? '';
  }

  /** As the page does it: with the header that changes need. */
  change(method: string, path: string, body: unknown): Promise<Answer> {
    return this.ask(path, { method, body, headers: { 'x-vantage-csrf': this.csrf } });
  }

  ask(path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const sent = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = http.request(
        {
          host: this.#base.hostname,
          port: this.#base.port,
          // Written as it stands: `URL` would tidy it up.
          path,
          method,
          headers: {
            ...(cookie ? { cookie } : {}),
            ...(sent === undefined || Buffer.isBuffer(sent) ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          agent: false,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            for (const line of response.headers['set-cookie'] ?? []) this.#keep(line);
            const all = Buffer.concat(chunks);
            const text = all.toString('utf8');
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: all,
              text,
              json: <T>() => JSON.parse(text) as T,
            });
          });
        },
      );
      request.on('error', reject);
      request.end(sent);
    });
  }

  #keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === '') this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}
