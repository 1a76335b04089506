import { dimOf, floatsOf, thresholdOf } from './shape.ts';
import type { ParseSettings, TensorData } from './types.ts';

/** A box of a YOLOv8 head: its value `row` is `data[at + row * step]`. */
export interface YoloRow {
  readonly data: ArrayLike<number>;
  readonly at: number;
  readonly step: number;
  /** Where the values behind those of the classes begin. */
  readonly rest: number;
  /** Place among the boxes. */
  readonly index: number;
  readonly classId: number;
  readonly score: number;
}

/**
 * The boxes of a YOLOv8-like head with a class that is sure enough: x, y, width and height, a score for each class, and
 * `behind` values more.
 *
 * @param transposed rows are boxes, not values
 */
export function eachSureRow(
  tensors: readonly TensorData[],
  batchIndex: number,
  { transposed, behind }: { readonly transposed: boolean; readonly behind: number },
  settings: ParseSettings,
  visit: (row: YoloRow) => void,
): void {
  const data = floatsOf(tensors, 0);
  const boxes = dimOf(tensors, 0, transposed ? 1 : 2);
  const rows = dimOf(tensors, 0, transposed ? 2 : 1);
  const [perBox, step] = transposed ? [rows, 1] : [1, boxes];
  const classes = rows - 4 - behind;
  for (let index = 0, at = batchIndex * boxes * rows; index < boxes; index += 1, at += perBox) {
    let classId = 0;
    let score = data[at + 4 * step] as number;
    for (let c = 1; c < classes; c += 1) {
      const value = data[at + (4 + c) * step] as number;
      if (value > score) {
        score = value;
        classId = c;
      }
    }
    if (score < settings.lowestThreshold || score < thresholdOf(settings, classId)) continue;
    visit({ data, at, step, rest: at + (4 + classes) * step, index, classId, score });
  }
}
