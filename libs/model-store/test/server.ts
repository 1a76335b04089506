import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TestServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Every request so far. */
  readonly seen: readonly IncomingMessage[];
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void;
  stop(): Promise<void>;
}

/** A real HTTP server on a free port whose answers a test sets. */
export async function startServer(
  answer: TestServer['answer'] = (_, response) => response.writeHead(404).end(),
): Promise<TestServer> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    self.answer(request, response, seen.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const self: TestServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    answer,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return self;
}
