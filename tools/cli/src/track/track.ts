import { writeFile } from 'node:fs/promises';
import { locateHere, resolveTracker } from '@vantage/ai-pipeline';
import { VantageError, messageOf } from '@vantage/contracts';
import { TRACKER_NAMES, UNTRACKED, createTracker, trackerName, type Detection, type Tracker } from '@vantage/vision';
import { motLine, readMotText, type MotRow } from './mot-text.ts';
import { readText } from '../read-text.ts';
import { scoreTracks, type MotScores } from './score.ts';
import { scoreLines } from './score-lines.ts';
import { pairUp } from './sequence.ts';

/** MOT-Challenge's largest has some 20 MB. */
const BOXES = { bytes: 256 * 1024 * 1024, what: 'list of boxes' };

export interface TrackOptions {
  readonly detections: string;
  readonly out?: string;
  readonly tracker?: string;
  readonly config?: string;
  readonly fps: number;
  readonly minHits?: number;
  readonly gt?: string;
  readonly json: boolean;
}

/** What MOT-Challenge's results are made with: an id after three detections, boxes as the motion model sees them. */
const MOT_MIN_HITS = 3;

/** @returns what is to be printed: tracks themselves when there is no `out` and nothing to score */
export async function runTrack(options: TrackOptions): Promise<string> {
  const { detections: file, out, gt, json } = options;
  const { tracker, about } = await openTracker(options);
  const rows = readMotText(await readText(file, BOXES), file, 'detections');
  const truth = gt === undefined ? undefined : { rows: readMotText(await readText(gt, BOXES), gt), file: gt };
  const { tracks, updateMs } = track(rows, tracker, options.fps);
  const text = tracks.map(({ frame, id, box, confidence }) => motLine(frame, id, box, confidence)).join('');
  if (out !== undefined) await write(out, text);
  const summary = {
    tracker: tracker.name,
    about,
    frames: rows.reduce((most, { frame }) => Math.max(most, frame), 0),
    detections: rows.length,
    boxes: tracks.length,
    tracks: new Set(tracks.map(({ id }) => id)).size,
    updateMs: Math.round(updateMs * 1000) / 1000,
  };
  const scores = truth && scoreTracks(pairUp(truth, { rows: tracks, file: out ?? 'result' }));
  if (json) return `${JSON.stringify({ ...summary, ...(out ? { out } : {}), ...(scores ? { scores } : {}) })}\n`;
  if (out === undefined && !scores) return text;
  return describeRun(summary, out, scores);
}

async function openTracker({
  tracker: name,
  config,
  fps,
  minHits,
}: TrackOptions): Promise<{ tracker: Tracker; about: string }> {
  if (!(fps > 0 && fps <= 1000)) throw invalid('--fps is a number of frames a second, up to 1000');
  if (minHits !== undefined && !(Number.isInteger(minHits) && minHits >= 1)) throw invalid('--min-hits counts from 1');
  const context = { frameIntervalUs: 1e6 / fps, smoothBoxes: true, ...(minHits === undefined ? {} : { minHits }) };
  if (config !== undefined) {
    if (name !== undefined) throw invalid('--tracker and --config both name a tracker; give one of them');
    // The ai-pipeline's own way from a file to a tracker. MOT-Challenge text has no classes to choose from.
    const node = { kind: 'tracker', id: 'tracker', algorithm: 'file', configFile: config } as const;
    const { value, notes } = await resolveTracker(node, locateHere, new AbortController().signal);
    return { tracker: createTracker(value?.runsAs ?? 'light-tracker', context), about: notes.join('; ') };
  }
  const known = trackerName(name ?? 'bytetrack');
  if (known === undefined) throw invalid(`there is no tracker '${name ?? ''}'; there are: ${TRACKER_NAMES.join(', ')}`);
  return { tracker: createTracker(known, { minHits: MOT_MIN_HITS, ...context }), about: 'its own settings' };
}

/** Frame after frame, those without detections too: a track ages in them. */
function track(rows: readonly MotRow[], tracker: Tracker, fps: number): { tracks: MotRow[]; updateMs: number } {
  const byFrame = Map.groupBy(rows, ({ frame }) => frame);
  const last = Math.max(0, ...byFrame.keys());
  const tracks: MotRow[] = [];
  let spentMs = 0;
  for (let frame = 1; frame <= last; frame += 1) {
    const detections = (byFrame.get(frame) ?? []).map(asDetection);
    const started = performance.now();
    const tracked = tracker.update(detections, Math.round(((frame - 1) * 1e6) / fps));
    spentMs += performance.now() - started;
    const found = tracked.filter(({ trackingId }) => trackingId !== UNTRACKED);
    for (const { trackingId: id, box, confidence } of found.sort((a, b) => a.trackingId - b.trackingId)) {
      tracks.push({ line: tracks.length + 1, frame, id, box, confidence, classId: undefined });
    }
  }
  return { tracks, updateMs: last === 0 ? 0 : spentMs / last };
}

function asDetection({ box, confidence }: MotRow): Detection {
  return { classId: 0, label: '', confidence, box, trackingId: UNTRACKED, componentId: 0, attributes: [] };
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new VantageError('EXPORT_FAILED', `${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

interface Summary {
  readonly tracker: string;
  readonly about: string;
  readonly frames: number;
  readonly detections: number;
  readonly boxes: number;
  readonly tracks: number;
  readonly updateMs: number;
}

function describeRun(run: Summary, out: string | undefined, scores: MotScores | undefined): string {
  const lines = [
    `${run.tracker}: ${run.about}`,
    `${run.frames} frames, ${run.detections} detections -> ${run.boxes} boxes of ${run.tracks} tracks, ${run.updateMs} ms an update`,
    ...(out === undefined ? [] : [`written to ${out}`]),
    ...(scores ? ['', ...scoreLines(scores)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function invalid(message: string): VantageError {
  return new VantageError('TRACK_OPTIONS_INVALID', message);
}
