import type { CounterMetric, GaugeMetric, Metrics } from '@vantage/observability';
import type { NodeReport } from './camera/graph/graph-runner.ts';
import type { PipelineStatus } from './engine/pipeline.ts';

/** Nodes of a camera that reported properties tell about: a twin holds 32 KB. */
const MOST_NODES = 20;

/** What lies behind the models of skills, as metrics and in reported properties. */
export class NodeMetrics {
  readonly #frames: CounterMetric;
  readonly #calls: CounterMetric;
  readonly #ready: GaugeMetric;
  readonly #before = new Map<string, number>();

  constructor(metrics: Metrics) {
    const where = ['pipeline', 'sensor', 'node'];
    this.#frames = metrics.counter({
      name: 'vantage_node_frames_total',
      help: 'Frames that came to a node of a skill: taken, or dropped because it was busy.',
      labelNames: [...where, 'result'],
    });
    this.#calls = metrics.counter({
      name: 'vantage_node_calls_total',
      help: 'Frames that a custom node was asked about: answered, or failed.',
      labelNames: [...where, 'result'],
    });
    this.#ready = metrics.gauge({
      name: 'vantage_node_ready_count',
      help: '1 while a custom node is connected and answers as it should.',
      labelNames: where,
    });
  }

  update({ id: pipeline, cameras }: PipelineStatus): void {
    for (const { sensor, counters } of cameras) {
      for (const [node, report] of Object.entries(counters.nodes)) {
        const where = { pipeline, sensor, node };
        const edges = Object.values(report.edges);
        this.#add(this.#frames, { ...where, result: 'taken' }, sum(edges.map(({ passed }) => passed)));
        this.#add(this.#frames, { ...where, result: 'dropped' }, sum(edges.map(({ dropped }) => dropped)));
        const calls = callsOf(report);
        if (!calls) continue;
        this.#add(this.#calls, { ...where, result: 'answered' }, calls.answered);
        this.#add(this.#calls, { ...where, result: 'failed' }, calls.failed);
        this.#ready.set(report.details['state'] === 'ready' ? 1 : 0, where);
      }
    }
  }

  /** Counters begin anew with a camera that is opened again; metrics only go up. */
  #add(metric: CounterMetric, labels: Readonly<Record<string, string>>, value: number): void {
    const key = JSON.stringify([metric === this.#calls, ...Object.values(labels)]);
    const before = this.#before.get(key) ?? 0;
    this.#before.set(key, value);
    const more = value >= before ? value - before : value;
    if (more > 0) metric.inc(labels, more);
  }
}

/** The nodes of a camera for reported properties. */
export function describeNodes(nodes: Readonly<Record<string, NodeReport>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(nodes)
      .slice(0, MOST_NODES)
      .map(([id, report]) => {
        const edges = Object.values(report.edges);
        const { error = null, ...details } = report.details;
        const calls = callsOf(report);
        return [
          // Names in twins hold no dots, dollars or blanks.
          id.replaceAll(/[.$\s\p{Cc}]/gu, '_'),
          {
            kind: report.kind,
            frames: sum(edges.map(({ passed }) => passed)),
            dropped: sum(edges.map(({ dropped }) => dropped)),
            ...details,
            // Absent would leave the old error in the twin.
            ...(calls ? { counters: calls, error } : {}),
          },
        ];
      }),
  );
}

function callsOf({ details }: NodeReport): { readonly answered: number; readonly failed: number } | undefined {
  const { counters } = details;
  if (typeof counters !== 'object' || counters === null || !('answered' in counters)) return undefined;
  const { answered, failures } = counters as {
    readonly answered: number;
    readonly failures: Readonly<Record<string, number>>;
  };
  return { answered, failed: sum(Object.values(failures)) };
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
