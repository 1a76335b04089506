import type { SessionLayout } from './model-spec.ts';

type Shape = Pick<SessionLayout, 'sessions' | 'threads'>;

/** A session whose runs are this short serves more cameras than a machine decodes. */
export const FAST_ENOUGH_MS = 4;
const MOST_SESSIONS = 4;
/** Less gained is noise; sessions of one thread then win: what they yield does not hang on how work is divided. */
const WORTH = 1.15;

export interface MeasuredLayout extends Shape {
  /** All sessions together. */
  readonly runsPerSecond: number;
}

/** Ways to put a model on some cores, the preferred one first. */
export function layoutsFor(cores: number): Shape[] {
  if (cores <= 1) return [{ sessions: 1, threads: 1 }];
  const sessions = Math.min(cores, MOST_SESSIONS);
  return [
    { sessions, threads: Math.floor(cores / sessions) },
    { sessions: 1, threads: cores },
  ];
}

/** The fastest; the first of those that are about as fast. */
export function bestLayout(measured: readonly MeasuredLayout[]): SessionLayout {
  let best: MeasuredLayout | undefined;
  for (const other of measured) if (!best || other.runsPerSecond > best.runsPerSecond * WORTH) best = other;
  return {
    sessions: best?.sessions ?? 1,
    threads: best?.threads ?? 1,
    reason: measured.map(sentence).join('; '),
  };
}

function sentence({ sessions, threads, runsPerSecond }: MeasuredLayout): string {
  const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
  return `${plural(sessions, 'session')} with ${plural(threads, 'thread')}: ${runsPerSecond.toFixed(1)} runs/s`;
}
