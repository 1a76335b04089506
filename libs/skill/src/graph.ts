/**
 * The graph that every pipeline becomes: typed nodes, and edges with a bounded queue each. Plain immutable data, so
 * that two graphs can be compared (`plan.ts`) and sent to threads.
 */

import type { CameraHealthConfig } from '@vantage/contracts';

export interface Region {
  readonly label: string;
  /** `#rrggbb` */
  readonly color: string;
  /** Corners as fractions 0..1 of the camera's frame, origin top left; implicitly closed. */
  readonly coordinates: readonly (readonly [x: number, y: number])[];
}

/** Rectangle in pixels of the camera's frame. */
export interface PixelRect {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface SourceNode {
  readonly kind: 'source';
  readonly id: string;
  readonly sensor: string;
  /** With credentials where the twin gives some: never log it, `redact` it. */
  readonly url: string;
  /** Straightens the picture of a wide lens, before the crop. The dewarped picture is then the camera's frame. */
  readonly dewarp?: { readonly configFile: string; readonly package?: ModelPackage };
  /** Part of the frame that is looked at. Boxes and regions keep to the whole frame's coordinates all the same. */
  readonly crop?: PixelRect;
  readonly regions: readonly Region[];
  /** How a file is played: like a camera, or as fast as the graph can take it. */
  readonly pace: 'realtime' | 'asFastAsPossible';
  /** Start a file again at its end, with timestamps that go on. */
  readonly loop: boolean;
  /** Its number in rules of nvdsanalytics; absent: its place among the sources of the graph. */
  readonly stream?: number;
  /** Whether its view is watched; absent: as by default. */
  readonly health?: CameraHealthConfig;
  /** At most so many frames a second are looked at; those between are discarded before they cost anything. */
  readonly maxFps?: number;
}

/** A zip or folder that paths are relative to. May hold a credential. */
export interface ModelPackage {
  readonly url: string;
  readonly sha256?: string;
}

export interface ModelNode {
  readonly kind: 'model';
  readonly id: string;
  /** Absent: `primary`, which looks at frames. A secondary looks at objects; lower orders first. */
  readonly role?: 'primary' | { readonly secondary: number };
  /** Absent: paths on this machine. */
  readonly package?: ModelPackage;
  /** nvinfer or nvinferserver configuration file. */
  readonly configFile: string;
  /** Name of a built-in output parser. */
  readonly parser?: string;
  /** A parser of the user's own (contract D.4), relative to the package. At most one of the two. */
  readonly pyFile?: string;
  readonly jsFile?: string;
}

export interface TrackerNode {
  readonly kind: 'tracker';
  readonly id: string;
  /** `light` is the built-in tracker; `file` names a DeepStream tracker configuration. */
  readonly algorithm: 'light' | 'file';
  /** Absent: `configFile` is a path on this machine. */
  readonly package?: ModelPackage;
  readonly configFile?: string;
}

/** Regions, lines, crowds and directions: a file of nvdsanalytics. */
export interface AnalyticsNode {
  readonly kind: 'analytics';
  readonly id: string;
  readonly package?: ModelPackage;
  readonly configFile: string;
}

export interface RecorderNode {
  readonly kind: 'recorder';
  readonly id: string;
  /** File name prefix of its clips (the pipeline's id in lower case). */
  readonly prefix: string;
  /** A second clip of each, with what was seen painted in (`osd`). */
  readonly overlay?: true;
}

/** Somebody's code behind gRPC (`custom_node.proto`). May change pictures and insights. */
export interface CustomNode {
  readonly kind: 'custom';
  readonly id: string;
  /** As written: `host:port`, with an optional scheme and `/route`, or `unix:path`. */
  readonly endpoint: string;
  readonly deadlineMs: number;
  /** Calls under way at most; answers go on in the order of the frames. */
  readonly inFlight: number;
  /** A frame whose call failed goes on without results, or not at all. */
  readonly onFailure: 'pass' | 'drop';
  /** What becomes of the objects that were there when the answer has some. */
  readonly merge: 'append' | 'replace';
  /** Messages above this are not sent. */
  readonly maxMessageBytes: number;
  /** Pictures larger than this are made smaller, sides kept in proportion. */
  readonly downscale?: { readonly width: number; readonly height: number };
  readonly tls?: { readonly caFile?: string };
  /** A secret: never log it. */
  readonly token?: string;
  /** `auto` uses shared memory where the other end offers it. */
  readonly sharedMemory: 'auto' | 'off';
}

/** Keeps objects by label and confidence; frames without objects go on. */
export interface FilterNode {
  readonly kind: 'filter';
  readonly id: string;
  /** Exact labels; empty: all. */
  readonly labels: readonly string[];
  /** 0 to 1; 0: no test. */
  readonly minConfidence: number;
}

/** A rule over the objects of a camera (`rules/` says what each means exactly). Adds events and properties. */
export interface RuleNode {
  readonly kind: 'rule';
  readonly id: string;
  readonly rule: Rule;
}

/** Point of a box that a rule looks at. */
export type Anchor = 'bottomCentre' | 'centre';

/** Which objects a rule looks at, and where they are. `docs/skills.md` says what each rule means exactly. */
export interface RuleScope {
  /** Exact labels; empty: all. */
  readonly labels: readonly string[];
  /** 0 to 1; 0: no test. */
  readonly minConfidence: number;
  readonly anchor: Anchor;
  /** By label; what it does not say is as above. */
  readonly perClass?: Readonly<Record<string, ClassSettings>>;
}

export interface ClassSettings {
  readonly minConfidence?: number;
  readonly anchor?: Anchor;
  /** `dwell` only. */
  readonly seconds?: number;
}

/** Corners as fractions 0..1 of the camera's frame; or the camera's region of interest of that label. */
export type RuleArea = { readonly region: string } | { readonly polygon: Region['coordinates'] };

export type Rule =
  | (RuleScope & { readonly type: 'presence'; readonly area: RuleArea; readonly holdSeconds: number })
  | (RuleScope & {
      readonly type: 'dwell';
      readonly area: RuleArea;
      readonly seconds: number;
      /** An object that is away for less has not left. */
      readonly holdSeconds: number;
    })
  | (RuleScope & {
      readonly type: 'crowding';
      readonly area: RuleArea;
      readonly atLeast: number;
      readonly forSeconds: number;
    })
  | (RuleScope & {
      readonly type: 'lineCrossing';
      readonly line: readonly [Region['coordinates'][number], Region['coordinates'][number]];
      readonly direction: 'both' | 'leftToRight' | 'rightToLeft';
    })
  | (RuleScope & { readonly type: 'counter'; readonly area?: RuleArea; readonly windowSeconds: number })
  | (RuleScope & { readonly type: 'speed'; readonly metresPerPixel?: number; readonly overSeconds: number });

/** Clips of what arrives at the node, while there are objects (`video_snippet_export`). */
export interface SnippetNode {
  readonly kind: 'snippet';
  readonly id: string;
  readonly prefix: string;
  readonly durationSeconds: number;
  /** From one start to the next, at least. */
  readonly everyMinutes: number;
  readonly overlay: boolean;
  /** Folders of the blob's name. */
  readonly instance: string;
  readonly skill: string;
  /** Absent: the camera's name. */
  readonly device?: string;
}

export interface ExportNode {
  readonly kind: 'export';
  readonly id: string;
  readonly to: ExportTarget;
  /** Seconds between two messages at least; absent: every frame. With it, frames without objects send nothing. */
  readonly everySeconds?: number;
}

export type ExportTarget =
  /** The pipeline's own message, contract deepstream-accelerator C. */
  | { readonly kind: 'inference'; readonly output: string }
  /** Insights document of AI Skills at a module output. */
  | { readonly kind: 'output'; readonly output: string; readonly brokered?: { module: string; input: string } }
  /** May hold a credential: `redact` it. */
  | { readonly kind: 'http'; readonly url: string; readonly doubleEncoded: boolean }
  | { readonly kind: 'mqtt'; readonly broker: string; readonly topic: string };

export type GraphNode =
  | SourceNode
  | ModelNode
  | TrackerNode
  | AnalyticsNode
  | RecorderNode
  | CustomNode
  | FilterNode
  | RuleNode
  | SnippetNode
  | ExportNode;

export type QueuePolicy = 'block' | 'dropOldest' | 'dropNewest' | 'latest';

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** Frames at most between the two nodes, and what happens to one more. */
  readonly queue: { readonly capacity: number; readonly policy: QueuePolicy };
}

export interface SkillGraph {
  /** The pipeline's id: `inference.id` in messages, `configId` in recording commands. */
  readonly id: string;
  /** Where it comes from a skill: the ids that its insights documents and custom nodes carry. */
  readonly skill?: { readonly instance: string; readonly skill: string };
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** All nodes of one kind, in graph order. */
export function nodesOf<K extends GraphNode['kind']>(graph: SkillGraph, kind: K): Extract<GraphNode, { kind: K }>[] {
  return graph.nodes.filter((node): node is Extract<GraphNode, { kind: K }> => node.kind === kind);
}

/** The node behind `from` of one kind, or undefined. */
export function nextNode<K extends GraphNode['kind']>(
  graph: SkillGraph,
  from: string,
  kind: K,
): Extract<GraphNode, { kind: K }> | undefined {
  const targets = new Set(graph.edges.filter((edge) => edge.from === from).map((edge) => edge.to));
  return nodesOf(graph, kind).find((node) => targets.has(node.id));
}

/** The model that looks at frames. */
export function primaryModel(graph: SkillGraph): ModelNode | undefined {
  return nodesOf(graph, 'model').find(({ role }) => role === undefined || role === 'primary');
}

/** The models that look at objects, in cascade order. */
export function secondaryModels(graph: SkillGraph): ModelNode[] {
  const order = ({ role }: ModelNode): number => (typeof role === 'object' ? role.secondary : -1);
  return nodesOf(graph, 'model')
    .filter((node) => order(node) >= 0)
    .sort((a, b) => order(a) - order(b));
}
