import { dimOf, floatsOf, isRequested, knownClassCount, sigmoid, soleOutput, thresholdOf } from './shape.ts';
import type { NetworkInfo, OutputParser, ParseOutputs, TensorInfo } from './types.ts';

const STRIDE = 32;
/** Widths and heights in cells. COCO's are those of Azure Custom Vision's exports and of DeepStream's function. */
const COCO_ANCHORS = [0.57273, 0.677385, 1.87446, 2.06253, 3.33843, 5.47434, 7.88282, 3.52778, 9.77052, 9.16828];
const VOC_ANCHORS = [1.08, 1.19, 3.42, 4.41, 6.63, 11.38, 9.42, 5.11, 16.62, 10.52];

/**
 * YOLOv2 and its tiny form, as Azure Custom Vision exports it: one grid `[batch, anchors * (5 + classes), rows,
 * columns]`; an anchor's channels are centre x, y (sigmoid, in cells), log width, height (times the anchor),
 * objectness (sigmoid) and classes (softmax); score = objectness * class.
 */
export const yolov2: OutputParser = {
  name: 'yolov2',
  aliases: [
    'yolov2-tiny',
    'tiny-yolov2',
    'custom-vision',
    'NvDsInferParseCustomYoloV2',
    'NvDsInferParseCustomYoloV2Tiny',
  ],
  source: 'Azure Custom Vision ONNX export, python/object_detection.py; NVIDIA objectDetector_Yolo; arXiv:1612.08242',
  network: { padValue: 0, suppression: 'nms' },

  match(outputs, net) {
    const [, channels, rows, columns] = soleOutput(outputs, 4)?.dims ?? [];
    if (channels === undefined) return undefined;
    if (rows !== Math.floor(net.height / STRIDE) || columns !== Math.floor(net.width / STRIDE)) return undefined;
    const anchors = anchorsOf(outputs, net, channels).length / 2;
    if (channels % anchors !== 0 || channels / anchors < 6) return undefined;
    const classes = channels / anchors - 5;
    const known = knownClassCount(net);
    const reason = `one grid of ${columns} x ${rows} cells with ${anchors} anchors of 5 + ${classes} channels`;
    return { score: known === undefined ? 0.75 : known === classes ? 0.92 : 0.3, reason };
  },

  create,
};

function anchorsOf(outputs: readonly TensorInfo[], net: NetworkInfo, channels: number): readonly number[] {
  if (net.anchors !== undefined) return net.anchors;
  // The model zoo's Tiny YOLOv2 was trained on the 20 classes of Pascal VOC; its output is called `grid`.
  return channels === 125 && outputs[0]?.name === 'grid' && !isRequested(net, 'custom-vision')
    ? VOC_ANCHORS
    : COCO_ANCHORS;
}

function create(outputs: readonly TensorInfo[], net: NetworkInfo): ParseOutputs {
  return (tensors, batchIndex, settings, into) => {
    const data = floatsOf(tensors, 0);
    const channels = dimOf(tensors, 0, 1);
    const rows = dimOf(tensors, 0, 2);
    const columns = dimOf(tensors, 0, 3);
    const anchors = anchorsOf(outputs, net, channels);
    const count = anchors.length / 2;
    const classes = channels / count - 5;
    const cells = rows * columns;
    for (let anchor = 0; anchor < count; anchor += 1) {
      const base = (batchIndex * channels + anchor * (5 + classes)) * cells;
      for (let cell = 0; cell < cells; cell += 1) {
        const at = base + cell;
        const objectness = sigmoid(data[at + 4 * cells] as number);
        if (objectness < settings.lowestThreshold) continue;
        let classId = 0;
        let best = data[at + 5 * cells] as number;
        for (let c = 1; c < classes; c += 1) {
          const value = data[at + (5 + c) * cells] as number;
          if (value > best) {
            best = value;
            classId = c;
          }
        }
        let total = 0;
        for (let c = 0; c < classes; c += 1) total += Math.exp((data[at + (5 + c) * cells] as number) - best);
        const score = objectness / total;
        if (score < thresholdOf(settings, classId)) continue;
        const x = (((cell % columns) + sigmoid(data[at] as number)) / columns) * net.width;
        const y = ((Math.floor(cell / columns) + sigmoid(data[at + cells] as number)) / rows) * net.height;
        const width =
          ((Math.exp(data[at + 2 * cells] as number) * (anchors[2 * anchor] as number)) / columns) * net.width;
        const height =
          ((Math.exp(data[at + 3 * cells] as number) * (anchors[2 * anchor + 1] as number)) / rows) * net.height;
        into.push(x - width / 2, y - height / 2, x + width / 2, y + height / 2, score, classId);
      }
    }
  };
}
