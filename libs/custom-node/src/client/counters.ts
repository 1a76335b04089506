import type { NodeCode } from '../errors.ts';
import type { NodeCounters } from './options.ts';

/** The client's counters; read them as a snapshot. */
export class Counters {
  calls = 0;
  answered = 0;
  handshakes = 0;
  rejectedObjects = 0;
  downscaled = 0;
  sentBytes = 0;
  receivedBytes = 0;
  sharedMemoryFrames = 0;
  readonly #failures = new Map<NodeCode, number>();

  failed(code: NodeCode): void {
    this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1);
  }

  snapshot(): NodeCounters {
    return {
      calls: this.calls,
      answered: this.answered,
      failures: Object.fromEntries(this.#failures),
      handshakes: this.handshakes,
      rejectedObjects: this.rejectedObjects,
      downscaled: this.downscaled,
      sentBytes: this.sentBytes,
      receivedBytes: this.receivedBytes,
      sharedMemoryFrames: this.sharedMemoryFrames,
    };
  }
}
