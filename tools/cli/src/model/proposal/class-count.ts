import type { TensorInfo } from '@vantage/vision';

/** Values of a box that are no scores of classes. */
const BESIDES_CLASSES: Readonly<Record<string, number>> = { yolox: 5, yolov5: 5, fastestdet: 5, yolov8: 4 };

/** How many classes the outputs of a detector or classifier have, where the shape of its family tells. */
export function classCountOf(parser: string, outputs: readonly TensorInfo[]): number | undefined {
  const [first] = outputs;
  if (first === undefined) return undefined;
  const own = first.dims.slice(1).filter((dim) => dim > 0);
  if (parser === 'classifier') return own.length === 0 ? undefined : own.reduce((a, b) => a * b, 1);
  if (parser === 'scores-boxes' || parser === 'distribution-heads') {
    const scores = outputs.find(({ name, dims }) => /score|conf|cls|class/i.test(name) && (dims.at(-1) ?? 0) > 0);
    return scores?.dims.at(-1);
  }
  const besides = BESIDES_CLASSES[parser];
  if (besides === undefined || outputs.length > 1 || own.length < 2) return undefined;
  // FastestDet gives [values, rows, columns], YOLOX and v5 [boxes, values], v8 [values, boxes].
  const values = parser === 'fastestdet' ? own[0] : parser === 'yolov8' ? Math.min(...own) : own.at(-1);
  return values !== undefined && values > besides ? values - besides : undefined;
}
