import { VantageError } from '@vantage/contracts';
import { chooseOutputs, type OutputChoice, type TensorInfo } from '@vantage/vision';
import type { OnnxModel, OnnxValue } from '@vantage/onnx';
import { COCO } from './coco.ts';
import { classCountOf } from './class-count.ts';
import { readMetadata } from './metadata.ts';
import { pictureShape, type PictureShape } from './picture-input.ts';
import { preparationOf, type Preparation } from './preparation.ts';

/** A line of a configuration and why it is there. */
export interface ConfigLine {
  readonly key: string;
  readonly value: string;
  readonly why?: string;
}

export interface Proposal {
  readonly input: PictureShape;
  readonly size: { readonly width: number; readonly height: number };
  readonly choice: OutputChoice;
  readonly preparation: Preparation;
  /** Where the preparation comes from, in half a sentence. */
  readonly labels?: { readonly names: readonly string[]; readonly why: string };
  readonly property: readonly ConfigLine[];
  readonly classAttributes: readonly ConfigLine[];
  /** What a person should look at. */
  readonly notes: readonly string[];
}

export interface ProposalRequest {
  readonly model: OnnxModel;
  /** File name, as the configuration is to say it. */
  readonly onnxFile: string;
  /** The labels that were given, or found beside the model. */
  readonly labels?: { readonly names: readonly string[]; readonly why: string };
  /** Output parser by name. */
  readonly parser?: string;
  /** A preparation that is known to be right. */
  readonly preparation?: Preparation;
}

/** Where a model leaves its size open and nothing tells. */
const DEFAULT_SIZES: Readonly<Record<string, { width: number; height: number }>> = {
  classification: { width: 224, height: 224 },
  embedding: { width: 128, height: 256 },
  text: { width: 320, height: 32 },
  segmentation: { width: 512, height: 512 },
};
const DEFAULT_SIZE = { width: 640, height: 640 };

/**
 * What a configuration for this model would say, each line with its reason.
 *
 * @throws VantageError `MODEL_HAS_NO_PICTURE_INPUT`, `PARSER_DOES_NOT_FIT`, `PARSER_UNKNOWN`
 */
export function propose({ model, onnxFile, labels: given, parser, preparation }: ProposalRequest): Proposal {
  const input = pictureShape(model, onnxFile);
  const metadata = readMetadata(model.metadata);
  const outputs = model.outputs.map(tensorInfo);
  const known = given ?? fromMetadata(metadata.labels);
  const choose = (names: readonly string[], size: { width: number; height: number }): OutputChoice => {
    const net = { ...size, labels: names };
    if (parser === undefined && isLine(input)) {
      // Steps of symbols look like boxes: the shape of the input tells.
      const text = chooseOutputsOrNone({ requested: 'ctc-text', outputs, net });
      if (text) return text;
    }
    return chooseOutputs({ requested: parser, outputs, net });
  };
  const names = known?.names ?? [];
  const line = isLine(input) ? { width: 320, height: input.height ?? 32 } : undefined;
  const first = choose(names, fixedSize(input) ?? metadata.size ?? line ?? DEFAULT_SIZE);
  const size = fixedSize(input) ?? metadata.size ?? line ?? DEFAULT_SIZES[first.task] ?? DEFAULT_SIZE;
  const classes = classCountOf(first.parser.name, outputs);
  const labels = known ?? (classes === COCO.length && first.task === 'detection' ? cocoLabels() : undefined);
  const choice = choose(labels?.names ?? [], size);
  const prepared = preparation ?? preparationOf(choice.parser.name, input, model.producer);
  const notes = notesOf({ input, choice, labels, classes, prepared, metadataTask: metadata.task });
  return {
    input,
    size,
    choice,
    preparation: prepared,
    ...(labels ? { labels } : {}),
    property: [
      { key: 'onnx-file', value: onnxFile },
      { key: 'gie-unique-id', value: '1' },
      ...(labels ? [{ key: 'labelfile-path', value: 'labels.txt', why: labels.why }] : []),
      ...taskLines(choice, labels?.names.length ?? classes),
      ...sizeLines(input, size, metadata.size !== undefined),
      ...preparationLines(prepared, input),
    ],
    classAttributes: choice.task === 'detection' ? thresholds(choice.suppression) : [],
    notes,
  };
}

/** Low, and wide or as wide as the text is. */
function isLine({ width, height }: PictureShape): boolean {
  return height !== undefined && height <= 64 && (width === undefined || width >= 2 * height);
}

function chooseOutputsOrNone(request: Parameters<typeof chooseOutputs>[0]): OutputChoice | undefined {
  try {
    return chooseOutputs(request);
  } catch (error) {
    if (VantageError.is(error)) return undefined;
    throw error;
  }
}

function fixedSize({ width, height }: PictureShape): { width: number; height: number } | undefined {
  return width === undefined || height === undefined ? undefined : { width, height };
}

export function tensorInfo({ name, type, dims }: OnnxValue): TensorInfo {
  return { name, type, dims: (dims ?? []).map((dim) => (typeof dim === 'number' && dim > 0 ? dim : -1)) };
}

function fromMetadata(labels: ReturnType<typeof readMetadata>['labels']): Proposal['labels'] {
  if (!labels) return undefined;
  return { names: labels.names, why: `${labels.names.length} names in the model's own metadata ("${labels.key}")` };
}

function cocoLabels(): Proposal['labels'] {
  return { names: COCO, why: '80 classes, as COCO has: its names; change them if yours are others' };
}

function taskLines({ task, parser, reason }: OutputChoice, classes: number | undefined): ConfigLine[] {
  switch (task) {
    case 'detection': {
      const masks = 'createMasks' in parser && parser.createMasks !== undefined && /mask|proto/i.test(reason);
      return [
        { key: 'network-type', value: masks ? '3' : '0', why: reason },
        ...(masks ? [{ key: 'output-instance-mask', value: '1' }] : []),
        ...(classes === undefined ? [] : [{ key: 'num-detected-classes', value: String(classes) }]),
      ];
    }
    case 'classification':
      return [
        { key: 'network-type', value: '1', why: reason },
        { key: 'classifier-threshold', value: '0.2', why: 'weaker answers are left out' },
      ];
    case 'text':
      return [
        { key: 'network-type', value: '1', why: reason },
        { key: 'parse-classifier-func-name', value: parser.name, why: 'a line of text; the labels are its alphabet' },
      ];
    case 'segmentation':
      return [
        { key: 'network-type', value: '2', why: reason },
        { key: 'segmentation-threshold', value: '0.5' },
      ];
    case 'pose':
    case 'embedding':
      return [
        { key: 'network-type', value: '100', why: reason },
        {
          key: 'parse-bbox-func-name',
          value: parser.name,
          why: 'nvinfer has no type for it: the parser says what it is',
        },
      ];
    case 'tensors':
      return [
        { key: 'network-type', value: '100', why: reason },
        { key: 'output-tensor-meta', value: '1', why: 'the numbers as they are, for a parser of your own' },
      ];
  }
}

function sizeLines(input: PictureShape, size: { width: number; height: number }, told: boolean): ConfigLine[] {
  if (fixedSize(input)) return [];
  const why = told ? "the model's metadata says so" : 'the model leaves it open: a guess';
  return [{ key: 'infer-dims', value: `${input.channels};${size.height};${size.width}`, why }];
}

const COLOURS = { RGB: '0', BGR: '1', GRAY: '2' } as const;

function preparationLines({ colour, scale, offsets, fit, pad, why }: Preparation, input: PictureShape): ConfigLine[] {
  return [
    { key: 'net-scale-factor', value: numberText(scale), why },
    ...(offsets ? [{ key: 'offsets', value: offsets.join(';') }] : []),
    { key: 'model-color-format', value: COLOURS[colour] },
    ...(input.layout === 'NHWC' ? [{ key: 'network-input-order', value: '1', why: 'channels come last' }] : []),
    { key: 'maintain-aspect-ratio', value: fit === 'stretch' ? '0' : '1' },
    ...(fit === 'centre' ? [{ key: 'symmetric-padding', value: '1' }] : []),
    ...(pad === undefined || pad === 0 ? [] : [{ key: 'vantage-pad-value', value: String(pad) }]),
  ];
}

function numberText(value: number): string {
  return String(Number(value.toPrecision(9)));
}

function thresholds(suppression: 'nms' | 'none'): ConfigLine[] {
  return [
    { key: 'pre-cluster-threshold', value: '0.3', why: 'raise it for fewer, surer boxes' },
    ...(suppression === 'nms' ? [{ key: 'nms-iou-threshold', value: '0.45' }] : []),
  ];
}

interface NoteFacts {
  readonly input: PictureShape;
  readonly choice: OutputChoice;
  readonly labels: Proposal['labels'];
  readonly classes: number | undefined;
  readonly prepared: Preparation;
  readonly metadataTask: string | undefined;
}

function notesOf({ input, choice, labels, classes, prepared, metadataTask }: NoteFacts): string[] {
  const notes: string[] = [];
  if (!prepared.sure) {
    notes.push(`how pictures are prepared is a guess (${prepared.why}): look at the results on pictures of your own`);
  }
  const named = choice.task === 'detection' || choice.task === 'classification' || choice.task === 'segmentation';
  if (!labels && named) notes.push('no names of classes are known: give them with --labels <file>, one a line');
  if (choice.task === 'text' && !labels)
    notes.push('the alphabet is not known: give it with --labels <file>, a character a line');
  if (labels && classes !== undefined && labels.names.length !== classes) {
    notes.push(`the model has ${classes} classes and there are ${labels.names.length} names`);
  }
  if (choice.task === 'tensors') {
    notes.push(
      'no built-in parser is sure of these outputs: bring one of your own (docs/custom-parsers.md), or name one with --parser',
    );
  }
  if (choice.task === 'embedding' || choice.task === 'text') {
    notes.push('for objects of another model add process-mode=2 and operate-on-gie-id=<its gie-unique-id>');
  }
  if (input.width === undefined || input.height === undefined) {
    notes.push('the size of the input is open: infer-dims may be changed, smaller is faster');
  }
  if (metadataTask === 'segment' && choice.task === 'detection' && !/mask|proto/i.test(choice.reason)) {
    notes.push('the metadata says that it segments, the outputs only give boxes');
  }
  return notes;
}
