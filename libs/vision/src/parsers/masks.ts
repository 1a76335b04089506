import type { CandidateList } from '../candidates.ts';
import type { Mask } from '../detection.ts';
import type { Fit } from '../fit.ts';
import { dimOf, floatsOf } from './shape.ts';
import type { NetworkInfo, ReadMask, TensorInfo } from './types.ts';

/** The part of a candidate that is inside the picture, in network pixels: what the box of its detection covers. */
function visible(candidates: CandidateList, index: number, fit: Fit): [number, number, number, number] | undefined {
  const left = Math.max(candidates.x1[index] as number, fit.offsetX);
  const top = Math.max(candidates.y1[index] as number, fit.offsetY);
  const right = Math.min(candidates.x2[index] as number, fit.offsetX + fit.width);
  const bottom = Math.min(candidates.y2[index] as number, fit.offsetY + fit.height);
  return right > left && bottom > top ? [left, top, right, bottom] : undefined;
}

/** Index of the output with mask prototypes, `[batch, k, rows, columns]`, and their number. */
export function prototypesOf(outputs: readonly TensorInfo[]): { index: number; count: number } | undefined {
  const index = outputs.findIndex(({ dims }) => dims.length === 4);
  const count = outputs[index]?.dims[1] ?? 0;
  return index >= 0 && count > 0 && count <= 256 ? { index, count } : undefined;
}

/**
 * Masks as YOLACT and YOLO's -seg heads give them: probability = sigmoid(coefficients of the box x prototypes), looked
 * at inside the box. Source: Bolya et al., YOLACT (arXiv:1904.02689); ultralytics, utils/ops.py (process_mask).
 *
 * @param head output with the boxes
 * @param coefficient where coefficient `k` of row `row` lies in that output, for a picture of the batch
 */
export function prototypeMasks(
  outputs: readonly TensorInfo[],
  net: NetworkInfo,
  head: number,
  coefficient: (dims: readonly number[], batchIndex: number, row: number) => { at: number; step: number },
): ReadMask | undefined {
  const prototypes = prototypesOf(outputs);
  if (prototypes === undefined) return undefined;
  return (tensors, batchIndex, candidates, index, fit) => {
    const row = candidates.row[index] as number;
    const box = visible(candidates, index, fit);
    if (row < 0 || box === undefined) return undefined;
    const boxes = floatsOf(tensors, head);
    const { at, step } = coefficient(tensors[head]?.dims ?? [], batchIndex, row);
    const maps = floatsOf(tensors, prototypes.index);
    const rows = dimOf(tensors, prototypes.index, 2);
    const columns = dimOf(tensors, prototypes.index, 3);
    const base = batchIndex * prototypes.count * rows * columns;
    const logits = (x: number, y: number): number => {
      const cell =
        base + Math.min(rows - 1, Math.floor(y * rows)) * columns + Math.min(columns - 1, Math.floor(x * columns));
      let sum = 0;
      for (let k = 0; k < prototypes.count; k += 1) {
        sum += (boxes[at + k * step] as number) * (maps[cell + k * rows * columns] as number);
      }
      return 1 / (1 + Math.exp(-sum));
    };
    const [left, top, right, bottom] = box.map(
      (value, i) => value / (i % 2 === 0 ? net.width : net.height),
    ) as typeof box;
    const width = Math.max(1, Math.round((right - left) * columns));
    const height = Math.max(1, Math.round((bottom - top) * rows));
    return sampled(width, height, (u, v) => logits(left + u * (right - left), top + v * (bottom - top)));
  };
}

/**
 * Masks as Mask R-CNN gives them: a small grid of probabilities for each box, `[..., rows of boxes, classes or 1, rows,
 * columns]`, stretched over the whole box.
 */
export function gridMasks(output: number, logits: boolean): ReadMask {
  return (tensors, batchIndex, candidates, index, fit) => {
    const row = candidates.row[index] as number;
    const box = visible(candidates, index, fit);
    const dims = tensors[output]?.dims ?? [];
    if (row < 0 || box === undefined || dims.length < 4) return undefined;
    const data = floatsOf(tensors, output);
    const [boxes = 1, classes = 1, rows = 1, columns = 1] = dims.slice(-4);
    const classId = classes > 1 ? Math.min(classes - 1, candidates.classId[index] as number) : 0;
    const picture = dims.length > 4 ? batchIndex * boxes : 0;
    const base = ((picture + row) * classes + classId) * rows * columns;
    const x1 = candidates.x1[index] as number;
    const y1 = candidates.y1[index] as number;
    const wide = (candidates.x2[index] as number) - x1;
    const high = (candidates.y2[index] as number) - y1;
    const [left, top, right, bottom] = box;
    return sampled(columns, rows, (u, v) => {
      const column = Math.min(columns - 1, Math.floor(((left + u * (right - left) - x1) / wide) * columns));
      const line = Math.min(rows - 1, Math.floor(((top + v * (bottom - top) - y1) / high) * rows));
      const value = data[base + line * columns + column] as number;
      return logits ? 1 / (1 + Math.exp(-value)) : value;
    });
  };
}

/** A mask from probabilities at the middle of its cells; `u` and `v` run from 0 to 1 over the box. */
function sampled(width: number, height: number, probability: (u: number, v: number) => number): Mask {
  const data = new Uint8Array(width * height);
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 1) {
      data[at] = Math.max(0, Math.min(255, Math.round(probability((x + 0.5) / width, (y + 0.5) / height) * 255)));
    }
  }
  return { width, height, data };
}
