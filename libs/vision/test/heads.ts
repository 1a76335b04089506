/** Small outputs of models, for specs. */
import { CandidateList } from '../src/candidates.ts';
import { chooseParser } from '../src/parsers/choose.ts';
import { parseSettings } from '../src/parsers/shape.ts';
import type { NetworkInfo, TensorData, TensorInfo } from '../src/parsers/types.ts';

export type Output = TensorData & TensorInfo;

export interface Found {
  readonly box: number[];
  readonly score: number;
  readonly classId: number;
  readonly points?: number[];
}

/** A tensor of zeros (or `rest`) with single values set by their index. */
export function tensor(name: string, dims: number[], fill: Record<number, number> = {}, rest = 0): Output {
  const data = new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(rest);
  for (const [at, value] of Object.entries(fill)) data[Number(at)] = value;
  return { name, dims, data, type: 'float32' };
}

export function info(name: string, ...dims: number[]): TensorInfo {
  return { name, dims, type: 'float32' };
}

/** Values at distances of `step` from `from`. */
export function at(from: number, step: number, values: readonly number[]): Record<number, number> {
  return Object.fromEntries(values.map((value, i) => [from + i * step, value]));
}

export function logit(p: number): number {
  return Math.log(p / (1 - p));
}

export const round = (value: number): number => Math.round(value * 100) / 100;

export function parse(
  outputs: Output[],
  net: NetworkInfo,
  { requested, batchIndex = 0, threshold = 0.3 }: { requested?: string; batchIndex?: number; threshold?: number } = {},
): { parser: string; suppression: string; found: Found[] } {
  const { parser, suppression } = chooseParser({ requested, outputs, net });
  const list = new CandidateList();
  parser.create(outputs, net)(outputs, batchIndex, parseSettings(threshold), list);
  const found = Array.from({ length: list.count }, (_, i): Found => {
    const box = [list.x1[i]!, list.y1[i]!, list.x2[i]!, list.y2[i]!].map(round);
    const entry = { box, score: round(list.score[i]!), classId: list.classId[i]! };
    const points = [...list.points.subarray(i * list.pointCount * 2, (i + 1) * list.pointCount * 2)].map(round);
    return points.length > 0 ? { ...entry, points } : entry;
  });
  return { parser: parser.name, suppression, found };
}
