/** How pictures travel (`ImageType` of the contract). */
export type ImageEncoding = 'numpy' | 'bmp' | 'jpeg';

/** What an answer brings (`ProcessResponseType`). */
export type ResponseKind = 'image' | 'insights' | 'imageAndInsights' | 'empty';

/** Order of the three bytes of a pixel. */
export type ColorFormat = 'BGR' | 'RGB';

/** The contract's own timestamp. Seconds since the Unix epoch; nanos 0 to 999,999,999. */
export interface NodeTime {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** Who a node works for. Another implementation's client may leave all of them empty. */
export interface NodeIds {
  /** Id of the deployment. */
  readonly instance: string;
  /** Id of the skill. */
  readonly skill: string;
  /** Id of the camera. */
  readonly device: string;
}

/** A picture: packed rows of 8-bit pixels, three channels, no padding; `height * width * 3` bytes. */
export interface NodePicture {
  readonly width: number;
  readonly height: number;
  readonly colorFormat: ColorFormat;
  readonly pixels: Buffer;
}

/** Fractions 0..1 of the picture: left, top, width, height; origin top left. */
export interface NodeBox {
  readonly l: number;
  readonly t: number;
  readonly w: number;
  readonly h: number;
}

export interface NodeAttribute {
  readonly name: string;
  readonly label: string;
  /** 0 to 1. */
  readonly confidence: number;
  readonly inferenceId?: string;
  readonly timestamp?: NodeTime;
}

export interface NodeTracking {
  readonly id: string;
  readonly speed?: number;
  readonly direction?: { readonly x: number; readonly y: number };
  readonly timestamp?: NodeTime;
}

export interface NodeObject {
  readonly label: string;
  /** 0 to 1; 32 bits on the wire. */
  readonly confidence: number;
  readonly bbox?: NodeBox;
  readonly inferenceId?: string;
  readonly timestamp?: NodeTime;
  readonly attributes?: readonly NodeAttribute[];
  readonly tracking?: NodeTracking;
}

export interface NodeEvent {
  readonly type: string;
  readonly id: string;
  readonly timestamp?: NodeTime;
  /** Inference ids of the objects it is about. */
  readonly relatedIds?: readonly string[];
  readonly properties?: Readonly<Record<string, string>>;
}

/** What is known about a frame (`InsightsMeta`). */
export interface NodeInsights {
  readonly objects: readonly NodeObject[];
  readonly events: readonly NodeEvent[];
  /** `other_meta`. */
  readonly other: Readonly<Record<string, string>>;
}

export const NO_INSIGHTS: NodeInsights = { objects: [], events: [], other: {} };

/** A region of the camera. The contract leaves `value` open; we write the corners as JSON, fractions 0..1 of the frame. */
export interface NodeRoi {
  readonly name: string;
  readonly type: 'line' | 'polygon';
  readonly id: string;
  readonly value: string;
}

/** What is told about a frame, whether its pixels travel or not. */
export interface FrameFacts {
  /** Counter of the source, in decimal. */
  readonly frameId: string;
  /** Capture time. */
  readonly timestamp: NodeTime;
  /** Capture time, ISO 8601 with offset. */
  readonly datetime: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly colorFormat: ColorFormat;
  /** What nodes upstream have found. */
  readonly insights: NodeInsights;
  readonly roi?: NodeRoi;
}

/**
 * What a custom node sees. The pixels are the node's own until it has answered: they may be written to, and answered. They may
 * lie in memory that is shared with the client, so copy what you keep.
 */
export interface NodeFrame extends FrameFacts {
  /** Absent where the node asked for none, or the client sent none. See {@link NodePicture}. */
  readonly pixels?: Buffer;
}

/** What a pipeline hands to the client: pixels as they are, or a way to write them where they are needed. */
export interface ClientFrame extends FrameFacts {
  /** Read until the promise of `process` is settled; never written. */
  readonly pixels?: Uint8Array;
  /** Writes `height * width * 3` bytes; saves a copy where the caller has to convert anyway. Called at most once. */
  readonly pixelsInto?: (target: Uint8Array) => void;
  /**
   * Reads the picture of the answer where it lies, which saves a copy; the result then has none. Called at most once, before
   * the promise of `process` settles, and not in the order of the frames. The pixels are good until it returns.
   */
  readonly takeImage?: (picture: NodePicture) => void;
}

/** What a custom node answers. Nothing at all: the frame passes as it is. */
export interface NodeAnswer {
  readonly image?: NodePicture;
  readonly insights?: Partial<NodeInsights>;
}

/** What a node wants to be sent and what it answers; the same for every frame of a connection. */
export interface NodeDescription {
  /** `none`: the node works on insights alone. */
  readonly image: ImageEncoding | 'none';
  readonly response: ResponseKind;
  /** Encoding of pictures in answers of a node that wants `none`. Default `numpy`. */
  readonly answerImage?: ImageEncoding;
}

/** What a client has learnt from the handshake. */
export interface NodeWants {
  readonly image: ImageEncoding | 'none';
  readonly response: ResponseKind;
  readonly answerImage: ImageEncoding;
}
