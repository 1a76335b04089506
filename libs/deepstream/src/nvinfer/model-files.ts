import type { Ledger } from '../ledger.ts';
import { onnxBeside, type OtherModelFile, type Runnable } from '../runnable.ts';
import type { ConfigEntry } from '../text/entries.ts';
import type { InferDraft } from './properties.ts';

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

/** Whether a property of `[property]` names a model that is no ONNX. */
export function isModelFile({ key }: ConfigEntry): boolean {
  return FOREIGN_FORMATS.has(key);
}

/** The model file an entry names. An empty name is an error and names none. */
export function modelFileOf(entry: ConfigEntry, ledger: Ledger): OtherModelFile | undefined {
  const { key, value, line } = entry;
  const format = formatOf(key, value);
  if (format === undefined || value === '') {
    ledger.problem('error', entry, `${key}: the value is empty`);
    ledger.leaveOut(entry, 'the value is empty');
    return undefined;
  }
  return { kind: format.kind, file: value, key, line };
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

/**
 * A model in another format is passed over beside an ONNX file; without one nothing can run, and it says what to
 * convert and what to call it.
 */
export function judgeModelFiles(draft: InferDraft, ledger: Ledger): Runnable {
  for (const { key, file, line } of draft.otherModelFiles) {
    const what = formatOf(key, file)?.what ?? 'a model of another kind';
    const why = draft.onnxFile === undefined ? `ONNX Runtime cannot run ${what}` : `it is ${what}; onnx-file is run`;
    ledger.leaveOut({ group: 'property', key, value: file, line }, why);
  }
  if (draft.onnxFile !== undefined) {
    const line = ledger.properties.find(({ key, use }) => key === 'onnx-file' && use === 'used')?.line ?? 0;
    return { how: 'onnx', file: draft.onnxFile, line, sentence: `ONNX Runtime runs '${draft.onnxFile}'` };
  }
  const rank = ({ kind }: OtherModelFile): number => WORTH_CONVERTING.indexOf(kind);
  const models = [...draft.otherModelFiles].sort((a, b) => rank(a) - rank(b));
  const [model] = models;
  const format = model && formatOf(model.key, model.file);
  if (model === undefined || format === undefined) {
    const sentence = 'the configuration names no model: set onnx-file';
    ledger.problem('error', { line: 0, key: 'onnx-file' }, sentence);
    return { how: 'no-model', sentence };
  }
  const onnxCandidates = [...new Set(models.map(({ file }) => onnxBeside(file)))];
  const target = onnxCandidates[0] ?? '';
  const sentence =
    `ONNX Runtime cannot run ${format.what} ('${model.file}'): ${format.convert}, ` +
    `put it beside as '${target}' and set onnx-file=${target}`;
  ledger.problem('error', model, sentence, 'model-file');
  return { how: 'needs-conversion', from: model.kind, file: model.file, line: model.line, onnxCandidates, sentence };
}
