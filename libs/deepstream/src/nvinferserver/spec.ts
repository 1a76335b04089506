import type { ColorFormat } from '../nvinfer/spec.ts';
import type { ConfigReading } from '../report.ts';
import type { Runnable } from '../runnable.ts';

/** A tensor as the file names it. */
export interface ServerTensor {
  readonly name: string | undefined;
  /** Without the batch; empty where the model says it. */
  readonly dims: readonly number[];
  readonly dataType: 'FP32' | 'FP16' | 'INT8' | 'INT16' | 'INT32' | 'UINT8' | 'UINT16' | 'UINT32' | undefined;
}

/** Where the model runs. */
export type ServerBackend =
  | {
      readonly kind: 'grpc';
      readonly model: string;
      /** undefined for the latest. */
      readonly version: number | undefined;
      /** `host:port`. */
      readonly url: string;
    }
  | {
      readonly kind: 'repository';
      readonly model: string;
      readonly version: number | undefined;
      /** Folder of the Triton model repository, relative to the file. */
      readonly root: string;
    };

/** How boxes are clustered; thresholds and IoUs 0 to 1. */
export type ServerClustering =
  | { readonly mode: 'nms'; readonly confidence: number; readonly iou: number; readonly topK: number | undefined }
  | {
      readonly mode: 'dbscan';
      readonly confidence: number;
      readonly eps: number;
      readonly minBoxes: number;
      readonly minScore: number;
    }
  | {
      readonly mode: 'group-rectangles';
      readonly confidence: number;
      readonly eps: number;
      readonly groupThreshold: number;
    }
  | { readonly mode: 'simple'; readonly confidence: number };

export type ServerPostprocess =
  | {
      readonly kind: 'detection';
      readonly classCount: number | undefined;
      readonly parserFunction: string | undefined;
      readonly clustering: ServerClustering | undefined;
      /** Least score of single classes, by class id. */
      readonly preThresholds: ReadonlyMap<number, number>;
    }
  | { readonly kind: 'classification'; readonly threshold: number; readonly parserFunction: string | undefined }
  | {
      /** Triton itself names the best classes. */
      readonly kind: 'server-classification';
      readonly threshold: number;
      readonly topK: number;
      readonly tensor: string | undefined;
    }
  | {
      readonly kind: 'segmentation';
      readonly threshold: number;
      readonly classCount: number | undefined;
      readonly parserFunction: string | undefined;
    }
  | { readonly kind: 'other'; readonly typeName: string | undefined };

/** In pixels of the source picture; a maximum of 0 is no limit. */
export interface BoxFilter {
  readonly minWidth: number;
  readonly minHeight: number;
  readonly maxWidth: number;
  readonly maxHeight: number;
}

/** `detect_control`: what is dropped of the detections. */
export interface DetectionFilter {
  readonly box: BoxFilter;
  readonly roiTopOffset: number;
  readonly roiBottomOffset: number;
}

/** An nvinferserver configuration. Source: `nvdsinferserver_plugin.proto`, `nvdsinferserver_config.proto`. */
export interface InferServerSpec {
  readonly kind: 'nvinferserver';
  readonly fileName: string;
  readonly uniqueId: number;
  readonly gpuIds: readonly number[];
  readonly maxBatchSize: number;
  /** undefined when the file does not say, which is an error. */
  readonly backend: ServerBackend | undefined;
  readonly inputs: readonly ServerTensor[];
  readonly outputs: readonly ServerTensor[];

  /** undefined leaves it to the model. */
  readonly colorFormat: ColorFormat | undefined;
  readonly inputOrder: 'NCHW' | 'NHWC' | undefined;
  /** Input that takes the picture, where there are several. */
  readonly tensorName: string | undefined;
  readonly maintainAspectRatio: boolean;
  readonly symmetricPadding: boolean;
  readonly scalingFilter: number | undefined;
  /** y = scaleFactor * (x - offsets[c]). */
  readonly scaleFactor: number;
  readonly offsets: readonly [number, number, number];
  readonly meanFile: string | undefined;

  readonly labelFile: string | undefined;
  readonly postprocess: ServerPostprocess | undefined;
  readonly customLibPath: string | undefined;
  /** `extra.custom_process_funcion` (so spelled by NVIDIA). */
  readonly customProcessFunction: string | undefined;

  readonly processMode: 'primary' | 'secondary';
  /** -1 for any. */
  readonly operateOnGieId: number;
  /** Empty for all. */
  readonly operateOnClassIds: readonly number[];
  readonly interval: number;
  /** undefined for never. */
  readonly secondaryReinferInterval: number | undefined;
  readonly asyncMode: boolean;
  /** Which objects a secondary looks at. */
  readonly inputObjects: BoxFilter;

  readonly outputTensorMeta: boolean;
  readonly classifierType: string | undefined;
  readonly filterOutClassIds: readonly number[];
  readonly detectionFilter: DetectionFilter;
  /** By class id; each stands for itself. */
  readonly classFilters: ReadonlyMap<number, DetectionFilter>;
}

export interface InferServerConfig extends ConfigReading<'nvinferserver', InferServerSpec> {
  readonly runnable: Runnable;
}
