import { streamUri, type Components, type PipelineConfig, type Stream } from '@vantage/contracts';
import { compileSkills } from './compile-skills.ts';
import type { GraphEdge, GraphNode, ModelNode, SkillGraph, SourceNode, TrackerNode } from './graph.ts';

/** Something a configuration asks for that this version does not do. It is reported, never silently left out. */
export interface CompileNote {
  readonly pipeline: string;
  readonly message: string;
}

export interface CompileResult {
  readonly graphs: readonly SkillGraph[];
  readonly notes: readonly CompileNote[];
}

/**
 * A configuration to graphs: `pipelineConfigs` with `streams`, then `skills`. What of a skill is wrong is in `notes`, with
 * the paths that {@link compileSkills} gives.
 *
 * Azure DeepStream Accelerator's `pipelineConfigs` and `streams` become one graph a pipeline: all its cameras feed one
 * model, each camera's objects go through a tracker of its own and the secondary models, in the order of the twin, to
 * the `inference` output and the recorder.
 */
export function compileComponents(components: Components): CompileResult {
  if (!components.enabled) return { graphs: [], notes: [] };
  const notes: CompileNote[] = [];
  const graphs = components.pipelines.flatMap((config) => {
    const streams = components.streams.filter((stream) => stream.configId === config.id);
    const refusal = refused(config);
    if (refusal) notes.push({ pipeline: config.id, message: refusal });
    return streams.length === 0 || refusal ? [] : [compilePipeline(config, streams)];
  });
  const skills = compileSkills(components);
  notes.push(
    ...skills.issues.map(({ instance, path, message }) => ({ pipeline: instance, message: `${path}: ${message}` })),
  );
  return { graphs: [...graphs, ...skills.graphs], notes };
}

function compilePipeline(config: PipelineConfig, streams: readonly Stream[]): SkillGraph {
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  const connect = (from: readonly GraphNode[], to: GraphNode, queue: GraphEdge['queue']) => {
    nodes.push(to);
    for (const node of from) edges.push({ from: node.id, to: to.id, queue });
  };

  const sources = streams.map((stream) => sourceNode(config, stream));
  nodes.push(...sources);
  let last: readonly GraphNode[] = sources;
  const model = modelNode(config);
  if (model) {
    // A camera is never slowed by its model: the newest frame takes the place of the one that waits.
    for (const source of sources) {
      // A file that is read as fast as it goes waits instead.
      const policy = source.pace === 'realtime' ? 'latest' : 'block';
      edges.push({ from: source.id, to: model.id, queue: { capacity: 1, policy } });
    }
    nodes.push(model);
    last = [model];
  }
  const tracker = trackerNode(config);
  if (tracker) {
    connect(last, tracker, { capacity: 2, policy: 'block' });
    last = [tracker];
  }
  for (const secondary of secondaryNodes(config)) {
    connect(last, secondary, { capacity: 1, policy: 'block' });
    last = [secondary];
  }
  if (config.analytics) {
    const place = { ...config.analytics, ...(config.zip ? { package: config.zip } : {}) };
    const analytics: GraphNode = { kind: 'analytics', id: 'analytics', ...place };
    connect(last, analytics, { capacity: 1, policy: 'block' });
    last = [analytics];
  }
  connect(
    last,
    { kind: 'export', id: 'inference', to: { kind: 'inference', output: 'inference' } },
    { capacity: 32, policy: 'dropOldest' },
  );
  connect(
    last,
    {
      kind: 'recorder',
      id: 'recorder',
      prefix: config.id.toLowerCase(),
      ...(config.osd ? { overlay: true } : {}),
    },
    { capacity: 32, policy: 'dropOldest' },
  );
  return { id: config.id, nodes, edges };
}

function sourceNode(config: PipelineConfig, stream: Stream): SourceNode {
  const { sensor } = stream;
  return {
    kind: 'source',
    id: `source/${sensor.name}`,
    sensor: sensor.name,
    url: streamUri(stream),
    ...(config.dewarp ? { dewarp: { ...config.dewarp, ...(config.zip ? { package: config.zip } : {}) } } : {}),
    ...(config.crop ? { crop: config.crop } : {}),
    ...(config.cameraHealth === undefined ? {} : { health: config.cameraHealth }),
    regions: sensor.regionsOfInterest.map(({ label, color, coordinates }) => ({ label, color, coordinates })),
    pace: sensor.playback.paced ? 'realtime' : 'asFastAsPossible',
    loop: sensor.playback.loop,
  };
}

function modelNode(config: PipelineConfig): ModelNode | undefined {
  const { primary, zip } = config;
  if (!primary) return undefined;
  return { kind: 'model', id: 'model/primary', role: 'primary', ...(zip ? { package: zip } : {}), ...primary };
}

/** In the order of the twin, which is the order of the cascade. */
function secondaryNodes({ primary, secondaries, zip }: PipelineConfig): ModelNode[] {
  if (!primary) return [];
  return secondaries.map((secondary, order) => ({
    kind: 'model',
    id: `model/secondary-${order + 1}`,
    role: { secondary: order },
    ...(zip ? { package: zip } : {}),
    ...secondary,
  }));
}

function trackerNode(config: PipelineConfig): TrackerNode | undefined {
  switch (config.tracker.kind) {
    case 'none':
      return undefined;
    case 'light':
      return { kind: 'tracker', id: 'tracker', algorithm: 'light' };
    case 'file':
      return {
        kind: 'tracker',
        id: 'tracker',
        algorithm: 'file',
        ...(config.zip ? { package: config.zip } : {}),
        configFile: config.tracker.path,
      };
  }
}

/** Why the pipeline cannot run at all. */
function refused(config: PipelineConfig): string | undefined {
  if (config.passthrough !== undefined) {
    return 'deepstreamPassthrough is GStreamer text, and there is no GStreamer here; describe the pipeline by its model and options';
  }
  return undefined;
}
