import type { ClassAttributes, InferSpec } from '@vantage/deepstream';
import type { Detection } from '@vantage/vision';

/**
 * The detection filter of nvinfer's class attributes: score after clustering, size, and the strips at the top and bottom
 * of the frame, all in source pixels (source: `attach_metadata_detector` of the public gst-nvinfer sources).
 *
 * @returns undefined when the configuration limits nothing, so that the hot path has nothing to ask
 */
export function classLimits({
  all,
  perClass,
}: InferSpec['classAttributes']): ((detection: Detection, frameHeight: number) => boolean) | undefined {
  if (![all, ...perClass.values()].some(limitsAnything)) return undefined;
  return ({ classId, confidence, box }, frameHeight) => {
    const own = perClass.get(classId) ?? all;
    return (
      confidence >= own.postClusterThreshold &&
      box.width >= own.detectedMinWidth &&
      box.height >= own.detectedMinHeight &&
      (own.detectedMaxWidth === 0 || box.width <= own.detectedMaxWidth) &&
      (own.detectedMaxHeight === 0 || box.height <= own.detectedMaxHeight) &&
      box.top >= own.roiTopOffset &&
      // A box cut off at the frame's edge may pass it by a rounding error.
      (own.roiBottomOffset === 0 || box.top + box.height <= frameHeight - own.roiBottomOffset)
    );
  };
}

function limitsAnything(own: ClassAttributes): boolean {
  return [
    own.postClusterThreshold,
    own.detectedMinWidth,
    own.detectedMinHeight,
    own.detectedMaxWidth,
    own.detectedMaxHeight,
    own.roiTopOffset,
    own.roiBottomOffset,
  ].some((value) => value > 0);
}
