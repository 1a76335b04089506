import { once } from 'node:events';
import {
  CustomNode,
  CustomNodeClient,
  CustomNodeServer,
  type ClientStatus,
  type CustomNodeClientOptions,
  type CustomNodeServerOptions,
  type NodeAnswer,
  type NodeDescription,
  type NodeFrame,
  type ProcessContext,
} from '../../src/index.ts';
import { IDS } from './frames.ts';

type Process = (frame: NodeFrame, context: ProcessContext) => NodeAnswer | undefined | Promise<NodeAnswer | undefined>;

/** A node made of a function. */
export class TestNode extends CustomNode {
  readonly seen: NodeFrame[] = [];
  description: NodeDescription;
  work: Process;

  constructor(description: NodeDescription, work: Process = () => undefined) {
    super();
    this.description = description;
    this.work = work;
  }

  override describe(): NodeDescription {
    return this.description;
  }

  override process(frame: NodeFrame, context: ProcessContext): ReturnType<Process> {
    this.seen.push(frame);
    return this.work(frame, context);
  }
}

/** What a spec has opened; closed by `closeAll` in `afterEach`. */
const open: { stop(): Promise<void> }[] = [];

export async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((thing) => thing.stop()));
}

export function closeLater<T extends { stop(): Promise<void> }>(thing: T): T {
  open.push(thing);
  return thing;
}

export async function serve(
  node: CustomNode,
  options: CustomNodeServerOptions = {},
): Promise<CustomNodeServer & { port: number; metricsPort?: number }> {
  const server = closeLater(new CustomNodeServer(node, { port: 0, host: '127.0.0.1', drainMs: 500, ...options }));
  return Object.assign(server, await server.start());
}

/** A client with a way to wait for its states. */
export class WatchedClient {
  readonly client: CustomNodeClient;
  readonly #changes = new EventTarget();

  constructor(endpoint: string | number, options: Partial<CustomNodeClientOptions> = {}) {
    this.client = closeLater(
      new CustomNodeClient({
        endpoint: typeof endpoint === 'number' ? `127.0.0.1:${endpoint}` : endpoint,
        ids: IDS,
        deadlineMs: 20_000,
        backoff: { baseMs: 20, factor: 1.2, capMs: 100 },
        ...options,
        onStatus: () => this.#changes.dispatchEvent(new Event('status')),
      }),
    );
    this.client.start();
  }

  async until(test: (status: ClientStatus) => boolean): Promise<ClientStatus> {
    while (!test(this.client.status)) await once(this.#changes, 'status');
    return this.client.status;
  }

  async ready(): Promise<CustomNodeClient> {
    await this.until(({ state }) => state === 'ready');
    return this.client;
  }
}
