import { createRequire } from 'node:module';
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import type * as PromClient from 'prom-client';
import { metricConflict, metricNameInvalid } from './errors.ts';

export type MetricLabels = Readonly<Record<string, string>>;

export interface MetricOptions {
  /** `vantage_<thing>_<unit>`, for example `vantage_frames_decoded_total`. */
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  /** Distinct label sets kept; what comes after is counted under `other`. Default 100. */
  readonly maxSeries?: number;
}

export interface CounterMetric {
  inc(labels?: MetricLabels, value?: number): void;
}
export interface GaugeMetric {
  set(value: number, labels?: MetricLabels): void;
  inc(labels?: MetricLabels, value?: number): void;
  /** Forgets one label set, for a camera that is gone. */
  remove(labels: MetricLabels): void;
}
export interface HistogramMetric {
  observe(value: number, labels?: MetricLabels): void;
}

/** What the last part of a name may be. `total` counts, `count` is a level, the others are SI or plain ratios. */
export const METRIC_UNITS = [
  'total',
  'seconds',
  'bytes',
  'ratio',
  'count',
  'info',
  'per_second',
  'pixels',
  'frames',
  'messages',
] as const;

/** Loaded with the first registry, with eighty files of its own: neither a command nor a camera's thread has one. */
const promClient = (): typeof PromClient => createRequire(import.meta.url)('prom-client') as typeof PromClient;

const NAME = new RegExp(`^vantage(?:_[a-z][a-z0-9]*)+_(?:${METRIC_UNITS.join('|')})$`);
const RESOLUTION_MS = 10;

/** The main thread's delay, in milliseconds beyond the timer's own period. */
export interface EventLoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** The metrics of one module, in a registry of their own, so that two modules in one process do not meet. */
export class Metrics {
  readonly #prom = promClient();
  readonly #registry = new this.#prom.Registry();
  readonly #known = new Map<string, { readonly shape: string; readonly metric: unknown }>();
  #delay: IntervalHistogram | undefined;

  /** Adds Node's own metrics and watches the event loop. Idempotent. */
  start(): void {
    if (this.#delay !== undefined) return;
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delay.enable();
    this.#prom.collectDefaultMetrics({ register: this.#registry });
    const gauge = new this.#prom.Gauge({
      name: 'vantage_event_loop_delay_seconds',
      help: 'Delay of the main thread since the last scrape, beyond the timer period',
      labelNames: ['quantile'],
      registers: [this.#registry],
      collect: () => {
        const { p50Ms, p99Ms, maxMs } = this.eventLoopDelay();
        gauge.set({ quantile: '0.5' }, p50Ms / 1000);
        gauge.set({ quantile: '0.99' }, p99Ms / 1000);
        gauge.set({ quantile: '1' }, maxMs / 1000);
        this.#delay?.reset();
      },
    });
  }

  /** Stops watching the event loop and forgets everything. Idempotent. */
  stop(): void {
    this.#delay?.disable();
    this.#delay = undefined;
    this.#registry.clear();
    this.#known.clear();
  }

  /** Delay since start or the last {@link resetEventLoopDelay} or scrape; zeros when not started. */
  eventLoopDelay(): EventLoopDelay {
    const delay = this.#delay;
    if (delay === undefined || delay.count === 0) return { p50Ms: 0, p99Ms: 0, maxMs: 0 };
    const beyond = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS);
    return { p50Ms: beyond(delay.percentile(50)), p99Ms: beyond(delay.percentile(99)), maxMs: beyond(delay.max) };
  }

  resetEventLoopDelay(): void {
    this.#delay?.reset();
  }

  /** A counter; the same name gives the same counter. */
  counter(options: MetricOptions): CounterMetric {
    return this.#get('counter', options, () => {
      const inner = new this.#prom.Counter(this.#config(options));
      const bound = boundLabels(options);
      return { inc: (labels, value = 1) => inner.inc(bound(labels), value) } satisfies CounterMetric;
    });
  }

  /** A gauge; the same name gives the same gauge. */
  gauge(options: MetricOptions): GaugeMetric {
    return this.#get('gauge', options, () => {
      const inner = new this.#prom.Gauge(this.#config(options));
      const bound = boundLabels(options);
      return {
        set: (value, labels) => inner.set(bound(labels), value),
        inc: (labels, value = 1) => inner.inc(bound(labels), value),
        remove: (labels) => {
          inner.remove(bound(labels));
          bound.forget(labels);
        },
      } satisfies GaugeMetric;
    });
  }

  /** A histogram; the same name gives the same histogram. Buckets in the unit of its name. */
  histogram(options: MetricOptions & { readonly buckets?: readonly number[] }): HistogramMetric {
    return this.#get('histogram', options, () => {
      const buckets = options.buckets === undefined ? {} : { buckets: [...options.buckets] };
      const inner = new this.#prom.Histogram({ ...this.#config(options), ...buckets });
      const bound = boundLabels(options);
      return { observe: (value, labels) => inner.observe(bound(labels), value) } satisfies HistogramMetric;
    });
  }

  /** The Prometheus text format. */
  async text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #config(options: MetricOptions): {
    name: string;
    help: string;
    labelNames: string[];
    registers: PromClient.Registry[];
  } {
    return {
      name: options.name,
      help: options.help,
      labelNames: [...(options.labelNames ?? [])],
      registers: [this.#registry],
    };
  }

  #get<T>(kind: string, options: MetricOptions, make: () => T): T {
    if (!NAME.test(options.name)) throw metricNameInvalid(options.name, METRIC_UNITS);
    const shape = `${kind} ${[...(options.labelNames ?? [])].sort().join(' ')}`;
    const known = this.#known.get(options.name);
    if (known !== undefined) {
      if (known.shape !== shape) throw metricConflict(options.name);
      return known.metric as T;
    }
    const metric = make();
    this.#known.set(options.name, { shape, metric });
    return metric;
  }
}

interface BoundLabels {
  (labels: MetricLabels | undefined): Record<string, string>;
  forget(labels: MetricLabels): void;
}

/** A twin can name any number of cameras, a metric cannot: beyond the limit a set is counted as `other`. */
function boundLabels(options: MetricOptions): BoundLabels {
  const names = options.labelNames ?? [];
  const seen = new Set<string>();
  const limit = options.maxSeries ?? 100;
  const keyOf = (labels: MetricLabels): string => JSON.stringify(names.map((name) => labels[name] ?? ''));
  const bound = (labels: MetricLabels | undefined): Record<string, string> => {
    if (labels === undefined) return {};
    const key = keyOf(labels);
    if (!seen.has(key)) {
      if (seen.size >= limit) return Object.fromEntries(names.map((name) => [name, 'other']));
      seen.add(key);
    }
    return { ...labels };
  };
  return Object.assign(bound, { forget: (labels: MetricLabels) => void seen.delete(keyOf(labels)) });
}
