import type { FrameFlow } from './frame-flow.ts';
import type { CameraCounters } from './protocol.ts';
import type { Trunk } from './trunk.ts';

/** What a camera has done since it was opened. */
export class TaskCounters {
  frames = 0;
  packets = 0;
  reconnects = 0;
  #last = { count: 0, inferenceUs: 0, ms: 0 };

  read(flow: FrameFlow, { cascade, branches }: Pick<Trunk, 'cascade' | 'branches'>): CameraCounters {
    const { analysed, error, inferenceUs } = flow.counters;
    const since = analysed - this.#last.count;
    if (since > 0) {
      const ms = (inferenceUs - this.#last.inferenceUs) / since / 1000;
      this.#last = { count: analysed, inferenceUs, ms };
    }
    return {
      frames: this.frames,
      packets: this.packets,
      reconnects: this.reconnects,
      analysed,
      dropped: { busy: flow.edge.dropped, error },
      inferenceMs: Math.round(this.#last.ms * 100) / 100,
      edges: { cameraToModel: flow.edge },
      secondaries: cascade.counters,
      nodes: branches?.report() ?? {},
    };
  }
}
