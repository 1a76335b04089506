import { unexpectedOutput } from '../errors.ts';
import { asFloats } from '../tensor-view.ts';
import type { NetworkInfo, ParseSettings, TensorData, TensorInfo } from './types.ts';

/** Cells of the grids of a one-stage detector, all strides together. */
export function cellCount(net: NetworkInfo, strides: readonly number[]): number {
  return strides.reduce((sum, stride) => sum + Math.floor(net.width / stride) * Math.floor(net.height / stride), 0);
}

/** Strides of most one-stage detectors, and of their larger "P6" models. */
export const STRIDE_SETS: readonly (readonly number[])[] = [
  [8, 16, 32],
  [8, 16, 32, 64],
];

/** How many boxes a head gives for each grid cell, or undefined if `boxes` is no multiple of any known grid. */
export function boxesPerCell(net: NetworkInfo, boxes: number): number | undefined {
  for (const strides of STRIDE_SETS) {
    const cells = cellCount(net, strides);
    if (boxes === cells) return 1;
    if (boxes === 3 * cells) return 3;
  }
  return undefined;
}

/** `num-detected-classes`, or else the number of labels. */
export function knownClassCount(net: NetworkInfo): number | undefined {
  return net.classCount ?? (net.labels && net.labels.length > 0 ? net.labels.length : undefined);
}

/** The only output of a model when it has the given rank; other outputs (masks) are allowed with `among`. */
export function soleOutput(outputs: readonly TensorInfo[], rank: number): TensorInfo | undefined {
  const [output] = outputs;
  return outputs.length === 1 && output?.dims.length === rank ? output : undefined;
}

/** `output [1, 8400, 85] float32, ...`: how outputs are named to people. */
export function describeOutputs(outputs: readonly TensorInfo[]): string {
  return outputs
    .map(({ name, dims, type }) => `${name} [${dims.map((dim) => (dim < 0 ? '?' : dim)).join(', ')}] ${type}`)
    .join(', ');
}

/** Output `index` as floats, at least as many as its shape says. Other element types than float32 are copied. */
export function floatsOf(tensors: readonly TensorData[], index: number): Float32Array {
  const tensor = tensors[index];
  if (tensor === undefined) throw unexpectedOutput(`the model gave no output ${index}`);
  return asFloats(tensor);
}

export function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

/** Where sigmoid(x) = p: lets a loop compare logits with a threshold and take no exponential of what it drops. */
export function logit(probability: number): number {
  if (probability <= 0) return -Infinity;
  return probability >= 1 ? Infinity : Math.log(probability / (1 - probability));
}

/** Whether a name was asked for, in any spelling (case, dashes and underscores do not matter). */
export function isRequested(net: NetworkInfo, ...names: string[]): boolean {
  const wanted = plainName(net.requested ?? '');
  return wanted !== '' && names.some((name) => plainName(name) === wanted);
}

export function plainName(name: string): string {
  return name.toLowerCase().replace(/[-_ ]/g, '');
}

/** Size of dimension `axis` of output `index`, counted from the end for a negative axis. */
export function dimOf(tensors: readonly TensorData[], index: number, axis: number): number {
  const dim = tensors[index]?.dims.at(axis);
  if (dim === undefined) throw unexpectedOutput(`output ${tensors[index]?.name ?? index} lacks dimension ${axis}`);
  return dim;
}

/** A number of a tensor of any element type. */
export function numberAt(tensor: TensorData, index: number): number {
  const value = tensor.data[index];
  return typeof value === 'bigint' ? Number(value) : (value ?? Number.NaN);
}

/** The threshold of a class. */
export function thresholdOf(settings: ParseSettings, classId: number): number {
  return classId < settings.thresholds.length ? (settings.thresholds[classId] as number) : settings.otherThreshold;
}

/**
 * Makes parse settings.
 *
 * @param threshold for all classes
 * @param perClass for single classes
 * @param switchedOff classes that are never wanted (`filter-out-class-ids`)
 */
export function parseSettings(
  threshold: number,
  perClass: ReadonlyMap<number, number> = new Map(),
  switchedOff: readonly number[] = [],
): ParseSettings {
  const special = Math.max(-1, ...perClass.keys(), ...switchedOff);
  const thresholds = new Float32Array(special + 1).fill(threshold);
  for (const [classId, own] of perClass) thresholds[classId] = own;
  for (const classId of switchedOff) thresholds[classId] = Number.POSITIVE_INFINITY;
  // Thresholds are compared as 32-bit floats, like the scores: 0.3 is then not below a score of 0.3.
  const otherThreshold = Math.fround(threshold);
  return { thresholds, otherThreshold, lowestThreshold: Math.min(otherThreshold, ...thresholds) };
}
