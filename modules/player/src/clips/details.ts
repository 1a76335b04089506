import { isObject } from '@vantage/contracts';
import type { IndexedClip } from './clip-index.ts';

/** What the JSON beside a clip says of it. */
export interface ClipDetails {
  readonly seconds: number;
  readonly objects: number;
  readonly labels: readonly string[];
  readonly events: number;
  readonly sensor?: string;
}

const MAX_KNOWN = 20_000;
const MAX_JSON_BYTES = 16 * 1024 * 1024;
const AT_ONCE = 2;
const MAX_WAITING = 400;

/** Reads the JSON of clips, one after the other, newest wish first; remembers what it said. */
export class DetailsReader {
  readonly #known = new Map<string, ClipDetails | null>();
  #waiting: IndexedClip[] = [];
  #running = 0;
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Undefined: not read yet. Null: there is none, or it cannot be read. */
  get(clip: IndexedClip): ClipDetails | null | undefined {
    const { json } = clip.files;
    return json ? this.#known.get(keyOf(clip)) : null;
  }

  /** Reads them in the background. */
  want(clips: readonly IndexedClip[]): void {
    const fresh = clips.filter((clip) => this.get(clip) === undefined && !this.#waiting.includes(clip));
    this.#waiting = [...fresh, ...this.#waiting].slice(0, MAX_WAITING);
    while (this.#running < AT_ONCE && this.#waiting.length > 0) void this.#work();
  }

  async #work(): Promise<void> {
    this.#running += 1;
    for (let clip = this.#waiting.shift(); clip && !this.#signal.aborted; clip = this.#waiting.shift()) {
      const details = await this.#read(clip).catch(() => null);
      this.#known.set(keyOf(clip), details);
      const [oldest] = this.#known.keys();
      if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    }
    this.#running -= 1;
  }

  async #read({ files: { json } }: IndexedClip): Promise<ClipDetails | null> {
    if (!json || json.bytes === 0 || json.bytes > MAX_JSON_BYTES) return null;
    const chunks: Buffer[] = [];
    for await (const chunk of await json.source.open(json, 0, json.bytes - 1, this.#signal)) {
      chunks.push(chunk as Buffer);
    }
    return describeDocument(JSON.parse(Buffer.concat(chunks).toString('utf8')));
  }
}

/** Also of a document that is not quite one. */
export function describeDocument(document: unknown): ClipDetails | null {
  if (!isObject(document) || !Array.isArray(document['inferences'])) return null;
  const tracks = new Set<string>();
  const labels = new Map<string, number>();
  const times: number[] = [];
  let most = 0;
  let sensor: string | undefined;
  for (const inference of document['inferences'] as unknown[]) {
    if (!isObject(inference) || inference['type'] !== 'detection' || !Array.isArray(inference['detections'])) continue;
    const info = isObject(inference['sourceInfo']) ? inference['sourceInfo'] : {};
    if (typeof info['id'] === 'string') sensor ??= info['id'];
    times.push(Date.parse(String(info['timestamp'])));
    const detections = (inference['detections'] as unknown[]).filter(isObject);
    most = Math.max(most, detections.length);
    for (const { label, tracking_id: track } of detections) {
      labels.set(String(label), (labels.get(String(label)) ?? 0) + 1);
      if (typeof track === 'number' && track >= 0) tracks.add(`${track}`);
    }
  }
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const frameMs = times.length > 1 ? (last - first) / (times.length - 1) : 0;
  const seconds = Math.round((last - first + frameMs) / 100) / 10;
  return {
    seconds: Number.isFinite(seconds) ? seconds : 0,
    objects: tracks.size > 0 ? tracks.size : most,
    labels: [...labels].sort(([, a], [, b]) => b - a).map(([label]) => label),
    events: Array.isArray(document['events']) ? document['events'].length : 0,
    ...(sensor === undefined ? {} : { sensor }),
  };
}

function keyOf({ name, files }: IndexedClip): string {
  return `${name}\n${files.json?.bytes ?? 0}`;
}
