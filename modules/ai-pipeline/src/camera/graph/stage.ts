import type { FrameInsights } from '@vantage/skill';
import type { View } from '../view.ts';

/**
 * Pixels of a frame that branches of a graph share without copies. Counted: who keeps it longer than the call it came
 * by retains it, and releases it once; after the last release its memory goes to another frame. Never written to.
 */
export interface SharedPicture {
  /** Pixels of this picture: those of `view`, unless a custom node has made it another size. */
  readonly width: number;
  readonly height: number;
  /** The part of the camera's frame that it shows: boxes keep to the whole frame's pixels. */
  readonly view: View;
  /** Planes G, B, R of `width * height` bytes each, without padding, in shared memory. */
  planes(): Uint8Array<SharedArrayBuffer>;
  /** 8-bit B, G, R of each pixel, row by row without padding. Made when it is first asked for. */
  packed(): Uint8Array;
  /** The same bytes into memory of the caller's, for one copy less. @param target `3 * width * height` bytes at least */
  packInto(target: Uint8Array): void;
  retain(): void;
  release(): void;
}

/** A frame on its way through a graph. Immutable: a stage that has something to add makes a new one. */
export interface CameraFrame {
  readonly insights: FrameInsights;
  /** Where the node, or one behind it, looks at pixels. */
  readonly picture?: SharedPicture;
}

/**
 * A node of a graph at work for one camera. Frames come in the order of their times; what it answers goes to the nodes
 * behind it in that order.
 */
export interface GraphStage {
  /** Calls of `process` that may be under way at once. Default 1. */
  readonly concurrency?: number;
  /**
   * Undefined: the frame ends here. `frame.picture` is the caller's until the answer is there; another picture in the
   * answer comes with one reference, which is the caller's from then on. Must not throw: a failure is the node's to tell.
   */
  process(frame: CameraFrame): CameraFrame | undefined | Promise<CameraFrame | undefined>;
  /** Opens what has to be open. Called once, before the first frame. */
  start?(): void;
  /** What reported properties and metrics say about it. Plain data. */
  report?(): Readonly<Record<string, unknown>>;
  /** The camera comes back to another scene. */
  reset?(): void;
  /** Ends what is open. No frame comes after it. */
  stop(): void | Promise<void>;
}
