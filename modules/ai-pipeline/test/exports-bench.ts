import { Metrics, silentLogger, type Logger } from '@vantage/observability';
import type { ExportNode, ExportTarget, FrameInsights, FrameObject, SkillGraph } from '@vantage/skill';
import { ExportStage, type ExportPost } from '../src/camera/export/export-stage.ts';
import { Exporters, type ExportersOptions } from '../src/exports/exporters.ts';
import { InsightStore } from '../src/exports/insight-store.ts';

export const IDS = { instance: 'instance-abc', skill: 'skill-1', device: 'gate' };
export const closers: (() => Promise<unknown>)[] = [];
/** For `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

export interface Bench {
  readonly exporters: Exporters;
  readonly store: InsightStore;
  readonly sent: { output: string; body: unknown; properties: unknown }[];
  readonly lines: string[];
  readonly metrics: Metrics;
  readonly run: (nodes: readonly ExportNode[]) => ExportStage[];
  /** Waits until a node's counters say so. */
  readonly until: (node: string, is: (status: ReturnType<Exporters['status']>[string]) => boolean) => Promise<void>;
}

export function bench(change: Partial<ExportersOptions> = {}): Bench {
  const sent: Bench['sent'] = [];
  const lines: string[] = [];
  const write = (text: string): void => void lines.push(text);
  const logger: Logger = { ...silentLogger, warn: write, error: write, info: write, child: () => logger };
  const store = new InsightStore();
  const metrics = new Metrics();
  const exporters = new Exporters({
    edge: {
      send: (output, body, properties) => {
        sent.push({ output, body, properties });
        return Promise.resolve();
      },
    },
    ...{ metrics, logger, store },
    ...change,
  });
  closers.push(() => exporters.stop());
  return {
    ...{ exporters, store, sent, lines, metrics },
    run(nodes) {
      exporters.apply([graph(nodes)]);
      return nodes.map(
        (node) =>
          new ExportStage({
            ...{ node, ids: IDS, sensor: 'gate' },
            send: (post: ExportPost) => exporters.push('p', structuredClone(post)),
            onProblem: write,
          }),
      );
    },
    async until(node, is) {
      while (!is(exporters.status('p')[node]!)) await new Promise((resolve) => setTimeout(resolve, 5));
    },
  };
}

function graph(nodes: readonly ExportNode[]): SkillGraph {
  return { id: 'p', skill: { instance: IDS.instance, skill: IDS.skill }, nodes, edges: [] };
}

export function node(id: string, to: ExportTarget, everySeconds?: number): ExportNode {
  return { kind: 'export', id, to, ...(everySeconds === undefined ? {} : { everySeconds }) };
}

export function object(label: string, confidence = 0.9): FrameObject {
  const box = { left: 192, top: 216, width: 576, height: 432 };
  return { classId: 0, label, confidence, box, trackingId: -1, componentId: 1, attributes: [] };
}

export function frame(seconds: number, detections: readonly FrameObject[] = [object('car')]): FrameInsights {
  const size = { width: 1920, height: 1080 };
  const time = { frameId: Math.round(seconds * 10), ptsUs: seconds * 1e6, captureTimeMs: 1.7e12 + seconds * 1000 };
  return { sensor: 'gate', ...time, ...size, detections };
}

/** Ten frames a second. */
export function play(stages: readonly ExportStage[], seconds: number, detections?: readonly FrameObject[]): void {
  for (let at = 0; at < seconds * 10; at += 1)
    for (const stage of stages) stage.process({ insights: frame(at / 10, detections) });
}
