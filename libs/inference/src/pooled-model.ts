import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { VantageError } from '@vantage/contracts';
import type { LoadedModel } from './backend.ts';
import type { MoreLanes } from './frame-port.ts';
import { FAST_ENOUGH_MS, bestLayout, layoutsFor, type MeasuredLayout } from './layout.ts';
import type { ModelReport, ModelSpec, SessionLayout } from './model-spec.ts';
import type { InferenceLog } from './reading/custom-reader.ts';
import { SessionThread } from './session-thread.ts';

export interface PooledModelOptions {
  /** So many sessions of one thread each, without measuring. */
  readonly sessions: number | undefined;
  /** Cores to find the best use of. */
  readonly cores: number;
  readonly cacheFolder: string | undefined;
  readonly parserHost: string | undefined;
  readonly log: InferenceLog;
  readonly onUnloaded: () => void;
}

const MEASURE_RUNS = 8;
const MEASURE_MS = { least: 150, most: 1500 };

/** The sessions of one model. */
export class PooledModel implements LoadedModel {
  readonly #spec: ModelSpec;
  readonly #options: PooledModelOptions;
  readonly #threads = new Set<SessionThread>();
  readonly #died = Promise.withResolvers<VantageError>();
  /** Sessions that cameras are connected to, in a fixed order. */
  #lanes: readonly SessionThread[] = [];
  #loads: Int32Array = new Int32Array(0);
  #layout: SessionLayout | undefined;
  #nextFirst = 0;
  #unloading = false;

  constructor(spec: ModelSpec, options: PooledModelOptions) {
    this.#spec = spec;
    this.#options = options;
  }

  get report(): ModelReport {
    const [first] = this.#lanes;
    if (!first || !this.#layout) throw new VantageError('MODEL_NOT_READY', `${this.#spec.name} is not loaded`);
    return { ...first.report, layout: this.#layout };
  }

  get died(): Promise<VantageError> {
    return this.#died.promise;
  }

  async start(): Promise<void> {
    const first = await this.#open(1);
    const { lanes, layout } = await this.#arrange(first);
    this.#layout = layout;
    this.#lanes = lanes;
    this.#loads = new Int32Array(new SharedArrayBuffer(4 * lanes.length));
    for (const lane of lanes) {
      void lane.exited.then((error) => {
        if (!this.#unloading) this.#died.resolve(error);
      });
    }
  }

  connect(): MessagePort {
    const count = this.#lanes.length;
    if (count === 0) throw new VantageError('MODEL_NOT_READY', `${this.#spec.name} is not loaded`);
    // Each camera starts with another session.
    const places = this.#lanes.map((_, index) => (this.#nextFirst + index) % count);
    this.#nextFirst = (this.#nextFirst + 1) % count;
    const channels = places.map((place) => {
      const { port1: session, port2: camera } = new MessageChannel();
      return { place, session, camera };
    });
    const [first, ...others] = channels;
    const lanes = others.map(({ camera }) => camera);
    const pictures = this.report.batching?.pictures ?? 1;
    first?.session.postMessage({ lanes, loads: this.#loads, places, pictures } satisfies MoreLanes, lanes);
    for (const { place, session } of channels) {
      this.#lanes[place]?.post({ kind: 'connect', port: session, load: { counts: this.#loads, place } });
    }
    return (first as (typeof channels)[number]).camera;
  }

  async unload(): Promise<void> {
    this.#unloading = true;
    this.#options.onUnloaded();
    await Promise.all([...this.#threads].map((thread) => thread.stop()));
  }

  async #open(threads: number): Promise<SessionThread> {
    const { cacheFolder, parserHost, log } = this.#options;
    const { providers = ['cpu'], infer } = this.#spec;
    const runner = {
      threads,
      providers,
      deviceId: infer.gpuId,
      ...(cacheFolder === undefined ? {} : { cacheFolder }),
    };
    const thread = await SessionThread.start({ spec: this.#spec, runner, parserHost }, log);
    this.#threads.add(thread);
    void thread.exited.then(() => this.#threads.delete(thread));
    return thread;
  }

  /** Finds out how the cores are used best: a model on another machine or device, or a fast one, needs one session. */
  async #arrange(first: SessionThread): Promise<{ lanes: SessionThread[]; layout: SessionLayout }> {
    const { sessions, cores } = this.#options;
    if (sessions !== undefined || cores <= 1) {
      const count = Math.max(1, sessions ?? 1);
      const lanes = await this.#withMore([first], count, 1);
      return { lanes, layout: { sessions: count, threads: 1, reason: 'as the program asks' } };
    }
    const { backend = 'worker', customParser } = this.#spec;
    const { provider, runMs = 0 } = first.report;
    const single = (reason: string): { lanes: SessionThread[]; layout: SessionLayout } => {
      return { lanes: [first], layout: { sessions: 1, threads: 1, reason } };
    };
    if (backend !== 'worker' || provider !== 'cpu') return single(`it runs on ${provider}`);
    if (customParser !== undefined) return single('its parser looks at one picture at a time');
    if (runMs < FAST_ENOUGH_MS) return single(`a run takes ${runMs} ms`);
    return this.#measured(first, runMs);
  }

  async #measured(first: SessionThread, runMs: number): Promise<{ lanes: SessionThread[]; layout: SessionLayout }> {
    const forMs = Math.min(MEASURE_MS.most, Math.max(MEASURE_MS.least, MEASURE_RUNS * runMs));
    const tried: { shape: MeasuredLayout; lanes: SessionThread[] }[] = [];
    for (const shape of layoutsFor(this.#options.cores)) {
      const lanes = await this.#withMore(shape.threads === 1 ? [first] : [], shape.sessions, shape.threads);
      const times = await Promise.all(lanes.map((lane) => lane.measure(forMs)));
      const runsPerSecond = times.reduce((sum, each) => sum + 1000 / each, 0);
      tried.push({ shape: { ...shape, runsPerSecond }, lanes });
    }
    const layout = bestLayout(tried.map(({ shape }) => shape));
    const lanes = tried.find(({ shape }) => shape.sessions === layout.sessions && shape.threads === layout.threads)
      ?.lanes ?? [first];
    await Promise.all([...this.#threads].filter((thread) => !lanes.includes(thread)).map((thread) => thread.stop()));
    return { lanes, layout };
  }

  async #withMore(lanes: readonly SessionThread[], count: number, threads: number): Promise<SessionThread[]> {
    const more = Array.from({ length: count - lanes.length }, () => this.#open(threads));
    return [...lanes, ...(await Promise.all(more))];
  }
}
