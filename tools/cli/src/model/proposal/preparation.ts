import type { PictureShape } from './picture-input.ts';

/** How a picture becomes the input of a network. */
export interface Preparation {
  readonly colour: 'RGB' | 'BGR' | 'GRAY';
  /** y = scale * (x - offsets[c]), x from 0 to 255; offsets in the order of `colour`. */
  readonly scale: number;
  readonly offsets?: readonly [number, number, number];
  /** Stretched to the network's size, or kept in shape: at the top left, or in the middle. */
  readonly fit: 'stretch' | 'top-left' | 'centre';
  /** Grey value beside a picture that keeps its shape. */
  readonly pad?: number;
  /** Why, in half a sentence. */
  readonly why: string;
  /** Models of one family are prepared differently: pictures have to show whether this is right. */
  readonly sure: boolean;
}

const UNIT = 1 / 255;
/** Mean and (mean) deviation of ImageNet, of values from 0 to 255. */
const IMAGENET = { scale: 1 / 57.63, offsets: [123.675, 116.28, 103.53] } as const;

const YOLO = (family: string): Preparation => ({
  colour: 'RGB',
  scale: UNIT,
  fit: 'centre',
  pad: 114,
  why: `${family} is trained on red-green-blue from 0 to 1, letterboxed with grey`,
  sure: true,
});

/** By the name of the parser. Each says whose training it follows. */
const FAMILIES: Readonly<Record<string, Preparation>> = {
  yolox: {
    colour: 'BGR',
    scale: 1,
    fit: 'top-left',
    pad: 114,
    why: 'YOLOX takes 0 to 255 as it is, blue first, grey beside the picture (its first releases: RGB, ImageNet mean)',
    sure: true,
  },
  yolov5: YOLO('YOLOv5'),
  yolov8: YOLO('YOLOv8 and its successors'),
  'yolov8-pose': YOLO('YOLO pose'),
  'yolov8-obb': YOLO('YOLO OBB'),
  'end-to-end': YOLO('YOLOv10 and its successors'),
  'deepstream-yolo': YOLO('YOLO as DeepStream-Yolo exports it'),
  'batch-rows': YOLO('YOLOv7'),
  'yolov5-landmarks': { ...YOLO('YOLOv5 with landmarks'), pad: 0 },
  'yolo-anchors': { ...YOLO('YOLOv3 and v4'), pad: 128 },
  yolov2: {
    colour: 'BGR',
    scale: 1,
    fit: 'top-left',
    pad: 0,
    why: 'Custom Vision and tiny YOLOv2 of the ONNX model zoo take 0 to 255, blue first',
    sure: false,
  },
  fastestdet: {
    colour: 'BGR',
    scale: UNIT,
    fit: 'stretch',
    why: 'FastestDet is trained on stretched pictures, blue first, from 0 to 1',
    sure: true,
  },
  'scores-boxes': {
    colour: 'RGB',
    scale: 1 / 128,
    offsets: [127, 127, 127],
    fit: 'stretch',
    why: 'face detectors such as UltraFace take (x - 127) / 128, stretched',
    sure: false,
  },
  yunet: {
    colour: 'BGR',
    scale: 1,
    fit: 'top-left',
    pad: 0,
    why: 'YuNet takes 0 to 255 as it is, blue first',
    sure: true,
  },
  scrfd: {
    colour: 'RGB',
    scale: 1 / 128,
    offsets: [127.5, 127.5, 127.5],
    fit: 'top-left',
    pad: 0,
    why: 'SCRFD takes (x - 127.5) / 128',
    sure: true,
  },
  'distribution-heads': {
    colour: 'BGR',
    scale: 0.017351,
    offsets: [103.53, 116.28, 123.675],
    fit: 'centre',
    pad: 0,
    why: 'NanoDet takes ImageNet mean and deviation, blue first',
    sure: false,
  },
  detectnet: {
    colour: 'RGB',
    scale: UNIT,
    fit: 'stretch',
    why: 'TAO DetectNet_v2 takes 0 to 1, stretched',
    sure: true,
  },
  'ctc-text': {
    colour: 'BGR',
    scale: 1 / 127.5,
    offsets: [127.5, 127.5, 127.5],
    fit: 'top-left',
    pad: 128,
    why: 'PaddleOCR takes (x - 127.5) / 127.5 at full height',
    sure: false,
  },
  embedding: {
    colour: 'RGB',
    ...IMAGENET,
    fit: 'stretch',
    why: 'most re-identification models take the mean and deviation of ImageNet',
    sure: false,
  },
  bodypose2d: {
    colour: 'RGB',
    ...IMAGENET,
    fit: 'stretch',
    why: 'most models for poses take the mean and deviation of ImageNet',
    sure: false,
  },
};

const IMAGENET_LIKE: Preparation = {
  colour: 'RGB',
  ...IMAGENET,
  fit: 'stretch',
  why: 'most models of this kind take the mean and deviation of ImageNet',
  sure: false,
};

const UNIT_RANGE: Preparation = {
  colour: 'RGB',
  scale: UNIT,
  fit: 'stretch',
  why: 'nothing tells how pictures are prepared; red-green-blue from 0 to 1 is the commonest',
  sure: false,
};

/** Parsers whose models mostly take ImageNet's normalisation. */
const IMAGENET_PARSERS = new Set([
  'classifier',
  'multi-label',
  'segmentation',
  'keypoint-heatmaps',
  'simcc',
  'retinanet',
  'mask-rcnn',
]);

/**
 * How pictures are prepared for models that this parser reads.
 *
 * @param producer who wrote the file, as it says itself
 */
export function preparationOf(parser: string, input: PictureShape, producer: string): Preparation {
  const found = FAMILIES[parser] ?? (IMAGENET_PARSERS.has(parser) ? IMAGENET_LIKE : UNIT_RANGE);
  if (input.channels === 1) {
    return {
      colour: 'GRAY',
      scale: input.type === 'uint8' ? 1 : UNIT,
      fit: 'stretch',
      why: 'the input has one channel: grey; 0 to 1 is a guess',
      sure: false,
    };
  }
  if (input.type === 'uint8' || input.type === 'int32') {
    const { colour, fit, pad } = found;
    const why = `the input takes ${input.type}: pixels as they are`;
    return { colour, scale: 1, fit, ...(pad === undefined ? {} : { pad }), why, sure: false };
  }
  if (/openvino|inference engine/i.test(producer)) {
    return {
      colour: 'BGR',
      scale: 1,
      fit: 'stretch',
      why: 'models of OpenVINO take 0 to 255, blue first',
      sure: false,
    };
  }
  return found;
}

/** Other ways that models are prepared, the commonest first: tried on pictures when nothing tells. */
export function alternatives(chosen: Preparation): readonly Preparation[] {
  if (chosen.colour === 'GRAY') {
    return [UNIT, 1].map((scale) => ({ ...chosen, scale, why: ranges(scale) }));
  }
  const ways: Preparation[] = [];
  for (const colour of ['RGB', 'BGR'] as const) {
    const name = colour === 'RGB' ? 'red-green-blue' : 'blue-green-red';
    const { fit } = chosen;
    const base = { colour, fit, ...(chosen.pad === undefined ? {} : { pad: chosen.pad }), sure: true };
    const mean: [number, number, number] = [...IMAGENET.offsets];
    ways.push(
      { ...base, scale: UNIT, why: `${name} from 0 to 1` },
      { ...base, scale: 1, why: `${name} from 0 to 255` },
      {
        ...base,
        scale: IMAGENET.scale,
        offsets: colour === 'RGB' ? mean : (mean.toReversed() as [number, number, number]),
        why: `${name} with mean and deviation of ImageNet`,
      },
      { ...base, scale: 1 / 127.5, offsets: [127.5, 127.5, 127.5], why: `${name} from -1 to 1` },
    );
  }
  return ways;
}

function ranges(scale: number): string {
  return scale === 1 ? 'grey from 0 to 255' : 'grey from 0 to 1';
}
