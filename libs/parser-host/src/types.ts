import type { Attribute, Box, TensorData } from '@vantage/vision';

/**
 * Boxes, lines and texts of a parser are in pixels of a picture of this size, whatever the camera sends: the
 * `image_size` of Azure DeepStream Accelerator, whose stream multiplexer scales every camera to it.
 */
export const PARSER_IMAGE_SIZE = { width: 1280, height: 720 } as const;

/** Takes what a parser prints and what happens to it. Text and fields are plain data without credentials. */
export type ParserLog = (
  level: 'debug' | 'info' | 'warn' | 'error',
  text: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

export interface ParserSpec {
  /** The language of the file: `pyFile` or `jsFile` of the twin. */
  readonly kind: 'python' | 'js';
  /** Absolute path of the parser. */
  readonly file: string;
  /** A primary reads whole pictures; a secondary reads one object at a time and gives a message only. */
  readonly role: 'primary' | 'secondary';
  /** Names of classes for a parser that brings none of its own; index = class id. */
  readonly labels?: readonly string[];
  /** What the parser sees as `config.network_size`, in pixels. */
  readonly networkSize: { readonly width: number; readonly height: number };
  /** Longest time for one picture or object. Default 2000 ms. */
  readonly deadlineMs?: number;
  /** Longest time for starting and importing. Default 30 000 ms: big packages take long on small machines. */
  readonly loadDeadlineMs?: number;
  /** Most memory of the process (Python: address space; JavaScript: heap and typed arrays). Default 2048 MiB. */
  readonly memoryLimitMb?: number;
  readonly log?: ParserLog;
}

export interface ParserInfo {
  readonly name: string;
  /** Of a primary: `model_type` 0 or 1. */
  readonly modelType?: 'detection' | 'custom';
  readonly labels: readonly string[];
  /** Of a secondary: `gie_unique_id`. */
  readonly gieUniqueId?: number;
  /** The interpreter that runs it, for example `Python 3.11.2, numpy 1.24.2`. */
  readonly runtime: string;
}

/** An object that a parser found, in pixels of {@link PARSER_IMAGE_SIZE}. */
export interface ParsedObject {
  readonly classId: number;
  /** `---` when the class id has no label. */
  readonly label: string;
  readonly confidence: number;
  readonly box: Box;
  /** Classifications that `add_custom_to_meta` attached. */
  readonly attributes?: readonly Attribute[];
}

/** Red, green, blue, opacity: 0 to 1. */
export type OverlayColour = readonly [number, number, number, number];

/** What `add_custom_to_meta` wants drawn, in pixels of {@link PARSER_IMAGE_SIZE}. */
export interface ParserOverlay {
  readonly lines: readonly {
    readonly x1: number;
    readonly y1: number;
    readonly x2: number;
    readonly y2: number;
    readonly width: number;
    readonly colour: OverlayColour;
  }[];
  readonly circles: readonly {
    readonly x: number;
    readonly y: number;
    readonly radius: number;
    readonly colour: OverlayColour;
  }[];
  readonly rectangles: readonly { readonly box: Box; readonly width: number; readonly colour: OverlayColour }[];
  readonly texts: readonly {
    readonly x: number;
    readonly y: number;
    readonly text: string;
    readonly size: number;
    readonly colour: OverlayColour;
  }[];
}

/** What a parser made of one picture or object. */
export interface ParserResult {
  /** Of a primary that answered, possibly empty. Absent where the parser gave no answer at all. */
  readonly detections?: readonly ParsedObject[];
  readonly overlay?: ParserOverlay;
  /** A JSON value, where the parser gave one (a primary's only if it is truthy, in Python's sense). */
  readonly message?: unknown;
  /** What went wrong with this picture, with file and line where known. What stands beside it is still valid. */
  readonly error?: string;
}

/** Never goes down; for metrics. */
export interface ParserCounts {
  /** Pictures and objects handed in. */
  readonly read: number;
  /** Answers with an `error`, those below included. */
  readonly failed: number;
  /** No answer within the deadline. */
  readonly timeouts: number;
  /** Handed in while another one was being read. */
  readonly dropped: number;
  /** Processes started in place of one that ended. */
  readonly restarts: number;
  /** New versions of the file that were taken into use, and that were refused. */
  readonly reloads: number;
  readonly reloadFailures: number;
}

/** A parser that runs. Made by `openParser`. */
export interface CustomParser {
  /** Of the version that runs now. */
  readonly info: ParserInfo;
  readonly counts: ParserCounts;
  /**
   * Hands the outputs of one picture (primary) or object (secondary) to the parser. Never rejects. One at a time: while
   * one is being read another is refused with an `error`; which picture to skip is the caller's choice.
   *
   * @param tensors copied before the call returns; a leading batch dimension of 1 is removed, as DeepStream does
   */
  read(tensors: readonly TensorData[]): Promise<ParserResult>;
  /** Ends the process and forgets its memory. May be called again. */
  close(): Promise<void>;
}
