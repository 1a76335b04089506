import type { BranchModel } from '../camera/graph/camera-graph.ts';
import type { CameraModel, CameraSecondary } from '../camera/protocol.ts';
import type { RunningModel } from './model-slot.ts';

/** `scaling-filter`: the filters of NvBufSurfTransform by their number, as swscale has them; the last is its default. */
const SCALE_FLAGS = ['neighbor', 'bilinear', 'bicubic', 'area', 'lanczos', 'lanczos', undefined] as const;

/** A primary model as cameras get it, with a port of its own. */
export function cameraModel({ loaded, spec }: RunningModel): CameraModel {
  const scaleFlags = SCALE_FLAGS[spec.infer.scalingFilter ?? -1];
  return {
    port: loaded.connect(),
    network: loaded.report.network,
    keepAspect: spec.infer.maintainAspectRatio,
    ...(scaleFlags === undefined ? {} : { scaleFlags }),
    labels: spec.labels,
    componentId: spec.infer.gieUniqueId,
    interval: spec.infer.interval,
  };
}

/** A secondary model as cameras get it. */
export function cameraSecondary(node: string, order: number, { loaded, spec }: RunningModel): CameraSecondary {
  const { infer } = spec;
  return {
    node,
    order,
    port: loaded.connect(),
    rules: {
      componentId: infer.gieUniqueId,
      operateOnGieId: infer.operateOnGieId,
      operateOnClassIds: infer.operateOnClassIds,
      minWidth: infer.inputObjectMinWidth,
      minHeight: infer.inputObjectMinHeight,
      maxWidth: infer.inputObjectMaxWidth,
      maxHeight: infer.inputObjectMaxHeight,
      interval: infer.interval,
      ...(infer.secondaryReinferInterval === undefined ? {} : { reinferInterval: infer.secondaryReinferInterval }),
      detects: infer.networkType === 'detector' || infer.networkType === 'instance-segmentation',
    },
  };
}

/** A model behind the trunk as cameras get it. */
export function branchModel(node: string, running: RunningModel): BranchModel {
  const { port, rules } = cameraSecondary(node, 0, running);
  const { infer, labels } = running.spec;
  const looksAtObjects = infer.processMode === 'secondary';
  return { node, port, labels, interval: infer.interval, ...(looksAtObjects ? { rules } : {}) };
}
