import type { IniEntry } from './ini.ts';
import type { Ledger } from './ledger.ts';
import type { OtherModelFile } from './spec.ts';
import type { Draft } from './values.ts';

interface ForeignFormat {
  readonly kind: OtherModelFile['kind'];
  /** What it is, and how a person gets an ONNX file from it. */
  readonly what: string;
  readonly convert: string;
}

const FOREIGN_FORMATS: ReadonlyMap<string, ForeignFormat> = new Map([
  [
    'model-engine-file',
    {
      kind: 'tensorrt-engine',
      what: 'a TensorRT engine',
      convert: 'take the ONNX file the engine was built from, or export the trained model to ONNX',
    },
  ],
  [
    'tlt-encoded-model',
    {
      kind: 'tao-etlt',
      what: 'an encrypted TAO model (.etlt)',
      convert: 'export it from TAO 5 or newer as ONNX',
    },
  ],
  ['model-file', { kind: 'caffe', what: 'a Caffe model', convert: 'convert it to ONNX, for example with caffe2onnx' }],
  ['proto-file', { kind: 'caffe-proto', what: 'a Caffe network description', convert: 'convert the model to ONNX' }],
  [
    'uff-file',
    { kind: 'uff', what: 'a UFF model', convert: 'convert the TensorFlow model it was made from with tf2onnx' },
  ],
]);

const DARKNET: ForeignFormat = {
  kind: 'darknet',
  what: 'Darknet weights',
  convert: 'export the model to ONNX, for example with pytorch-YOLOv4 or the exporters of DeepStream-Yolo',
};

/** DeepStream-Yolo puts Darknet weights where nvinfer expects Caffe. */
function formatOf(key: string, file: string): ForeignFormat | undefined {
  return key === 'model-file' && file.endsWith('.weights') ? DARKNET : FOREIGN_FORMATS.get(key);
}

/** The model file an entry names, if it is in a format that ONNX Runtime does not read. */
export function modelFileOf({ key, value, line }: IniEntry): OtherModelFile | undefined {
  const format = formatOf(key, value);
  return format && { kind: format.kind, file: value, key, line };
}

/** Of several files that cannot run, the one a person would convert is named in the error. */
const WORTH_CONVERTING: readonly OtherModelFile['kind'][] = [
  'tao-etlt',
  'caffe',
  'darknet',
  'uff',
  'tensorrt-engine',
  'caffe-proto',
];

/** A model in another format is passed over beside an ONNX file; without one nothing can run, and it says why. */
export function reportModelFiles(draft: Draft, ledger: Ledger): void {
  for (const { key, file, line } of draft.otherModelFiles) {
    const what = formatOf(key, file)?.what ?? 'a model of another kind';
    const why = draft.onnxFile === undefined ? `ONNX Runtime cannot run ${what}` : `it is ${what}; onnx-file is run`;
    ledger.leaveOut({ section: 'property', key, value: file, line }, why);
  }
  if (draft.onnxFile !== undefined) return;
  const rank = ({ kind }: OtherModelFile): number => WORTH_CONVERTING.indexOf(kind);
  const [model] = [...draft.otherModelFiles].sort((a, b) => rank(a) - rank(b));
  const format = model && formatOf(model.key, model.file);
  if (model === undefined || format === undefined) {
    ledger.problem('error', { line: 0, key: 'onnx-file' }, 'the configuration names no model: set onnx-file');
    return;
  }
  const sentence = `ONNX Runtime cannot run ${format.what} ('${model.file}'): ${format.convert}, and set onnx-file`;
  ledger.problem('error', model, sentence);
}
