import { onnxBeside } from '@vantage/deepstream';

interface Format {
  readonly pattern: RegExp;
  readonly what: string;
  /** What to do, after "here: ". */
  readonly remedy: (onnx: string) => string;
}

const put = (how: string) => (onnx: string) => `${how}; put the result beside as '${onnx}'`;

/** Formats that people bring and that ONNX Runtime does not read. */
const FORMATS: readonly Format[] = [
  {
    pattern: /\.(engine|plan|trt)$/i,
    what: 'a TensorRT engine, built for one GPU and one version of TensorRT',
    remedy: put('bring the ONNX file that it was built from (trtexec --onnx=...), or export the trained model to ONNX'),
  },
  {
    pattern: /\.(etlt|tlt)$/i,
    what: 'an encrypted TAO model',
    remedy: put(
      'export it as ONNX with TAO 5 or newer (tao model <network> export -o model.onnx), or take the "deployable_onnx" version from NGC',
    ),
  },
  {
    pattern: /\.(caffemodel|prototxt)$/i,
    what: 'a Caffe model',
    remedy: put('convert .prototxt and .caffemodel to ONNX, for example with caffe2onnx'),
  },
  {
    pattern: /\.uff$/i,
    what: 'a UFF model, which TensorRT itself has given up',
    remedy: put(
      'convert the TensorFlow model that it was made from: python -m tf2onnx.convert --graphdef model.pb --output model.onnx',
    ),
  },
  {
    pattern: /\.(weights)$/i,
    what: 'Darknet weights',
    remedy: put('export them to ONNX with the exporters of DeepStream-Yolo or pytorch-YOLOv4'),
  },
  {
    pattern: /\.(pt|pth|ckpt|safetensors)$/i,
    what: 'a PyTorch file',
    remedy: put(
      'export it: torch.onnx.export(model, example, "model.onnx"), or for Ultralytics: yolo export model=model.pt format=onnx',
    ),
  },
  {
    pattern: /\.(pb|h5|keras)$/i,
    what: 'a TensorFlow model',
    remedy: put('convert it with tf2onnx (python -m tf2onnx.convert)'),
  },
  {
    pattern: /\.tflite$/i,
    what: 'a TensorFlow Lite model',
    remedy: put('convert it: python -m tf2onnx.convert --tflite model.tflite --output model.onnx'),
  },
  {
    pattern: /\.(mlmodel|mlpackage)$/i,
    what: 'a Core ML model',
    remedy: put('convert it with coremltools and onnxmltools, or export the original as ONNX'),
  },
  {
    pattern: /\.(pdmodel|pdiparams)$/i,
    what: 'a Paddle model',
    remedy: put('convert it with paddle2onnx'),
  },
  {
    pattern: /\.(nb|rknn|hef|dlc|blob)$/i,
    what: 'a model compiled for one kind of chip',
    remedy: put('bring the ONNX file that it was compiled from'),
  },
  {
    pattern: /\.so(\.\d+)*$/i,
    what: 'a parser compiled for DeepStream; no native code of others is loaded',
    remedy: () =>
      "name a built-in parser with parse-bbox-func-name (most of DeepStream's function names are known), or write it in Python or JavaScript (docs/custom-parsers.md)",
  },
];

/**
 * What a file is and what to do, for a model or library that cannot run here; undefined for every other file.
 *
 * @param file its name, or path
 */
export function foreignModel(file: string): string | undefined {
  const format = FORMATS.find(({ pattern }) => pattern.test(file));
  if (format === undefined) return undefined;
  const name = file.split(/[\\/]/).at(-1) ?? file;
  return `this is ${format.what}. What to do: ${format.remedy(onnxBeside(name))}`;
}
