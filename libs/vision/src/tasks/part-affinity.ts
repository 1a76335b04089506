import { MISSING, poseOf, sourceKeypoint } from './poses.ts';
import type { Skeleton } from './skeletons.ts';
import type { Fit } from '../fit.ts';
import type { Pose } from '../results.ts';

/** A stack of maps inside a tensor; distances in elements. */
export interface Maps {
  readonly data: Float32Array;
  readonly base: number;
  readonly rows: number;
  readonly columns: number;
  readonly perChannel: number;
  readonly perRow: number;
  readonly perColumn: number;
}

export interface AssemblyOptions {
  readonly skeleton: Skeleton;
  /** Least score of a joint. */
  readonly threshold: number;
  readonly fit: Fit;
  readonly networkWidth: number;
  readonly networkHeight: number;
  readonly componentId: number;
}

/** Bounds: joints of one kind in a picture, and people. Maps of noise would otherwise take a second. */
const MAX_PEAKS = 96;
const MAX_PEOPLE = 128;
const SAMPLES = 10;
/** OpenPose: how strong a field has to be along a limb, at how many of the samples. */
const FIELD_THRESHOLD = 0.05;
const FIELD_SHARE = 0.8;
const FEWEST_JOINTS = 3;

/** All joints of all kinds, kind by kind, best first. Positions in cells of the heat maps. */
interface Peaks {
  readonly x: number[];
  readonly y: number[];
  readonly score: number[];
  /** First joint of each kind, and the end. */
  readonly start: number[];
}

/**
 * People from heat maps of joints and part affinity fields: joints are local maxima, connections are scored by the
 * field along the line between two joints, taken best first, and joined to people.
 *
 * Source: Cao et al., Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields (arXiv:1611.08050).
 */
export function assemblePeople(heat: Maps, fields: Maps, options: AssemblyOptions): Pose[] {
  const peaks = findPeaks(heat, options.skeleton.names.length, options.threshold);
  const people: Int32Array[] = [];
  for (const [from, to, channelX, channelY] of options.skeleton.limbs) {
    for (const [a, b] of connections(peaks, from, to, channelX, channelY, heat, fields)) {
      joinPeople(people, from, a, to, b, options.skeleton.names.length);
    }
  }
  const poses: Pose[] = [];
  for (const person of people) {
    if (person.reduce((sum, joint) => sum + (joint >= 0 ? 1 : 0), 0) < FEWEST_JOINTS) continue;
    const pose = toPose(person, peaks, heat, options);
    if (pose !== undefined) poses.push(pose);
  }
  return poses.sort((a, b) => b.score - a.score);
}

function findPeaks(heat: Maps, kinds: number, threshold: number): Peaks {
  const peaks: Peaks = { x: [], y: [], score: [], start: [0] };
  const { data, rows, columns, perRow, perColumn } = heat;
  for (let kind = 0; kind < kinds; kind += 1) {
    const base = heat.base + kind * heat.perChannel;
    const value = (x: number, y: number): number =>
      x < 0 || y < 0 || x >= columns || y >= rows ? -Infinity : (data[base + y * perRow + x * perColumn] as number);
    const found: { x: number; y: number; score: number }[] = [];
    for (let y = 0; y < rows; y += 1) {
      for (let x = 0; x < columns; x += 1) {
        const score = value(x, y);
        if (!(score > threshold && score < Infinity)) continue;
        // Of equal neighbours the first one counts.
        if (
          score <= value(x - 1, y) ||
          score <= value(x, y - 1) ||
          score < value(x + 1, y) ||
          score < value(x, y + 1)
        ) {
          continue;
        }
        found.push({
          x: x + offCentre(value(x - 1, y), score, value(x + 1, y)),
          y: y + offCentre(value(x, y - 1), score, value(x, y + 1)),
          score: Math.min(1, score),
        });
      }
    }
    found.sort((a, b) => b.score - a.score);
    for (const { x, y, score } of found.slice(0, MAX_PEAKS)) {
      peaks.x.push(x);
      peaks.y.push(y);
      peaks.score.push(score);
    }
    peaks.start.push(peaks.x.length);
  }
  return peaks;
}

/** Where the top of a parabola through three values lies, -0.5 to 0.5 cells from the middle one. */
function offCentre(before: number, middle: number, after: number): number {
  const bend = before - 2 * middle + after;
  if (!(bend < 0 && bend > -Infinity)) return 0;
  return Math.max(-0.5, Math.min(0.5, (before - after) / (2 * bend)));
}

/** Pairs of joints that belong together, best first, each joint once. */
function connections(
  peaks: Peaks,
  from: number,
  to: number,
  channelX: number,
  channelY: number,
  heat: Maps,
  fields: Maps,
): [number, number][] {
  const candidates: { a: number; b: number; score: number }[] = [];
  for (let a = peaks.start[from] as number; a < (peaks.start[from + 1] as number); a += 1) {
    for (let b = peaks.start[to] as number; b < (peaks.start[to + 1] as number); b += 1) {
      const score = fieldAlong(peaks, a, b, channelX, channelY, heat, fields);
      if (score > 0) candidates.push({ a, b, score });
    }
  }
  candidates.sort((one, other) => other.score - one.score);
  const taken = new Set<number>();
  const pairs: [number, number][] = [];
  for (const { a, b } of candidates) {
    if (taken.has(a) || taken.has(b)) continue;
    taken.add(a).add(b);
    pairs.push([a, b]);
  }
  return pairs;
}

/** Mean of the field in the direction from joint `a` to joint `b`; 0 when too little of the way has a field. */
function fieldAlong(
  { x, y }: Peaks,
  a: number,
  b: number,
  channelX: number,
  channelY: number,
  heat: Maps,
  fields: Maps,
): number {
  const scaleX = fields.columns / heat.columns;
  const scaleY = fields.rows / heat.rows;
  const fromX = ((x[a] as number) + 0.5) * scaleX;
  const fromY = ((y[a] as number) + 0.5) * scaleY;
  const dx = ((x[b] as number) + 0.5) * scaleX - fromX;
  const dy = ((y[b] as number) + 0.5) * scaleY - fromY;
  const length = Math.hypot(dx, dy);
  if (length < 1e-6) return 0;
  let sum = 0;
  let strong = 0;
  for (let step = 0; step < SAMPLES; step += 1) {
    const part = step / (SAMPLES - 1);
    const column = Math.min(fields.columns - 1, Math.max(0, Math.floor(fromX + part * dx)));
    const row = Math.min(fields.rows - 1, Math.max(0, Math.floor(fromY + part * dy)));
    const at = fields.base + row * fields.perRow + column * fields.perColumn;
    const along =
      ((fields.data[at + channelX * fields.perChannel] as number) * dx +
        (fields.data[at + channelY * fields.perChannel] as number) * dy) /
      length;
    sum += along;
    if (along > FIELD_THRESHOLD) strong += 1;
  }
  return strong >= FIELD_SHARE * SAMPLES ? sum / SAMPLES : 0;
}

function joinPeople(people: Int32Array[], from: number, a: number, to: number, b: number, kinds: number): void {
  const one = people.find((person) => person[from] === a);
  const other = people.find((person) => person[to] === b);
  if (one === undefined && other === undefined) {
    if (people.length >= MAX_PEOPLE) return;
    const person = new Int32Array(kinds).fill(-1);
    person[from] = a;
    person[to] = b;
    people.push(person);
  } else if (one === undefined || other === undefined) {
    const [person, kind, joint] = one === undefined ? [other as Int32Array, from, a] : [one, to, b];
    if (person[kind] === -1) person[kind] = joint;
  } else if (one !== other && one.every((joint, kind) => joint < 0 || (other[kind] as number) < 0)) {
    for (let kind = 0; kind < kinds; kind += 1) if ((one[kind] as number) < 0) one[kind] = other[kind] as number;
    people.splice(people.indexOf(other), 1);
  }
}

function toPose(person: Int32Array, { x, y, score }: Peaks, heat: Maps, options: AssemblyOptions): Pose | undefined {
  const { skeleton, fit, networkWidth, networkHeight, componentId } = options;
  const keypoints = Array.from(person, (joint) => {
    if (joint < 0) return MISSING;
    const px = (((x[joint] as number) + 0.5) / heat.columns) * networkWidth;
    const py = (((y[joint] as number) + 0.5) / heat.rows) * networkHeight;
    return sourceKeypoint(px, py, score[joint] as number, fit);
  });
  return poseOf(keypoints, skeleton.names, componentId);
}
