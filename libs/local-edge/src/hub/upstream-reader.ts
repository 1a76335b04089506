import type { UpstreamMessage } from './message.ts';
import type { UpstreamStore } from './upstream-store.ts';

export interface UpstreamReadOptions {
  /** Start with the kept messages after this sequence; 0: with the oldest. Absent: only what comes from now on. */
  readonly since?: number;
  /** Ends the reading. */
  readonly signal?: AbortSignal;
}

/** Says that there is more to read; gives back how to unsubscribe. */
export type OnArrival = (wake: () => void) => () => void;

/**
 * The kept messages after `cursor`, then the ones that come, without a gap between them. Everything is read from the
 * store: a slow reader costs no memory, and misses only what the store has let go meanwhile.
 */
export async function* followUpstream(
  store: UpstreamStore,
  onArrival: OnArrival,
  cursor: number,
  signal: AbortSignal,
): AsyncGenerator<UpstreamMessage> {
  let last = cursor;
  let wake: () => void = () => undefined;
  const woken = (): void => {
    wake();
  };
  const unsubscribe = onArrival(woken);
  signal.addEventListener('abort', woken);
  try {
    while (!signal.aborted) {
      for (const message of store.after(last)) {
        last = message.sequence;
        yield message;
        if (signal.aborted) return;
      }
      if (last >= store.lastSequence) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    signal.removeEventListener('abort', woken);
    unsubscribe();
  }
}

/** The kept messages after `cursor` up to the newest of now. */
export async function* keptUpstream(store: UpstreamStore, cursor: number): AsyncGenerator<UpstreamMessage> {
  const end = store.lastSequence;
  for (let last = cursor, page = store.after(last); page.length > 0; page = store.after(last)) {
    for (const message of page) {
      if (message.sequence > end) return;
      last = message.sequence;
      yield message;
    }
    await Promise.resolve();
  }
}
