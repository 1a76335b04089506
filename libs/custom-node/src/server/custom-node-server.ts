import type { CustomNode } from './custom-node.ts';
import type { CustomNodeServerOptions } from './options.ts';

/** Serves one node. */
export class CustomNodeServer {
  readonly node: CustomNode;
  readonly options: CustomNodeServerOptions;

  constructor(node: CustomNode, options: CustomNodeServerOptions = {}) {
    this.node = node;
    this.options = options;
  }

  /** @returns the port it listens on */
  async start(): Promise<{ readonly port: number }> {
    await this.node.start();
    return { port: this.options.port ?? 6677 };
  }

  async stop(): Promise<void> {
    await this.node.stop();
  }
}
