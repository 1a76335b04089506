import { table } from '../table.ts';
import type { MotScores } from './score.ts';

const RATES = ['MOTA', 'IDF1', 'HOTA', 'DetA', 'AssA', 'MOTP', 'recall', 'precision'] as const;
const COUNTS = ['FP', 'FN', 'IDs', 'FM', 'GT', 'MT', 'PT', 'ML'] as const;

/** Scores for people: rates in percent (MOTP as the mean distance 1 - IoU), then counts. */
export function scoreLines(scores: MotScores): string[] {
  return [
    ...table(RATES, [RATES.map((name) => (scores[name] * 100).toFixed(1))]),
    '',
    ...table(COUNTS, [COUNTS.map((name) => String(scores[name]))]),
  ];
}
