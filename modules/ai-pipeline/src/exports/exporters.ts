import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '@vantage/contracts';
import type { EdgeModule } from '@vantage/edge-client';
import type { CounterMetric, Logger, Metrics } from '@vantage/observability';
import { nodesOf, type ExportNode, type ExportTarget, type SkillGraph } from '@vantage/skill';
import type { ExportPost } from '../camera/export/export-stage.ts';
import { ExportLine, type ExportStatus } from './export-line.ts';
import { HttpSink } from './http-sink.ts';
import type { InsightStore } from './insight-store.ts';
import { MqttLinks } from './mqtt-links.ts';
import { OutputSink } from './output-sink.ts';
import type { ExportSink } from './sink.ts';

export interface ExportersOptions {
  readonly edge: Pick<EdgeModule, 'send'>;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Takes what has objects or events. */
  readonly store: InsightStore;
  readonly httpDeadlineMs?: number;
}

type Target = Exclude<ExportTarget, { kind: 'inference' }>;

interface Entry {
  readonly to: Target;
  readonly skill: SkillGraph['skill'];
  /** Its documents are kept. */
  readonly isKept: boolean;
  readonly line: ExportLine;
}

/**
 * The export nodes of all graphs at work, on the main thread. Each has its own queue: one that is slow or cannot be
 * reached costs nothing but itself. A node that is the same in a new configuration goes on, with its queue.
 */
export class Exporters {
  readonly #options: ExportersOptions;
  readonly #links: MqttLinks;
  readonly #messages: CounterMetric;
  /** By pipeline and node. */
  readonly #entries = new Map<string, Map<string, Entry>>();
  readonly #leaving = new Set<Promise<void>>();

  constructor(options: ExportersOptions) {
    this.#options = options;
    this.#links = new MqttLinks(options.logger);
    this.#messages = options.metrics.counter({
      name: 'vantage_export_documents_total',
      help: 'Insights documents of export nodes, by what became of them (sent, dropped, failed).',
      labelNames: ['pipeline', 'node', 'result'],
    });
  }

  /** The graphs that run from now on. The target `inference` is not taken: the module sends these messages itself. */
  apply(graphs: readonly SkillGraph[]): void {
    const wanted = new Map(graphs.filter(({ skill }) => skill).map((graph) => [graph.id, graph]));
    for (const [pipeline, entries] of this.#entries) {
      const graph = wanted.get(pipeline);
      const nodes = new Map(graph && nodesOf(graph, 'export').map((node) => [node.id, node]));
      for (const [id, entry] of entries) {
        const node = nodes.get(id);
        if (node && graph && isSame(entry, graph, node.to)) continue;
        entries.delete(id);
        this.#leave(entry.line);
      }
      if (!graph) this.#entries.delete(pipeline);
    }
    for (const graph of wanted.values()) {
      const entries = this.#entries.get(graph.id) ?? new Map<string, Entry>();
      this.#entries.set(graph.id, entries);
      for (const node of nodesOf(graph, 'export')) {
        const { to } = node;
        if (to.kind !== 'inference' && !entries.has(node.id)) entries.set(node.id, this.#open(graph, node.id, to));
      }
    }
  }

  /** Never throws. What comes from a node that is gone is left out. */
  push(pipeline: string, post: ExportPost): void {
    const entry = this.#entries.get(pipeline)?.get(post.node);
    if (!entry || 'frame' in post) return;
    if (post.seen && entry.isKept) this.#options.store.add({ ...entry.skill, device: post.sensor }, post.document);
    entry.line.push(post.document);
  }

  /** By node. */
  status(pipeline: string): Record<string, ExportStatus> {
    const entries = [...(this.#entries.get(pipeline) ?? [])];
    return Object.fromEntries(entries.map(([id, { line }]) => [id, line.status]));
  }

  /** Gives what waits a second to arrive. */
  async stop(): Promise<void> {
    this.apply([]);
    await Promise.all(this.#leaving);
  }

  #open(graph: SkillGraph, node: string, to: Target): Entry {
    const labels = { pipeline: graph.id, node };
    const sink = this.#sink(graph, to);
    const line = new ExportLine({
      sink,
      onResult: (result) => this.#messages.inc({ ...labels, result }),
      onProblem: (reason) =>
        this.#options.logger.warn(`${node} does not reach ${sink.target}: ${reason}`, {
          code: 'EXPORT_FAILED',
          ...labels,
        }),
    });
    return { to, skill: graph.skill, isKept: isKept(graph, to), line };
  }

  #sink(graph: SkillGraph, to: Target): ExportSink {
    const { edge, httpDeadlineMs } = this.#options;
    switch (to.kind) {
      case 'output':
        return new OutputSink({ edge, ...to });
      case 'http':
        return new HttpSink({ ...to, ...(httpDeadlineMs === undefined ? {} : { deadlineMs: httpDeadlineMs }) });
      case 'mqtt':
        return this.#links.open(to.broker, to.topic, graph.skill?.instance ?? graph.id);
    }
  }

  #leave(line: ExportLine): void {
    const left = line.stop().catch((error: unknown) => {
      this.#options.logger.warn(`an export did not stop cleanly: ${messageOf(error)}`);
    });
    this.#leaving.add(left);
    void left.finally(() => this.#leaving.delete(left));
  }
}

function isSame({ to, skill, isKept: kept }: Entry, graph: SkillGraph, wanted: ExportTarget): boolean {
  return isDeepStrictEqual([to, skill, kept], [wanted, graph.skill, isKept(graph, wanted)]);
}

/** HTTP gets every frame, which would push out what the others chose; it counts where there is nothing else. */
function isKept(graph: SkillGraph, { kind }: ExportTarget): boolean {
  const isChosen = ({ to }: ExportNode): boolean => to.kind === 'output' || to.kind === 'mqtt';
  return kind !== 'http' || !nodesOf(graph, 'export').some(isChosen);
}
