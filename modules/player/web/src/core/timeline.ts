/** A stretch of time, epoch milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const STEPS = [
  SECOND, 5 * SECOND, 15 * SECOND, 30 * SECOND,
  MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
  DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, 365 * DAY,
] as const; // prettier-ignore

/** Spans that an operator asks for, newest last. */
export const RANGES = [
  { name: 'Hour', ms: HOUR },
  { name: 'Day', ms: DAY },
  { name: 'Week', ms: 7 * DAY },
  { name: 'Month', ms: 30 * DAY },
  { name: 'Year', ms: 365 * DAY },
] as const;

/** Round times in a span for a scale of at most `most` marks, by the clock of the given offset. */
export function ticks({ from, to }: Span, most: number, offsetMinutes = 0): number[] {
  const step = STEPS.find((one) => (to - from) / one <= most) ?? 365 * DAY;
  const shift = offsetMinutes * MINUTE;
  const marks: number[] = [];
  for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step) marks.push(at);
  return marks;
}

/** The span with half or twice the length around a point, never shorter than ten seconds. */
export function zoom({ from, to }: Span, factor: number, around: number): Span {
  const length = Math.min(10 * 365 * DAY, Math.max(10 * SECOND, (to - from) * factor));
  const share = (around - from) / (to - from);
  return { from: around - share * length, to: around + (1 - share) * length };
}

export function pan({ from, to }: Span, share: number): Span {
  const by = (to - from) * share;
  return { from: from + by, to: to + by };
}

/** Heights 0..1 of bars for counts: few are seen beside many. */
export function barHeights(counts: readonly number[]): number[] {
  const most = Math.max(1, ...counts);
  return counts.map((count) => (count === 0 ? 0 : 0.15 + 0.85 * Math.sqrt(count / most)));
}
