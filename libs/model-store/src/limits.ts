/** What a package may cost. Sizes in bytes, times in milliseconds. */
export interface ModelStoreLimits {
  /** Largest zip that is downloaded or read. */
  readonly downloadBytes: number;
  /** Largest sum of all unpacked files. */
  readonly unpackedBytes: number;
  /** Entries in the zip's directory, ignored ones included. */
  readonly entries: number;
  /** Unpacked bytes per packed byte, for one entry and for the zip as a whole, counted from 1 MiB unpacked on. */
  readonly ratio: number;
  /** Folders within folders. */
  readonly depth: number;
  /** Until the server answers with its headers. */
  readonly responseTimeoutMs: number;
  /** Without a single byte while downloading. */
  readonly idleTimeoutMs: number;
  /** The whole download, all tries together. */
  readonly totalTimeoutMs: number;
  /** Tries of a download, the first included. */
  readonly tries: number;
  /** First wait between tries; it doubles each time, up to 30 s. */
  readonly retryBaseMs: number;
  /** Unpacked packages kept on disk; the ones unused for longest go first. */
  readonly cachedPackages: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: ModelStoreLimits = {
  downloadBytes: 2048 * MIB,
  unpackedBytes: 4096 * MIB,
  entries: 10_000,
  ratio: 200,
  depth: 16,
  responseTimeoutMs: 30_000,
  idleTimeoutMs: 30_000,
  totalTimeoutMs: 30 * 60_000,
  tries: 4,
  retryBaseMs: 1000,
  cachedPackages: 16,
};

/** Below this many unpacked bytes the ratio says nothing: small text files compress very well. */
export const RATIO_FROM_BYTES = MIB;

export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < MIB ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / MIB).toFixed(1)} MiB`;
}
