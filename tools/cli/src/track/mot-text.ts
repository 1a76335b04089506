import { VantageError } from '@vantage/contracts';
import type { Box } from '@vantage/vision';

/** More frames than this in one file are a mistake (a day at 30 frames/s has 2.6 million). */
const MAX_FRAME = 10_000_000;

/** One row of MOT-Challenge text. */
export interface MotRow {
  /** One-based. */
  readonly line: number;
  /** Counts from 1. */
  readonly frame: number;
  /** -1 in detections. */
  readonly id: number;
  /** In pixels. */
  readonly box: Box;
  /** Of a detection its score, of ground truth 0 for a row that does not count. */
  readonly confidence: number;
  /** Of ground truth of MOT16 and later; 1 is a pedestrian. Undefined where there is none. */
  readonly classId: number | undefined;
}

/**
 * Reads MOT-Challenge text: `frame, id, left, top, width, height, confidence, x, y, z` a line, of which the first six
 * are needed; spaces, tabs or commas between them. In ground truth of MOT16 and later the eighth is the class.
 *
 * @param file as the user wrote it, for errors
 * @throws VantageError `MOT_TEXT_INVALID` that names file and line
 * Source: motchallenge.net/instructions; MOT16 (Milan et al. 2016), table 5.
 */
export function readMotText(text: string, file: string, what: 'detections' | 'tracks' = 'tracks'): MotRow[] {
  const rows: MotRow[] = [];
  text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .forEach((line, at) => {
      const content = line.trim();
      if (content === '' || content.startsWith('#')) return;
      const fail = (message: string): never => {
        throw new VantageError('MOT_TEXT_INVALID', `${file}:${at + 1}: ${message}`);
      };
      const cells = content.split(/\s*[,;]\s*|\s+/);
      if (cells.length < 6) fail('a row needs at least frame, id, left, top, width, height');
      const values = cells.map((cell) => (cell === '' ? Number.NaN : Number(cell)));
      const bad = values.slice(0, 7).findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) fail(`${COLUMNS[bad] ?? 'a value'} '${printable(cells[bad] ?? '')}' is not a number`);
      const [frame = 0, id = -1, left = 0, top = 0, width = 0, height = 0, confidence = 1, classId] = values;
      if (!Number.isInteger(frame) || frame < 1 || frame > MAX_FRAME)
        fail(`frame ${frame} is not a number from 1 to ${MAX_FRAME}`);
      if (!Number.isSafeInteger(id)) fail(`id ${id} is not a whole number`);
      const known = what === 'tracks' && classId !== undefined && Number.isInteger(classId) && classId > 0;
      rows.push({
        line: at + 1,
        frame,
        id,
        box: { left, top, width, height },
        confidence,
        classId: known ? classId : undefined,
      });
    });
  return rows;
}

const COLUMNS = ['frame', 'id', 'left', 'top', 'width', 'height', 'confidence'];

function printable(cell: string): string {
  return cell.replace(/[^\x20-\x7E]/g, '?').slice(0, 40);
}

/** A row of a result: what MOT-Challenge's tools read. */
export function motLine(frame: number, id: number, { left, top, width, height }: Box, confidence: number): string {
  const cells = [frame, id, ...[left, top, width, height].map(short), short(confidence), -1, -1, -1];
  return `${cells.join(',')}\n`;
}

function short(value: number): number {
  return Math.round(value * 1000) / 1000;
}
