import type { PipelineHttp } from '../live/pipeline-http.ts';

interface Counts {
  readonly frames: number;
  readonly objects: number;
}

const READ_MS = 2000;
const LINE = /^vantage_(frames_analysed|detections)_total\{([^}]*)\} (\S+)/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** How many objects a frame shows, on average since the last look: from the ai-pipeline's counters. */
export class ObjectRates {
  readonly #pipeline: PipelineHttp;
  #before = new Map<string, Counts>();
  #rates: ReadonlyMap<string, number> = new Map();
  #reading: Promise<void> | undefined;
  #untilMs = 0;

  constructor(pipeline: PipelineHttp) {
    this.#pipeline = pipeline;
  }

  /** By `<pipeline>\n<sensor>`; those without a new frame are missing. */
  async read(): Promise<ReadonlyMap<string, number>> {
    if (this.#untilMs < performance.now()) {
      this.#reading ??= this.#read()
        .catch(() => {
          this.#rates = new Map();
        })
        .finally(() => {
          this.#reading = undefined;
          this.#untilMs = performance.now() + READ_MS;
        });
    }
    await this.#reading;
    return this.#rates;
  }

  async #read(): Promise<void> {
    const response = await fetch(`${await this.#pipeline.base()}/metrics`, { signal: AbortSignal.timeout(1000) });
    const counts = countsIn(await response.text());
    this.#rates = new Map(
      [...counts].flatMap(([camera, { frames, objects }]): [string, number][] => {
        const before = this.#before.get(camera) ?? { frames: 0, objects: 0 };
        // A module that started again counts from 0.
        const seen = frames - before.frames;
        return seen > 0 ? [[camera, Math.round(((objects - before.objects) / seen) * 10) / 10]] : [];
      }),
    );
    this.#before = counts;
  }
}

function countsIn(text: string): Map<string, Counts> {
  const counts = new Map<string, Counts>();
  for (const line of text.split('\n')) {
    const [, what, labels = '', value] = LINE.exec(line) ?? [];
    if (what === undefined) continue;
    const { pipeline = '', sensor = '' } = Object.fromEntries(
      [...labels.matchAll(LABEL)].map(([, name = '', text_ = '']) => [name, text_.replace(/\\(.)/g, '$1')]),
    ) as { pipeline?: string; sensor?: string };
    const camera = `${pipeline}\n${sensor}`;
    const { frames, objects } = counts.get(camera) ?? { frames: 0, objects: 0 };
    counts.set(camera, what === 'detections' ? { frames, objects: Number(value) } : { frames: Number(value), objects });
  }
  return counts;
}
