import { isObject, type InferenceMessage, type RecordingCommand, type Sensor } from '@vantage/contracts';
import type { MethodReply } from '@vantage/edge-client';
import { pointInPolygon } from '@vantage/vision';

const MAX_DECISIONS = 200;
const MAX_REPORTS = 600;
const MAX_SUMMARY = 30;

interface Decision {
  readonly timeMs: number;
  readonly pipeline: string;
  readonly record: boolean;
  readonly text: string;
}

/** What one message said of a camera. */
interface Report {
  readonly timeMs: number;
  readonly pipeline: string;
  readonly sensor: string;
  readonly text: string;
}

/**
 * Why a recording was started or not: the last decisions and what the messages before them said, bounded, for the direct
 * method `why {pipeline?, sensor?, at?, seconds?}`. Knows what the logic that comes with the module looks at; of other
 * logic it tells what went in and what came out.
 */
export class WhyLog {
  readonly #decisions: Decision[] = [];
  readonly #reports: Report[] = [];
  readonly #now: () => number;
  #sensors: readonly Sensor[] = [];
  #monitored: readonly string[] = [];

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  configured(sensors: readonly Sensor[], objectsToMonitor: readonly string[]): void {
    this.#sensors = sensors;
    this.#monitored = objectsToMonitor;
  }

  message({ inferences, events }: InferenceMessage): void {
    const happened = events.map(({ type }) => type);
    for (const { type, id: pipeline, sourceInfo, detections } of inferences) {
      if (type !== 'detection') continue;
      const text = this.#judge(sourceInfo.id, detections, happened);
      const frameMs = Date.parse(sourceInfo.timestamp);
      const timeMs = Number.isNaN(frameMs) ? this.#now() : frameMs;
      keep(this.#reports, { timeMs, pipeline, sensor: sourceInfo.id, text }, MAX_REPORTS);
    }
  }

  /** @param by who decided: the logic, or the module's own twin */
  command({ startRecording, reason = [] }: RecordingCommand, by: 'logic' | 'twin'): void {
    const because = reason.map(({ region, label, count }) => `${count} ${label} in ${region}`).join(', ');
    const why = by === 'twin' ? 'by hand, in the twin' : because === '' ? 'its logic decided so' : because;
    for (const { configId: pipeline, state: record } of startRecording) {
      const text = `recording of ${pipeline} was ${record ? 'asked for' : 'told to stop'}: ${why}`;
      keep(this.#decisions, { timeMs: this.#now(), pipeline, record, text }, MAX_DECISIONS);
    }
  }

  answer(payload: unknown): MethodReply {
    const { pipeline, sensor, at, seconds } = isObject(payload) ? payload : {};
    const atMs = at === undefined ? this.#now() : timeOf(at);
    const around = (seconds === undefined ? 10 : Number(seconds)) * 1000;
    if (Number.isNaN(atMs) || !(around > 0)) {
      return { status: 400, payload: { error: 'at is a time (ISO, or milliseconds since 1970), seconds a number' } };
    }
    const own = (one: { readonly timeMs: number; readonly pipeline: string; readonly sensor?: string }): boolean =>
      (pipeline === undefined || one.pipeline === pipeline) &&
      (sensor === undefined || one.sensor === undefined || one.sensor === sensor);
    const near = <T extends Decision | Report>(all: readonly T[]): readonly T[] =>
      all.filter((one) => own(one) && Math.abs(one.timeMs - atMs) <= around);
    const decisions = near(this.#decisions);
    const reports = near(this.#reports);
    const before = this.#decisions.findLast((one) => own(one) && one.timeMs <= atMs);
    const lines: { readonly timeMs: number; readonly text: string }[] = [...decisions, ...distinct(reports)];
    if (reports.length === 0) lines.push({ timeMs: atMs, text: 'no message about it arrived then' });
    if (decisions.length === 0) {
      const text = before ? `nothing was decided; last before: ${before.text}` : 'nothing was decided, nor ever before';
      lines.push({ timeMs: atMs, text });
    }
    lines.sort((a, b) => a.timeMs - b.timeMs);
    const summary = lines
      .slice(-MAX_SUMMARY)
      .map(({ timeMs, text }) => `${clock(timeMs)} BusinessLogicModule: ${text}`);
    const state = { monitored: this.#monitored, decisions: decisions.slice(-50), messages: reports.length };
    return { status: 200, payload: { at: new Date(atMs).toISOString(), ...state, summary } };
  }

  #judge(
    sensor: string,
    detections: readonly { readonly label: string; readonly rect: readonly [number, number, number, number] }[],
    events: readonly string[],
  ): string {
    const regions = this.#sensors.find(({ name }) => name === sensor)?.regionsOfInterest ?? [];
    const monitored = detections.filter(({ label }) => this.#monitored.includes(label.toLowerCase()));
    const inside = regions.filter(({ coordinates }) =>
      monitored.some(({ rect: [left, top, width, height] }) => {
        return pointInPolygon(left + width / 2, top + height / 2, coordinates) === 'inside';
      }),
    );
    const others = [...new Set(detections.map(({ label }) => label))].slice(0, 8).join(', ');
    const told = events.length === 0 ? '' : `; events: ${[...new Set(events)].slice(0, 8).join(', ')}`;
    const seen = [...new Set(monitored.map(({ label }) => label))].join(', ');
    if (detections.length === 0) return `${sensor} reported nothing${told}`;
    if (monitored.length === 0) {
      return `${sensor} reported ${others}, and only ${this.#monitored.join(', ')} are monitored${told}`;
    }
    if (regions.length === 0) return `${sensor} reported ${seen}, and has no region of interest${told}`;
    if (inside.length > 0)
      return `${sensor} reported ${seen} inside ${inside.map(({ label }) => label).join(', ')}${told}`;
    return `${sensor} reported ${seen}, outside of every region${told}`;
  }
}

/** Of the same thing said again and again, the first. */
function distinct(reports: readonly Report[]): readonly Report[] {
  const last = new Map<string, string>();
  return reports.filter(({ sensor, text }) => {
    const isNew = last.get(sensor) !== text;
    last.set(sensor, text);
    return isNew;
  });
}

function keep<T>(into: T[], item: T, most: number): void {
  into.push(item);
  if (into.length > most) into.shift();
}

function clock(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(11, 19);
}

/** ISO, or milliseconds since the Unix epoch. */
function timeOf(at: unknown): number {
  const timeMs = Number(at);
  if (Number.isFinite(timeMs)) return Math.abs(timeMs) <= 8.64e15 ? timeMs : Number.NaN;
  return typeof at === 'string' ? Date.parse(at) : Number.NaN;
}
