import type { DemoTruthRow } from './index.ts';

/** What a detector said about one frame. The box is in pixels of the film. */
export interface ScoredDetection {
  readonly label: string;
  readonly confidence: number;
  /** `[left, top, width, height]` */
  readonly box: readonly [number, number, number, number];
}

export interface ClassScore {
  /** Boxes that had to be found: at least half visible. */
  readonly wanted: number;
  readonly found: number;
  /** Detections that meet no box, not even a hidden one. */
  readonly falseAlarms: number;
}

/** Share of an object that must be visible for it to be wanted, in percent. */
const VISIBLE = 50;
const OVERLAP = 0.5;

/**
 * Compares the detections of one frame with what is really in it, class by class: best confidence first, each box
 * taken once, IoU of at least 0.5. The same rules as `training/evaluate.py`.
 */
export function scoreFrame(
  detections: readonly ScoredDetection[],
  truth: readonly DemoTruthRow[],
  classes: readonly string[],
): ReadonlyMap<string, ClassScore> {
  return new Map(
    classes.map((label, index) => {
      const rows = truth.filter(([name]) => name === index);
      const taken = new Set<DemoTruthRow>();
      let falseAlarms = 0;
      const ours = detections.filter((found) => found.label === label).sort((a, b) => b.confidence - a.confidence);
      for (const { box } of ours) {
        const near = rows.map((row) => ({ row, overlap: overlapOf(box, row) })).sort((a, b) => b.overlap - a.overlap);
        const best = near.find(({ row, overlap }) => overlap >= OVERLAP && !taken.has(row));
        if (best) taken.add(best.row);
        else if (!near.some(({ row, overlap }) => overlap > 0.1 && row[6] < VISIBLE)) falseAlarms += 1;
      }
      const wanted = rows.filter((row) => row[6] >= VISIBLE);
      return [label, { wanted: wanted.length, found: wanted.filter((row) => taken.has(row)).length, falseAlarms }];
    }),
  );
}

function overlapOf([left, top, width, height]: ScoredDetection['box'], [, , x0, y0, x1, y1]: DemoTruthRow): number {
  const across = Math.min(left + width, x1) - Math.max(left, x0);
  const down = Math.min(top + height, y1) - Math.max(top, y0);
  if (across <= 0 || down <= 0) return 0;
  const both = across * down;
  return both / (width * height + (x1 - x0) * (y1 - y0) - both);
}
