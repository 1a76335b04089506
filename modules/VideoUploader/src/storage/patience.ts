import { stalled } from '../errors.ts';

/** How long bytes of a clip may need. */
export interface Patience {
  /** Without a sign of life, milliseconds. */
  readonly quietMs: number;
  /** The slowest line that is worth while. */
  readonly bytesPerSecond: number;
}

const PATIENCE: Patience = { quietMs: 60_000, bytesPerSecond: 16 << 10 };
/** A request that carries no bytes of a clip. */
const QUESTION_MS = 20_000;

/** Ends a question to storage with the uploader, or when nobody answers it. */
export function question(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(QUESTION_MS)]);
}

/**
 * Sends bytes for as long as they flow, however slowly, and gives up when nothing moves. What the client has handed to the
 * system may still be on its way, since the buffers of the system hold megabytes: after each piece there is time for all
 * that has been handed over to pass the slowest line.
 *
 * @throws VantageError UPLOAD_STALLED; what `send` throws
 */
export async function whileBytesFlow<T>(
  signal: AbortSignal,
  send: (signal: AbortSignal, onProgress: (progress: { readonly loadedBytes: number }) => void) => Promise<T>,
  { quietMs, bytesPerSecond }: Patience = PATIENCE,
): Promise<T> {
  const stall = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let allowedMs = 0;
  const onProgress = ({ loadedBytes }: { readonly loadedBytes: number }): void => {
    clearTimeout(timer);
    allowedMs = quietMs + (loadedBytes / bytesPerSecond) * 1000;
    timer = setTimeout(() => stall.abort(), allowedMs);
  };
  onProgress({ loadedBytes: 0 });
  try {
    return await send(AbortSignal.any([signal, stall.signal]), onProgress);
  } catch (error) {
    if (stall.signal.aborted && !signal.aborted) throw stalled(allowedMs, error);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
