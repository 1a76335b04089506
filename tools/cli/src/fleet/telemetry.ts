import { setTimeout as delay } from 'node:timers/promises';
import type { SimulatedDevice } from './device.ts';

export interface TelemetryCounts {
  readonly sent: number;
  readonly acknowledged: number;
  /** Sent and never acknowledged. */
  readonly lost: number;
  /** Not sent, because earlier messages of the fleet still waited for their acknowledgement. */
  readonly skipped: number;
}

const TICK_MS = 50;
/** Messages that wait for their acknowledgement, over all devices. */
const MAX_IN_FLIGHT = 2000;
const DRAIN_MS = 15_000;

/** Sends for all devices in turn from one timer, at the rate that is asked for. */
export class Telemetry {
  #sent = 0;
  #acknowledged = 0;
  #skipped = 0;
  #inFlight = 0;

  get counts(): TelemetryCounts {
    const { sent, acknowledged } = { sent: this.#sent, acknowledged: this.#acknowledged };
    return { sent, acknowledged, lost: sent - acknowledged, skipped: this.#skipped };
  }

  /** @param rate - Messages a second of each device. */
  async run(devices: readonly SimulatedDevice[], rate: number, until: AbortSignal): Promise<void> {
    const started = performance.now();
    let due = 0;
    while (!until.aborted) {
      const wanted = ((performance.now() - started) / 1000) * rate * devices.length;
      for (; due < wanted; due += 1) this.#sendOne(devices[due % devices.length], due);
      await delay(TICK_MS, undefined, { signal: until }).catch(() => undefined);
    }
    const deadline = performance.now() + DRAIN_MS;
    while (this.#inFlight > 0 && performance.now() < deadline) await delay(TICK_MS);
  }

  #sendOne(device: SimulatedDevice | undefined, n: number): void {
    if (device === undefined) return;
    if (this.#inFlight >= MAX_IN_FLIGHT) {
      this.#skipped += 1;
      return;
    }
    this.#sent += 1;
    this.#inFlight += 1;
    device
      .send({ n, temperature: 20 + (n % 100) / 10, timestamp: new Date().toISOString() })
      .then(
        () => (this.#acknowledged += 1),
        // Counted as lost: it was sent and not acknowledged.
        () => undefined,
      )
      .finally(() => (this.#inFlight -= 1));
  }
}
