import type { HardwareDecode } from '@vantage/media';
import { nodesOf, type SkillGraph, type SourceNode } from '@vantage/skill';
import type { CameraGraph } from '../camera/graph/camera-graph.ts';
import type { CameraRoute } from '../camera/graph/route.ts';
import type { AnalyticsSetup, RecordingSettings, TrackerSetup } from '../camera/protocol.ts';
import type { RunningModel } from './model-slot.ts';
import type { Files } from './pipeline-files.ts';
import type { RecordingOptions } from './pipeline-types.ts';

/** What of a pipeline's graph, files and options one of its cameras is given. */

/** What runs behind or beside the camera's trunk; undefined where there is nothing. */
export function graphOf(
  graph: SkillGraph,
  { trunk, rest }: CameraRoute,
  source: SourceNode,
  files: Files | undefined,
): CameraGraph | undefined {
  if (!rest) return undefined;
  const trackers = files?.trackers ?? new Map<string, TrackerSetup>();
  const rules = rest.nodes.filter(({ kind }) => kind === 'analytics');
  return {
    ...rest,
    ...(trunk.tracker ? { trunkTracker: trunk.tracker.id } : {}),
    trackers: Object.fromEntries(trackers),
    analytics: Object.fromEntries(
      rules.flatMap(({ id }) => {
        const setup = analyticsOf(graph, source, id, files);
        return setup ? [[id, setup] as const] : [];
      }),
    ),
  };
}

/** Rules name cameras by their number in the pipeline. */
export function analyticsOf(
  graph: SkillGraph,
  { id, stream: number }: SourceNode,
  node: string,
  files: Files | undefined,
): AnalyticsSetup | undefined {
  const spec = files?.analytics.get(node);
  const stream = number ?? nodesOf(graph, 'source').findIndex((source) => source.id === id);
  return spec && { spec, stream };
}

/** The number of cameras decides whether clip names carry the sensor's. */
export function recordingOf(graph: SkillGraph, options: RecordingOptions | undefined): RecordingSettings | undefined {
  const [recorder] = nodesOf(graph, 'recorder');
  if (!options || !recorder) return undefined;
  return {
    ...options,
    prefix: recorder.prefix,
    pipelineId: graph.id,
    sensorSuffix: nodesOf(graph, 'source').length > 1,
  };
}

/** `gpu-id` of the primary is the GPU that decodes, too: pictures stay near. */
export function nearModel(hardware: HardwareDecode, primary: RunningModel | undefined): HardwareDecode {
  const gpu = primary?.spec.infer.gpuId;
  return hardware.kind === 'cuda' && gpu !== undefined ? { ...hardware, device: gpu } : { ...hardware };
}

/** Where a model of a route works. */
export type Place = 'primary' | 'secondary' | 'branch';

export function placesOf({ trunk, rest }: CameraRoute): Map<string, Place> {
  return new Map<string, Place>([
    ...(trunk.primary ? [[trunk.primary.id, 'primary'] as const] : []),
    ...trunk.secondaries.map(({ id }) => [id, 'secondary'] as const),
    ...(rest?.nodes ?? []).flatMap(({ id, kind }) => (kind === 'model' ? [[id, 'branch'] as const] : [])),
  ]);
}
