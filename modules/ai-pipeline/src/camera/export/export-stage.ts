import { messageOf } from '@vantage/contracts';
import { ExportGate, toInsightsDocument, type ExportNode, type FrameInsights, type SkillIds } from '@vantage/skill';
import type { CameraFrame, GraphStage } from '../graph/stage.ts';

/** What a camera's thread hands to the main thread for an export node. */
export type ExportPost = {
  /** Id of the export node. */
  readonly node: string;
  readonly sensor: string;
} & (
  | {
      /** The insights document, as JSON. */
      readonly document: string;
      /** It holds objects or events. */
      readonly seen: boolean;
    }
  /** For the target `inference`: the pipeline's own message, which is made of several frames. */
  | { readonly frame: FrameInsights }
);

export interface ExportStageOptions {
  readonly node: ExportNode;
  readonly ids: SkillIds;
  readonly sensor: string;
  readonly send: (post: ExportPost) => void;
  readonly onProblem: (code: string, message: string) => void;
}

/** An export's end in the camera's thread: chooses frames and writes the document, so that the main thread need not. */
export class ExportStage implements GraphStage {
  readonly #options: ExportStageOptions;
  readonly #gate: ExportGate;
  #failure: string | undefined;

  constructor(options: ExportStageOptions) {
    this.#options = options;
    this.#gate = new ExportGate(options.node.everySeconds);
  }

  process(frame: CameraFrame): CameraFrame {
    const { insights } = frame;
    if (!this.#gate.admits(insights)) return frame;
    try {
      this.#options.send(this.#post(insights));
      this.#failure = undefined;
    } catch (error) {
      this.#failed(messageOf(error));
    }
    return frame;
  }

  stop(): void {
    // Nothing is open.
  }

  #post(frame: FrameInsights): ExportPost {
    const { node, ids, sensor } = this.#options;
    const common = { node: node.id, sensor };
    if (node.to.kind === 'inference') return { ...common, frame };
    const document = JSON.stringify(toInsightsDocument(frame, ids));
    return { ...common, document, seen: frame.detections.length > 0 || (frame.events?.length ?? 0) > 0 };
  }

  /** Said once, not thirty times a second. */
  #failed(reason: string): void {
    const { node, sensor, onProblem } = this.#options;
    if (reason !== this.#failure)
      onProblem('EXPORT_FAILED', `${node.id}: a frame of ${sensor} was not sent: ${reason}`);
    this.#failure = reason;
  }
}
