import { codeOf, messageOf } from '@vantage/contracts';
import type { AnalyticsSpec } from '@vantage/deepstream';
import type { Dewarp } from '@vantage/media';
import { Backoff } from '@vantage/observability';
import { nodesOf, type SkillGraph } from '@vantage/skill';
import type { TrackerSetup } from '../camera/protocol.ts';
import { resolveAnalytics, resolveDewarp, resolveTracker, type Locate } from './node-files.ts';

/** What the files of a graph say that are no models: trackers and rules by node, dewarpers by camera. */
export interface Files {
  readonly trackers: ReadonlyMap<string, TrackerSetup>;
  readonly analytics: ReadonlyMap<string, AnalyticsSpec>;
  readonly dewarps: ReadonlyMap<string, Dewarp>;
  readonly notes: readonly string[];
}

export interface PipelineFilesOptions {
  readonly locate: Locate;
  readonly onRead: (before: Files | undefined) => void;
  readonly onProblem: (code: string, message: string) => void;
}

/** Tracker, dewarper and analytics files of a pipeline. Those that were read before stay if the new ones cannot be used. */
export class PipelineFiles {
  readonly #options: PipelineFilesOptions;
  #reading = new AbortController();
  #current: Files | undefined;

  constructor(options: PipelineFilesOptions) {
    this.#options = options;
  }

  get current(): Files | undefined {
    return this.#current;
  }

  /** Takes the place of a reading that is under way. Never rejects. */
  async read(graph: SkillGraph): Promise<void> {
    this.#reading.abort();
    const { signal } = (this.#reading = new AbortController());
    const backoff = new Backoff({ baseMs: 2000, capMs: 60_000 });
    do {
      try {
        const files = await readFiles(graph, this.#options.locate, signal);
        if (signal.aborted) return;
        const before = this.#current;
        this.#current = files;
        this.#options.onRead(before);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const code = codeOf(error) ?? 'CONFIG_FILE_UNREADABLE';
        this.#options.onProblem(code, `${messageOf(error)}${this.#current ? '; what ran before goes on' : ''}`);
        if (code !== 'MODEL_DOWNLOAD_FAILED') return;
      }
    } while (await backoff.wait(signal));
  }

  stop(): void {
    this.#reading.abort();
  }
}

async function readFiles(graph: SkillGraph, locate: Locate, signal: AbortSignal): Promise<Files> {
  const [rules, trackers, dewarps] = await Promise.all([
    Promise.all(
      nodesOf(graph, 'analytics').map(async (node) => ({
        id: node.id,
        spec: await resolveAnalytics(node, locate, signal),
      })),
    ),
    Promise.all(
      nodesOf(graph, 'tracker').map(async (node) => ({ id: node.id, ...(await resolveTracker(node, locate, signal)) })),
    ),
    Promise.all(
      nodesOf(graph, 'source').map(async (node) => ({
        id: node.sensor,
        ...(await resolveDewarp(node, locate, signal)),
      })),
    ),
  ]);
  return {
    analytics: new Map(rules.flatMap(({ id, spec }) => (spec ? [[id, spec] as const] : []))),
    trackers: new Map(trackers.flatMap(({ id, value }) => (value ? [[id, value] as const] : []))),
    dewarps: new Map(dewarps.flatMap(({ id, value }) => (value ? [[id, value] as const] : []))),
    notes: [...trackers, ...dewarps].flatMap(({ notes }) => notes),
  };
}
