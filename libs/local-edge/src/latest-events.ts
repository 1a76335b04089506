const MAX_WAITING = 10_000;

/**
 * Events as an async iteration, bounded: of what the reader has not taken yet the newest 10 000 are kept. `subscribe`
 * gives back how to unsubscribe; that happens when the signal aborts or the loop is left.
 */
export async function* latestEvents<T>(
  subscribe: (listener: (event: T) => void) => () => void,
  signal?: AbortSignal,
): AsyncGenerator<T> {
  const waiting: T[] = [];
  let wake: (() => void) | undefined;
  const unsubscribe = subscribe((event) => {
    waiting.push(event);
    if (waiting.length > MAX_WAITING) waiting.shift();
    wake?.();
  });
  const aborted = (): void => wake?.();
  signal?.addEventListener('abort', aborted);
  try {
    while (signal?.aborted !== true) {
      const event = waiting.shift();
      if (event !== undefined) yield event;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    signal?.removeEventListener('abort', aborted);
    unsubscribe();
  }
}
