import type { NodeTime } from '../types.ts';

const NANOS = 1_000_000_000;

/** Milliseconds since the Unix epoch: seconds * 1000 + nanos / 1,000,000 (contract A: 5 s + 250,000,000 ns = 5250). */
export function timeToMs(time: NodeTime): number {
  return Number(time.seconds) * 1000 + time.nanos / 1_000_000;
}

/** @param ms milliseconds since the Unix epoch */
export function timeFromMs(ms: number): NodeTime {
  if (!Number.isFinite(ms)) return { seconds: 0n, nanos: 0 };
  const micros = Math.round(ms * 1000);
  const seconds = Math.floor(micros / 1_000_000);
  return { seconds: BigInt(seconds), nanos: (micros - seconds * 1_000_000) * 1000 };
}

/** Brings nanos into 0..999,999,999, carrying into the seconds. */
export function normaliseTime({ seconds, nanos }: NodeTime): NodeTime {
  if (nanos >= 0 && nanos < NANOS) return { seconds, nanos };
  const carry = Math.floor(nanos / NANOS);
  return { seconds: seconds + BigInt(carry), nanos: nanos - carry * NANOS };
}
