import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { parseClipName, type FileKind } from './clip-name.ts';
import type { ClipSource, SourceFile } from './clip-source.ts';

/** A clip and where its files are; the device's come first, because they are nearer. */
export interface IndexedClip {
  readonly name: string;
  readonly pipeline: string;
  readonly sensor: string;
  readonly startedAtMs: number;
  readonly where: 'device' | 'storage' | 'both';
  readonly files: Readonly<Partial<Record<FileKind, PlacedFile>>>;
}

export interface PlacedFile extends SourceFile {
  readonly source: ClipSource;
}

export interface ClipFilter {
  readonly sensor?: string;
  readonly fromMs?: number;
  readonly toMs?: number;
}

/** The oldest beyond this are left out. */
const MAX_CLIPS = 50_000;
/** The folder is read often, a storage is asked seldom: it costs money and time. */
const FRESH_MS = { device: 1000, storage: 15_000 } as const;

interface Listed {
  files: readonly SourceFile[];
  untilMs: number;
  running?: Promise<void>;
}

/** All clips of all places, newest first, in memory. */
export class ClipIndex {
  readonly #sources: readonly ClipSource[];
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  readonly #listed = new Map<ClipSource, Listed>();
  readonly #learned = new Map<string, string>();
  #clips: readonly IndexedClip[] = [];
  #byName: ReadonlyMap<string, IndexedClip> = new Map();

  constructor(sources: readonly ClipSource[], logger: Logger, signal: AbortSignal) {
    this.#sources = sources;
    this.#logger = logger;
    this.#signal = signal;
  }

  /** Reads what may be stale. A storage is waited for the first time only. */
  async refresh(): Promise<void> {
    await Promise.all(
      this.#sources.map((source) => {
        const listed = this.#listed.get(source);
        const running = this.#list(source);
        return listed === undefined || source.where === 'device' ? running : Promise.resolve();
      }),
    );
  }

  get(name: string): IndexedClip | undefined {
    return this.#byName.get(name);
  }

  get sensors(): string[] {
    const known = this.#clips.map(({ sensor }) => sensor).filter((sensor) => sensor !== '');
    return [...new Set(known)].sort();
  }

  /** The newest clip of each pipeline whose camera neither name nor tag tells: it has one camera only. */
  get unnamed(): IndexedClip[] {
    const found = new Map<string, IndexedClip>();
    for (const clip of this.#clips) if (clip.sensor === '' && !found.has(clip.pipeline)) found.set(clip.pipeline, clip);
    return [...found.values()];
  }

  /** What the JSON of such a clip said. */
  learn(pipeline: string, sensor: string): void {
    this.#learned.set(pipeline, sensor);
    this.#merge();
  }

  /** Newest first. */
  find({ sensor, fromMs = -Infinity, toMs = Infinity }: ClipFilter): readonly IndexedClip[] {
    return this.#clips.filter(
      (clip) =>
        clip.startedAtMs >= fromMs && clip.startedAtMs <= toMs && (sensor === undefined || clip.sensor === sensor),
    );
  }

  #list(source: ClipSource): Promise<void> {
    const listed: Listed = this.#listed.get(source) ?? { files: [], untilMs: 0 };
    this.#listed.set(source, listed);
    if (listed.running === undefined && listed.untilMs < performance.now()) {
      listed.running = this.#read(source, listed).finally(() => {
        listed.untilMs = performance.now() + FRESH_MS[source.where];
        delete listed.running;
      });
    }
    return listed.running ?? Promise.resolve();
  }

  async #read(source: ClipSource, listed: Listed): Promise<void> {
    const files = await source.list(this.#signal).catch((error: unknown) => {
      this.#logger.warn(`clips of ${source.where} could not be listed: ${messageOf(error)}`);
      return undefined;
    });
    if (files === undefined || isSame(files, listed.files)) return;
    listed.files = files;
    this.#merge();
  }

  #merge(): void {
    const found = new Map<string, { files: Partial<Record<FileKind, PlacedFile>>; places: Set<string> }>();
    for (const source of this.#sources) {
      for (const file of this.#listed.get(source)?.files ?? []) {
        let clip = found.get(file.name);
        if (!clip) found.set(file.name, (clip = { files: {}, places: new Set() }));
        clip.files[file.kind] ??= { ...file, source };
        if (file.kind === 'video') clip.places.add(source.where);
      }
    }
    const clips = [...found].flatMap(([name, { files, places }]): IndexedClip[] => {
      const { video } = files;
      if (!video) return [];
      const parsed = parseClipName(name);
      const startedAtMs = video.startedAtMs ?? parsed?.startedAtMs;
      if (startedAtMs === undefined) return [];
      const pipeline = parsed?.pipeline ?? name;
      const sensor = video.sensor ?? files.json?.sensor ?? parsed?.sensor ?? this.#learned.get(pipeline) ?? '';
      const where = places.size === 2 ? 'both' : video.source.where;
      return [{ name, pipeline, sensor, startedAtMs, where, files }];
    });
    clips.sort((a, b) => b.startedAtMs - a.startedAtMs || (a.name < b.name ? 1 : -1));
    this.#clips = clips.slice(0, MAX_CLIPS);
    this.#byName = new Map(this.#clips.map((clip) => [clip.name, clip]));
  }
}

function isSame(a: readonly SourceFile[], b: readonly SourceFile[]): boolean {
  return a.length === b.length && a.every((file, at) => file.at === b[at]?.at && file.version === b[at].version);
}
