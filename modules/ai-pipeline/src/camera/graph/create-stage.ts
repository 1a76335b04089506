import type { Ffmpeg } from '@vantage/media';
import { Analytics, createInsightStage, usesRegions, type Region, type SkillIds } from '@vantage/skill';
import type { ClipRecorder } from '../clip-recorder.ts';
import type { FromCamera } from '../protocol.ts';
import { ExportStage } from '../export/export-stage.ts';
import { threadLogger } from '../thread-logger.ts';
import type { TrackStage } from '../track-stage.ts';
import type { BranchNode, CameraGraph } from './camera-graph.ts';
import type { PicturePool } from './shared-picture.ts';
import type { GraphStage } from './stage.ts';
import type { StageModules } from './stage-modules.ts';
import { AnalyticsGraphStage } from './stages/analytics-stage.ts';
import { InsightGraphStage } from './stages/insight-stage.ts';
import { ModelStage } from './stages/model-stage.ts';
import { PassStage } from './stages/pass-stage.ts';
import { RecorderGraphStage } from './stages/recorder-stage.ts';
import { TrackerGraphStage } from './stages/tracker-stage.ts';

/** How long a file that is read as fast as possible waits for a custom node that does not answer (yet). */
const PATIENCE_MS = 10_000;

export interface StageContext {
  /** What the graph's nodes need is loaded. */
  readonly modules: StageModules;
  readonly pool: PicturePool;
  readonly ffmpeg: Ffmpeg;
  /** Where clips go; absent: nothing is recorded. */
  readonly folder: string | undefined;
  readonly recorder: Pick<ClipRecorder, 'onInsights'> | undefined;
  readonly send: (message: FromCamera) => void;
  /** The tracker of a node; one that was there before keeps its ids. */
  readonly tracker: (node: string, setup: CameraGraph['trackers'][string] | undefined) => TrackStage;
  readonly regions: () => readonly Region[];
  readonly onStatus: () => void;
  readonly onProblem: (code: string, message: string) => void;
}

/** What runs a node of a graph. Models get theirs later, when they are loaded. */
export function createStage(node: BranchNode, graph: CameraGraph, context: StageContext): GraphStage {
  const { source, skill } = graph;
  const ids: SkillIds = { ...skill, device: source.sensor };
  switch (node.kind) {
    case 'filter':
    case 'rule':
      return new InsightGraphStage(createInsightStage(node, source));
    case 'tracker':
      return new TrackerGraphStage(context.tracker(node.id, graph.trackers[node.id]));
    case 'analytics': {
      const setup = graph.analytics[node.id];
      return setup ? new AnalyticsGraphStage(new Analytics(setup.spec, setup.stream)) : new PassStage();
    }
    case 'model':
      return new ModelStage((reason) =>
        context.onProblem('INFERENCE_FAILED', `${node.id} failed on a frame of camera ${source.sensor}: ${reason}`),
      );
    case 'custom':
      if (!context.modules.custom) return new PassStage();
      return new context.modules.custom.CustomStage({
        node,
        ids,
        pool: context.pool,
        regions: context.regions,
        patienceMs: source.pace === 'asFastAsPossible' ? PATIENCE_MS : 0,
        onStatus: context.onStatus,
        onProblem: context.onProblem,
        logger: threadLogger(context.send, { sensor: source.sensor, node: node.id }),
      });
    case 'recorder':
      return new RecorderGraphStage(context.recorder);
    case 'export':
      return new ExportStage({
        ...{ node, ids, sensor: source.sensor },
        send: (post) => context.send({ kind: 'export', post }),
        onProblem: context.onProblem,
      });
    case 'snippet':
      if (context.folder === undefined || !context.modules.snippet) return new PassStage();
      return new context.modules.snippet.SnippetStage({
        ...{ node, sensor: source.sensor, folder: context.folder, ffmpeg: context.ffmpeg },
        onClip: (clip) => context.send({ kind: 'clip', clip }),
        onProblem: context.onProblem,
      });
  }
}

/** What makes a node another one, which starts anew. Compared deeply. */
export function identityOf(node: BranchNode, { trackers, analytics, source }: CameraGraph): unknown {
  switch (node.kind) {
    case 'model':
      // Another model takes over in the same stage, when it is loaded.
      return node.id;
    case 'tracker':
      return trackers[node.id];
    case 'analytics':
      return analytics[node.id];
    case 'custom':
    case 'export':
    case 'filter':
    case 'recorder':
    case 'rule':
    case 'snippet':
      return [node, usesRegions(node) ? source.regions : undefined];
  }
}
