import { VantageError } from '@vantage/contracts';
import { iou } from '@vantage/vision';
import type { MotRow } from './mot-text.ts';

/** Two boxes of a frame that overlap: a true one and a tracked one, as places in the frame's lists. */
export interface Overlap {
  readonly object: number;
  readonly track: number;
  readonly iou: number;
}

export interface SequenceFrame {
  /** Numbers of the objects and tracks that are in the frame, 0 up, each once. */
  readonly objects: readonly number[];
  readonly tracks: readonly number[];
  readonly overlaps: readonly Overlap[];
}

/** Ground truth and result side by side. */
export interface Sequence {
  /** In the order of time; frames with nothing are left out. */
  readonly frames: readonly SequenceFrame[];
  /** Frames that each object is in. */
  readonly objectLengths: readonly number[];
  readonly trackLengths: readonly number[];
}

/**
 * Rows of ground truth with confidence 0 do not count.
 *
 * @throws VantageError `MOT_TEXT_INVALID` when an id is twice in a frame
 */
export function pairUp(
  truth: { readonly rows: readonly MotRow[]; readonly file: string },
  result: { readonly rows: readonly MotRow[]; readonly file: string },
): Sequence {
  const objects = byFrame(
    truth.rows.filter(({ confidence }) => confidence !== 0),
    truth.file,
  );
  const tracks = byFrame(result.rows, result.file);
  const times = [...new Set([...objects.frames.keys(), ...tracks.frames.keys()])].sort((a, b) => a - b);
  const frames = times.map((time) => {
    const own = objects.frames.get(time) ?? [];
    const found = tracks.frames.get(time) ?? [];
    const overlaps: Overlap[] = [];
    own.forEach(({ row: { box } }, object) => {
      found.forEach(({ row }, track) => {
        const overlap = iou(box, row.box);
        if (overlap > 0) overlaps.push({ object, track, iou: overlap });
      });
    });
    return { objects: own.map(({ number }) => number), tracks: found.map(({ number }) => number), overlaps };
  });
  return { frames, objectLengths: objects.lengths, trackLengths: tracks.lengths };
}

interface Numbered {
  readonly row: MotRow;
  /** The id's place among all ids. */
  readonly number: number;
}

function byFrame(rows: readonly MotRow[], file: string): { frames: Map<number, Numbered[]>; lengths: number[] } {
  const numbers = new Map<number, number>();
  const lengths: number[] = [];
  const frames = new Map<number, Numbered[]>();
  for (const row of [...rows].sort((a, b) => a.frame - b.frame || a.line - b.line)) {
    let number = numbers.get(row.id);
    if (number === undefined) numbers.set(row.id, (number = numbers.size));
    const frame = frames.get(row.frame) ?? [];
    if (frame.some((other) => other.number === number)) {
      throw new VantageError('MOT_TEXT_INVALID', `${file}:${row.line}: id ${row.id} is in frame ${row.frame} twice`);
    }
    frame.push({ row, number });
    frames.set(row.frame, frame);
    lengths[number] = (lengths[number] ?? 0) + 1;
  }
  return { frames, lengths };
}
