/** One measurement: our way and a reference, side by side in one run. */
export interface Bench {
  readonly id: string;
  readonly title: string;
  /** Unit of `ours` and `reference`. */
  readonly unit: string;
  /** What `ours / reference` has to reach. */
  readonly goal: number;
  readonly better: 'higher' | 'lower';
  run(note: (text: string) => void): Promise<Measured | Skipped>;
}

/** It cannot be measured here. */
export interface Skipped {
  /** Why, for people. */
  readonly skipped: string;
}

export interface Measured {
  readonly ours: number;
  readonly reference: number;
  /** Further figures worth knowing, with their limits where they have some. */
  readonly extra?: Readonly<Record<string, number>>;
  /** A limit beside the ratio that was not kept, in words. */
  readonly failed?: string;
}

export interface BenchResult extends Measured {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly ratio: number;
  readonly goal: number;
  readonly better: 'higher' | 'lower';
  readonly met: boolean;
}

export function judge(bench: Bench, measured: Measured): BenchResult {
  const ratio = Math.round((measured.ours / measured.reference) * 1000) / 1000;
  const reached = bench.better === 'higher' ? ratio >= bench.goal : ratio <= bench.goal;
  const { id, title, unit, goal, better } = bench;
  return { id, title, unit, ...measured, ratio, goal, better, met: reached && measured.failed === undefined };
}

/** The middle value: one disturbed round does not move it. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
