/**
 * The parser API for TypeScript and JavaScript, the same as for Python (contract D.4). A parser is a module that exports
 * these names; types are erased, so a TypeScript file runs as it is.
 */

/** One output of the model, without its batch dimension. */
export interface ParserTensor {
  readonly dims: readonly number[];
  /** Row by row; the last dimension is the fastest. Its own for each picture: it may be kept and changed. */
  readonly data: Float32Array | Int8Array | Int32Array;
}

/** Output name -> tensor; null for an output that holds no numbers. */
export type ParserOutputs = Readonly<Record<string, ParserTensor | null>>;

/** What a primary parser knows. */
export interface PrimaryParserConfig {
  /** Boxes are given in pixels of a picture of this size: `[1280, 720]`. */
  readonly imageSize: readonly [number, number];
  readonly networkSize: readonly [number, number];
  readonly labels: readonly string[];
  readonly detTh: number;
  readonly mnsTh: number;
  readonly modelType: 0 | 1;
  readonly name: string;
}

/** `[boxes, class ids, scores, message]`; a box is `[left, top, width, height]` in pixels of `imageSize`. */
export type DetModelResult = readonly [
  boxes: readonly ArrayLike<number>[],
  classIds: ArrayLike<number>,
  scores: ArrayLike<number>,
  message?: unknown,
];

/** `[data, message]`. */
export type CustomModelResult = readonly [data: unknown, message?: unknown];

/** An object that a parser of `modelType` 1 adds. */
export interface FrameObject {
  readonly classId: number;
  /** Absent: the class's name in `labels`. */
  readonly label?: string;
  readonly confidence: number;
  /** `[left, top, width, height]`. */
  readonly box: ArrayLike<number>;
  readonly attributes?: readonly {
    readonly name: string;
    readonly label: string;
    readonly classId: number;
    readonly confidence: number;
  }[];
}

/**
 * The frame that `addCustomToMeta` adds objects and drawings to, all in pixels of `imageSize`. A colour is red, green,
 * blue, opacity from 0 to 1; without one it is red.
 */
export interface ParserFrame {
  addObject(object: FrameObject): void;
  addLine(line: { x1: number; y1: number; x2: number; y2: number; width?: number; colour?: readonly number[] }): void;
  addCircle(circle: { x: number; y: number; radius: number; colour?: readonly number[] }): void;
  addRectangle(rectangle: { box: ArrayLike<number>; width?: number; colour?: readonly number[] }): void;
  addText(text: { x: number; y: number; text: string; size?: number; colour?: readonly number[] }): void;
}

/** What a file for a primary exports. All functions may be async. */
export interface PrimaryParserModule {
  /** 0 = detection, 1 = custom. */
  readonly modelType: 0 | 1;
  readonly name: string;
  /** Index = class id. */
  readonly labels?: readonly string[];
  /** With `modelType` 0. */
  readonly parseDetModel?: (
    config: PrimaryParserConfig,
    outputs: ParserOutputs,
  ) => DetModelResult | Promise<DetModelResult>;
  /** With `modelType` 1. */
  readonly parseCustomModel?: (
    config: PrimaryParserConfig,
    outputs: ParserOutputs,
  ) => CustomModelResult | Promise<CustomModelResult>;
  /** With `modelType` 1: gets the data that `parseCustomModel` gave, unless that is null or undefined. */
  readonly addCustomToMeta?: (config: PrimaryParserConfig, data: unknown, frame: ParserFrame) => void | Promise<void>;
}

/** What a file for a secondary exports. */
export interface SecondaryParserModule {
  /** `gie-unique-id` of the model's configuration. */
  readonly gieUniqueId: number;
  readonly name?: string;
  /** Gives the message, any JSON value; undefined or null for none. */
  readonly parseSgieModel: (config: Readonly<Record<string, never>>, outputs: ParserOutputs) => unknown;
}
