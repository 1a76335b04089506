/**
 * What a model found, in pixels of the source picture.
 *
 * Coordinates: origin top left, x right, y down, continuous (a box from 0 to the picture's width covers it whole).
 */

/** An axis-aligned box in pixels of the source picture. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A point in pixels of the source picture. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A joint or landmark in pixels of the source picture. */
export interface Keypoint extends Point {
  /** 0 to 1; 0 means that it was not found, and then `x` and `y` mean nothing. */
  readonly score: number;
}

/** Which pixels of a box belong to the object. */
export interface Mask {
  /** Size of the grid of `data`, which is stretched over the whole box of the detection, row by row. */
  readonly width: number;
  readonly height: number;
  /** 0 to 255 a cell: probability times 255. Owned by the detection. */
  readonly data: Uint8Array;
}

/** What a secondary model said about a detection, for example `{name: 'colour', label: 'blue'}`. */
export interface Attribute {
  /** What was asked: the name of the secondary model or of its output. */
  readonly name: string;
  readonly label: string;
  readonly classId: number;
  /** 0 to 1. */
  readonly confidence: number;
  /** `gie-unique-id` of the model that said so. */
  readonly componentId: number;
}

/** `trackingId` of a detection that no tracker has seen. */
export const UNTRACKED = -1;

/** One object in one frame. Immutable: a tracker and a secondary model make a new one. */
export interface Detection {
  readonly classId: number;
  readonly label: string;
  /** 0 to 1. */
  readonly confidence: number;
  readonly box: Box;
  /** Small positive integer, safe as a JSON number; {@link UNTRACKED} (-1) before a tracker. */
  readonly trackingId: number;
  /** `gie-unique-id` of the model that found it. */
  readonly componentId: number;
  readonly attributes: readonly Attribute[];
  /** Facial landmarks, plate corners: in the order of the model, absent when it has none. */
  readonly points?: readonly Point[];
  /** Joints of a body (or other points with a confidence each), in the order of the model. */
  readonly keypoints?: readonly Keypoint[];
  /** Instance segmentation: which part of `box` is the object. */
  readonly mask?: Mask;
}

/** Intersection over union on continuous coordinates; 0 for boxes without area. */
export function iou(a: Box, b: Box): number {
  const width = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left);
  const height = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
  if (!(width > 0 && height > 0)) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/** The middle of a box: where business rules look for an object. */
export function centreOf(box: Box): Point {
  return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
}

/** The part of a box inside a picture of `width` by `height` pixels; no area is left of one that lies outside. */
export function clipBox(box: Box, width: number, height: number): Box {
  const left = Math.min(Math.max(box.left, 0), width);
  const top = Math.min(Math.max(box.top, 0), height);
  const right = Math.min(Math.max(box.left + box.width, 0), width);
  const bottom = Math.min(Math.max(box.top + box.height, 0), height);
  return { left, top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
}
