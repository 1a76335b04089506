import type { ClientFrame } from '../types.ts';
import type { ClientStatus, CustomNodeClientOptions, NodeResult } from './options.ts';

/** The client of one camera and one custom node. Never throws on a frame. */
export class CustomNodeClient {
  #status: ClientStatus = {
    state: 'connecting',
    sharedMemory: false,
    counters: {
      calls: 0,
      answered: 0,
      failures: {},
      handshakes: 0,
      rejectedObjects: 0,
      downscaled: 0,
      sentBytes: 0,
      receivedBytes: 0,
      sharedMemoryFrames: 0,
    },
  };
  readonly options: CustomNodeClientOptions;

  constructor(options: CustomNodeClientOptions) {
    this.options = options;
  }

  get status(): ClientStatus {
    return this.#status;
  }

  /** Whether the next frame should bring its pixels. */
  get wantsPixels(): boolean {
    return this.#status.wants !== undefined && this.#status.wants.image !== 'none';
  }

  start(): void {
    this.#status = { ...this.#status, state: 'connecting' };
  }

  process(frame: ClientFrame): Promise<NodeResult> {
    const message = `frame ${frame.frameId}: not connected yet`;
    return Promise.resolve({ ok: false, code: 'CUSTOM_NODE_NOT_READY', message });
  }

  stop(): Promise<void> {
    this.#status = { ...this.#status, state: 'stopped' };
    return Promise.resolve();
  }
}
