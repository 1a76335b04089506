import { types } from 'node:util';
import type { MessagePort } from 'node:worker_threads';
import type { Box } from '@vantage/vision';
import type { ModelOutput } from './model-output.ts';

/** What travels between a camera's thread and a session's thread. Buffers are moved, never copied. */

/**
 * One picture, as ffmpeg gave it: planar 8 bit G, B, R without padding. Moved to the session and moved back; in shared
 * memory it stays where it is, and must not be written to until the answer is there.
 */
export interface FrameRequest {
  readonly id: number;
  readonly pixels: ArrayBuffer | SharedArrayBuffer;
  /** Size of the picture. One of another size than the network wants is scaled in the session: slower. */
  readonly pictureWidth: number;
  readonly pictureHeight: number;
  /** Part of the camera's frame that the picture shows, in source pixels. */
  readonly view: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
  /** The best score of each class is wanted, too. */
  readonly peaks?: true;
  /** Secondary: rectangles in source pixels of the whole frame, each its own output. Absent: the picture as a whole. */
  readonly regions?: readonly Box[];
}

export interface FrameReply {
  readonly id: number;
  /** The picture's buffer, for the pool it came from; empty where it was shared memory, which is the camera's anyway. */
  readonly pixels: ArrayBuffer;
  /** One for a picture, one for each region in their order; empty after an error. */
  readonly outputs: readonly ModelOutput[];
  /** Time in the session, microseconds; a batch's is shared by its frames. */
  readonly inferenceUs: number;
  readonly error?: string;
}

/** Whether pixels are moved between threads; others are shared by them. */
export function isMovable(pixels: FrameRequest['pixels']): pixels is ArrayBuffer {
  return !types.isSharedArrayBuffer(pixels);
}

/** First message to a camera: the sessions of the model. */
export interface MoreLanes {
  /** Ports of the other sessions, as good as the one that this came by. */
  readonly lanes: readonly MessagePort[];
  /** Pictures that each session has before it, of all cameras: shared memory. */
  readonly loads: Int32Array;
  /** Where in `loads` a lane counts, that of this port first. */
  readonly places: readonly number[];
  /** Pictures of different cameras that a session takes at once. */
  readonly pictures: number;
}

export type FromSession = FrameReply | MoreLanes;
