/** A model in a format that ONNX Runtime does not read. */
export interface OtherModelFile {
  readonly kind: 'tensorrt-engine' | 'tao-etlt' | 'caffe' | 'caffe-proto' | 'darknet' | 'uff';
  /** As written in the file, relative to it. */
  readonly file: string;
  readonly key: string;
  readonly line: number;
}

/** Whether, and how, the model of a configuration can run here. Paths are relative to the configuration's folder. */
export type Runnable =
  | { readonly how: 'onnx'; readonly file: string; readonly line: number; readonly sentence: string }
  | {
      readonly how: 'needs-conversion';
      readonly from: OtherModelFile['kind'];
      readonly file: string;
      readonly line: number;
      /** Where the ONNX would lie if somebody had put it beside, the likeliest first. The first that exists may run. */
      readonly onnxCandidates: readonly string[];
      /** What to convert, how, and what to name it. */
      readonly sentence: string;
    }
  | {
      readonly how: 'remote';
      /** `host:port` of a server of the Open Inference Protocol v2. */
      readonly url: string;
      readonly model: string;
      /** undefined for the latest. */
      readonly version: number | undefined;
      readonly sentence: string;
    }
  | {
      readonly how: 'triton-repository';
      readonly root: string;
      readonly model: string;
      /** undefined for the latest: the folder with the highest number. */
      readonly version: number | undefined;
      /** `<n>` stands for the folder with the highest number. */
      readonly onnxCandidates: readonly string[];
      readonly sentence: string;
    }
  | { readonly how: 'no-model'; readonly sentence: string };

const ENGINE_SUFFIX = /(?:_b\d+)?(?:_(?:gpu|dla)\d+)*(?:_(?:fp32|fp16|int8))?\.(?:engine|plan|trt)$/i;
const MODEL_SUFFIX = /\.(?:onnx|etlt|tlt|caffemodel|prototxt|uff|weights|cfg|pt|pth|h5|pb|tflite)$/i;

/**
 * The ONNX file that a model in another format was made from, or would be converted to: the same name with `.onnx`.
 * nvinfer names its engines after the model (`a.onnx_b1_gpu0_fp16.engine`), which gives the name back.
 */
export function onnxBeside(file: string): string {
  const model = file.replace(ENGINE_SUFFIX, '');
  return `${model.replace(MODEL_SUFFIX, '')}.onnx`;
}
