import type { ClipRecorder } from '../../clip-recorder.ts';
import type { CameraFrame, GraphStage } from '../stage.ts';

/** What is seen at this node stands beside the camera's clips. */
export class RecorderGraphStage implements GraphStage {
  readonly #recorder: Pick<ClipRecorder, 'onInsights'> | undefined;

  constructor(recorder: Pick<ClipRecorder, 'onInsights'> | undefined) {
    this.#recorder = recorder;
  }

  process({ insights }: CameraFrame): undefined {
    this.#recorder?.onInsights(insights);
    return undefined;
  }

  stop(): void {
    // The camera ends its recorder.
  }
}
