import type { MessagePort } from 'node:worker_threads';
import type { GraphEdge, GraphNode, SkillGraph, SourceNode } from '@vantage/skill';
import type { AnalyticsSetup, TrackerSetup } from '../protocol.ts';
import type { SecondaryRules } from '../secondary-memory.ts';

/** Nodes that a runner has stages for; the others are the trunk's. */
export type BranchNode = Exclude<GraphNode, SourceNode>;

/**
 * What of a graph lies behind its trunk, for one camera. The trunk is the line source, primary model, tracker, secondary
 * models, rules of an nvdsanalytics file: it goes the fast way, and frames leave it at its taps.
 */
export interface CameraGraph {
  /** Ids of the trunk's nodes where frames leave it, by how far they have come; those that something is behind. */
  readonly taps: {
    readonly source: string;
    /** Behind the primary model, before the tracker. */
    readonly detected?: string;
    /** Behind the tracker, before the secondary models. */
    readonly tracked?: string;
    readonly end: string;
  };
  readonly nodes: readonly BranchNode[];
  readonly edges: readonly GraphEdge[];
  /** The trunk's tracker. */
  readonly trunkTracker?: string;
  /** What the files of its trackers (the trunk's, too) and rules say, by node. */
  readonly trackers: Readonly<Record<string, TrackerSetup>>;
  readonly analytics: Readonly<Record<string, AnalyticsSetup>>;
  /** Without its address. */
  readonly source: SourceNode;
  readonly skill: NonNullable<SkillGraph['skill']>;
}

/** A model behind the trunk as a camera sees it. */
export interface BranchModel {
  readonly node: string;
  readonly port: MessagePort;
  readonly labels: readonly string[];
  readonly interval: number;
  /** Absent: it looks at frames. */
  readonly rules?: SecondaryRules;
}
