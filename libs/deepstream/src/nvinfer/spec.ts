import type { ConfigReading } from '../report.ts';
import type { OtherModelFile, Runnable } from '../runnable.ts';

/**
 * What an nvinfer configuration asks for, typed. Source of names, meanings and defaults: the Gst-nvinfer page of the
 * DeepStream documentation and `gstnvinfer_property_parser.h` of its public sources.
 */

/** `[class-attrs-all]` and `[class-attrs-N]`, with the defaults of nvinfer filled in. */
export interface ClassAttributes {
  /** Least score before clustering, 0 to 1. `threshold` is its older name. */
  readonly preClusterThreshold: number;
  /** Least score after clustering, 0 to 1. */
  readonly postClusterThreshold: number;
  /** Suppress a box that overlaps a better one by more than this IoU, 0 to 1. */
  readonly nmsIouThreshold: number;
  /** Keep the best so many of the class after suppression; undefined keeps all. */
  readonly topK: number | undefined;
  /** DBSCAN and groupRectangles: how near boxes must be to be one object, as a fraction of their size. */
  readonly eps: number;
  /** DBSCAN: boxes that make a cluster. */
  readonly minBoxes: number;
  /** DBSCAN: least sum of scores of a cluster. */
  readonly dbscanMinScore: number;
  /** groupRectangles: boxes that make a group, less one. */
  readonly groupThreshold: number;
  /** Detections above this line (pixels from the top of the source picture) are dropped. */
  readonly roiTopOffset: number;
  /** Detections below this line (pixels from the bottom of the source picture) are dropped. */
  readonly roiBottomOffset: number;
  /** Size limits in pixels of the source picture; a maximum of 0 is no limit. */
  readonly detectedMinWidth: number;
  readonly detectedMinHeight: number;
  readonly detectedMaxWidth: number;
  readonly detectedMaxHeight: number;
  /** Red, green, blue, alpha, each 0 to 1; undefined for the overlay's own. */
  readonly borderColor: readonly number[] | undefined;
  readonly backgroundColor: readonly number[] | undefined;
}

export type NetworkType = 'detector' | 'classifier' | 'segmentation' | 'instance-segmentation' | 'other';
export type ClusterMode = 'group-rectangles' | 'dbscan' | 'nms' | 'hybrid' | 'none';
export type ColorFormat = 'RGB' | 'BGR' | 'GRAY';

/** An nvinfer configuration. Paths are as written: relative to the folder of the configuration file. */
export interface InferSpec {
  readonly kind: 'nvinfer';
  /** Name of the file that was read, for messages. */
  readonly fileName: string;

  readonly onnxFile: string | undefined;
  readonly otherModelFiles: readonly OtherModelFile[];
  readonly labelFile: string | undefined;

  /** y = netScaleFactor * (x - offsets[c]), x from 0 to 255; offsets in the order of `colorFormat`. */
  readonly netScaleFactor: number;
  readonly offsets: readonly [number, number, number];
  /** A mean per pixel and channel, binary PPM; wins over `offsets`. */
  readonly meanFile: string | undefined;
  readonly colorFormat: ColorFormat;
  /** Input size where the model leaves it open. Channels; height and width in pixels. */
  readonly inferDims: { readonly channels: number; readonly height: number; readonly width: number } | undefined;
  readonly inputOrder: 'NCHW' | 'NHWC';
  readonly maintainAspectRatio: boolean;
  /** With `maintainAspectRatio`: the picture in the middle instead of top left. */
  readonly symmetricPadding: boolean;
  /** Our extension `vantage-pad-value`: grey value (0 to 255) beside the picture; undefined leaves it to the parser. */
  readonly padValue: number | undefined;
  /** nvbufsurftransform filter: 0 nearest, 1 bilinear, ... undefined for the default. */
  readonly scalingFilter: number | undefined;

  readonly networkMode: 'fp32' | 'int8' | 'fp16';
  /** For a backend that builds TensorRT engines; others take no notice. */
  readonly tensorRt: TensorRtSettings;
  readonly networkType: NetworkType;
  /** 'primary' works on frames, 'secondary' on the objects of another model. */
  readonly processMode: 'primary' | 'secondary';
  readonly gieUniqueId: number;
  readonly batchSize: number;
  /** Frames (or, for a secondary, batches) skipped between two inferences. */
  readonly interval: number;
  readonly gpuId: number;

  /** `num-detected-classes`. */
  readonly classCount: number | undefined;
  readonly outputBlobNames: readonly string[];
  readonly parserFunction: string | undefined;
  readonly classifierParserFunction: string | undefined;
  readonly instanceMaskParserFunction: string | undefined;
  readonly customLibPath: string | undefined;
  readonly clusterMode: ClusterMode;
  /** Whether the file says how boxes are clustered, or nvinfer's default stands in. */
  readonly clusterModeIsDefault: boolean;
  readonly classAttributes: {
    readonly all: ClassAttributes;
    /** By class id, only for classes with a group of their own. Each starts from `all`. */
    readonly perClass: ReadonlyMap<number, ClassAttributes>;
  };
  /** Class ids that are dropped. */
  readonly filterOutClassIds: readonly number[];
  /** Boxes are cut off at the edge of the region that was looked at. */
  readonly cropObjectsToRoiBoundary: boolean;

  readonly classifierThreshold: number;
  readonly classifierAsyncMode: boolean;
  readonly classifierType: string | undefined;
  readonly segmentationThreshold: number;
  readonly segmentationOutputOrder: 'NCHW' | 'NHWC';
  readonly outputTensorMeta: boolean;
  readonly outputInstanceMask: boolean;

  /** Secondary: work on objects of this model (-1 any) and these classes (empty: all). */
  readonly operateOnGieId: number;
  readonly operateOnClassIds: readonly number[];
  /** Secondary: object size in pixels of the source picture; a maximum of 0 is no limit. */
  readonly inputObjectMinWidth: number;
  readonly inputObjectMinHeight: number;
  readonly inputObjectMaxWidth: number;
  readonly inputObjectMaxHeight: number;
  /** Secondary with a tracker: frames after which an object is looked at again; undefined for never. */
  readonly secondaryReinferInterval: number | undefined;
}

/** What nvinfer hands to TensorRT when it builds an engine. */
export interface TensorRtSettings {
  readonly int8CalibrationFile: string | undefined;
  /** In MiB; undefined for TensorRT's own choice. */
  readonly workspaceSizeMb: number | undefined;
  /** Run on a deep learning accelerator of a Jetson, that with the number `dlaCore`. */
  readonly enableDla: boolean;
  readonly dlaCore: number;
}

/**
 * An nvinfer configuration that was read. `properties` holds what became of each property; `notUsed` is the part of it
 * that has no effect.
 */
export interface InferConfig extends ConfigReading<'nvinfer', InferSpec> {
  readonly runnable: Runnable;
  readonly notUsed: readonly NotUsed[];
}

/** A property that is understood but has no effect here, or is not known at all. */
export interface NotUsed {
  readonly key: string;
  readonly group: string;
  readonly line: number;
  readonly why: string;
}
